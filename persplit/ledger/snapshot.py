"""A group's state as JSON values and back, for snapshots. Disposable: a snapshot that can't be read is rebuilt."""

from typing import Any, Final

from persplit.ledger import arrangement_codec as arrangements
from persplit.ledger import codec, units
from persplit.ledger import debts as debt
from persplit.ledger.loan_codec import loan_from_json, loan_to_json
from persplit.ledger.plan import Plan, Transfer
from persplit.ledger.state import GroupState, PlanBasis

STATE_VERSION: Final = 5
"""Raised whenever the state, or what `apply` makes of an event, changes: older snapshots are then passed over."""


def state_to_json(state: GroupState) -> dict[str, Any]:
    """The whole state as JSON values."""
    return {
        "groupId": state.group_id,
        "seq": state.seq,
        "at": state.at,
        "createdBy": state.created_by,
        "createdAt": state.created_at,
        "settings": codec.settings_to_json(state.settings),
        "members": [codec.member_to_json(member) for member in state.members.values()],
        "balances": dict(state.balances),
        "debts": [list(row) for row in debt.rows(state.debts)],
        "pending": [codec.settlement_to_json(s, state.group_id) for s in state.pending.values()],
        "claims": dict(state.claims),
        "expenseCount": state.expense_count,
        "settlementCount": state.settlement_count,
        "basis": _basis_to_json(state.basis),
        "presets": [arrangements.preset_to_json(p, state.group_id) for p in state.presets.values()],
        "recurrences": [
            arrangements.recurrence_to_json(r, state.group_id) for r in state.recurrences.values()
        ],
        "loans": [loan_to_json(loan, state.group_id) for loan in state.loans.values()],
    }


def state_from_json(data: dict[str, Any]) -> GroupState:
    """The state that `state_to_json` was given.

    Raises:
        KeyError, TypeError, ValueError: it isn't one of this version.

    """
    members = [codec.member_from_json(member) for member in data["members"]]
    pending = [codec.settlement_from_json(settlement) for settlement in data["pending"]]
    by_id = {member.user_id: member for member in members}
    return GroupState(
        group_id=data["groupId"],
        seq=data["seq"],
        at=data["at"],
        created_by=data["createdBy"],
        created_at=data["createdAt"],
        settings=codec.settings_from_json(data["settings"]),
        members=by_id,
        settles_as=units.speakers(by_id.values()),
        balances=data["balances"],
        debts=debt.with_debts({}, ((row[0], row[1], row[2]) for row in data["debts"])),
        pending={settlement.id: settlement for settlement in pending},
        claims=data["claims"],
        expense_count=data["expenseCount"],
        settlement_count=data["settlementCount"],
        basis=_basis_from_json(data["basis"]),
        presets={p.id: p for p in map(arrangements.preset_from_json, data["presets"])},
        recurrences={r.id: r for r in map(arrangements.recurrence_from_json, data["recurrences"])},
        loans={loan.id: loan for loan in map(loan_from_json, data["loans"])},
    )


def _basis_to_json(basis: PlanBasis) -> dict[str, Any]:
    return {
        "balances": dict(basis.balances),
        "payments": [_transfer_to_json(paid) for paid in basis.payments],
        "plan": None if basis.plan is None else _plan_to_json(basis.plan),
    }


def _plan_to_json(plan: Plan) -> dict[str, Any]:
    return {"transfers": [_transfer_to_json(row) for row in plan.transfers], "optimal": plan.optimal}


def _transfer_to_json(row: Transfer) -> list[str | int]:
    return [row.from_id, row.to_id, row.amount]


def _basis_from_json(data: dict[str, Any]) -> PlanBasis:
    plan = data["plan"]
    return PlanBasis(
        balances=data["balances"],
        payments=tuple(Transfer(*row) for row in data["payments"]),
        plan=plan and Plan(tuple(Transfer(*row) for row in plan["transfers"]), plan["optimal"]),
    )
