"""A group as its events have made it, and `apply`, which takes it one event further.

The state is lean on purpose: it holds people, balances, debts and what is pending, not the expenses. An event
about an expense carries the version before and after, so balances follow without the rest of the history, and
a group with a hundred thousand expenses is as light to hold as a new one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar

from persplit.ledger import debts as debt
from persplit.ledger import units
from persplit.ledger.debts import Debt, Debts
from persplit.ledger.events import (
    ArrangementEvent,
    AttachmentAdded,
    AttachmentEvent,
    AttachmentRemoved,
    CommentAdded,
    CommentDeleted,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseEvent,
    ExpenseRestored,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    LoanEvent,
    MemberEvent,
    MemberUpdated,
    PresetDeleted,
    PresetSaved,
    RecurrenceSaved,
    ReminderSent,
    SettlementCompleted,
    SettlementCreated,
    SettlementEvent,
    TalkEvent,
    loan_in,
)
from persplit.ledger.expense import Expense
from persplit.ledger.group import GroupSettings, Member, Role
from persplit.ledger.loan import LOANS_CLOSED_MAX, Loan
from persplit.ledger.plan import (
    Plan,
    Transfer,
    pairwise_plan_in_slices,
    rest_of_in_slices,
    rows_after,
    settle_up_in_slices,
)
from persplit.ledger.preset import Preset
from persplit.ledger.recurrence import Recurrence
from persplit.ledger.settlement import Settlement
from persplit.ledger.slices import Work, at_once

STEADY_PAYMENTS_MAX: Final = 64
"""Payments kept apart from the plan that they follow; then they are worked into it, so that the state stays small."""


@dataclass(frozen=True, slots=True)
class PlanBasis:
    """From what the settle-up plan is worked out: computing it is left to who needs it.

    The plan of `balances` (or `plan`, where it was worked out before), as the `payments` since have consumed it.
    So a payment that follows the plan shortens its own row and nobody else's changes.
    """

    balances: Mapping[str, int]
    payments: tuple[Transfer, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group at `seq`. The mappings are never changed in place.

    `balances` (minor units, positive is owed to them) has every active member and sums to zero; who has left
    is at zero. `claims` maps a claimed placeholder to who took it over. `at` is when the last event was recorded.
    `settles_as` maps everybody in a unit to who speaks for it. `loans` has all that are open, and the
    `LOANS_CLOSED_MAX` others that changed last; what is owed of them is no part of balances and debts.
    """

    group_id: str
    seq: int
    at: str
    created_by: str
    created_at: str
    settings: GroupSettings
    members: Mapping[str, Member]
    balances: Mapping[str, int]
    debts: Debts
    pending: Mapping[str, Settlement]
    claims: Mapping[str, str]
    expense_count: int
    settlement_count: int
    basis: PlanBasis
    settles_as: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)
    recurrences: Mapping[str, Recurrence] = field(default_factory=dict)
    loans: Mapping[str, Loan] = field(default_factory=dict)

    def active(self) -> list[Member]:
        """Who is in the group now, in the order in which they first came."""
        return [member for member in self.members.values() if member.is_active]

    def is_member(self, user_id: str) -> bool:
        """Whether the user is in the group now."""
        member = self.members.get(user_id)
        return member is not None and member.is_active

    def is_person(self, user_id: str) -> bool:
        """Whether the user is in the group now, and no placeholder."""
        return self.is_member(user_id) and not self.members[user_id].placeholder

    def is_admin(self, user_id: str) -> bool:
        """Whether the user is in the group now, as an admin."""
        return self.is_member(user_id) and self.members[user_id].role is Role.ADMIN

    def canonical(self, user_id: str) -> str:
        """The id itself, or that of who claimed the placeholder."""
        return self.claims.get(user_id, user_id)

    def speaker(self, user_id: str) -> str:
        """Who pays and receives for the user: who speaks for their unit, or the user."""
        return self.settles_as.get(user_id, user_id)

    def unit_of(self, user_id: str) -> frozenset[str]:
        """Who settles together with the user, themself included."""
        speaker = self.speaker(user_id)
        return frozenset({user_id, *(other for other, its in self.settles_as.items() if its == speaker)})


class Happening(Protocol):
    """An event in its place: recorded, or about to be."""

    @property
    def group_id(self) -> str:
        """Whose."""
        ...

    @property
    def seq(self) -> int:
        """Its place in the group's ledger."""
        ...

    @property
    def at(self) -> str:
        """When, RFC 3339 in UTC."""
        ...

    @property
    def by(self) -> str:
        """Who caused it."""
        ...

    @property
    def event(self) -> Event:
        """What happened."""
        ...


def apply(state: GroupState | None, recorded: Happening) -> GroupState:
    """The state after the event. Total: what was recorded is never refused."""
    event = recorded.event
    if isinstance(event, GroupCreated):
        return _founded(recorded, event)
    assert state is not None, "a ledger begins with GroupCreated"  # noqa: S101 - a store can't hand out another order
    match event:
        case ExpenseCreated() | ExpenseUpdated() | ExpenseDeleted() | ExpenseRestored():
            return _with_expense(state, recorded, event)
        case _:
            return _with_other(replace(state, seq=recorded.seq, at=recorded.at), event)


def plan_in_slices(state: GroupState) -> Work[Plan]:
    """The settle-up plan: fewest transfers, steady under payments that follow it.

    Groups that do not want their debts rearranged (`simplify` off) get the netted debts as they are.
    """
    if not state.settings.simplify:
        return (yield from pairwise_plan_in_slices(units.debts_by_unit(state.debts, state.settles_as)))
    return (yield from _planned(state.basis))


plan_of = at_once(plan_in_slices)


def has_same_plan(before: GroupState, after: GroupState) -> bool:
    """Whether the plans of the two are worked out from the very same things. False says nothing."""
    if before.settings.simplify or after.settings.simplify:
        return before.settings.simplify == after.settings.simplify and before.basis is after.basis
    return before.debts is after.debts and before.settles_as is after.settles_as


def _planned(basis: PlanBasis) -> Work[Plan]:
    """As each of the payments left the plan: shorter by what it paid, or made anew where it did not follow."""
    plan = basis.plan or (yield from settle_up_in_slices(basis.balances))
    rows = plan.transfers
    balances = dict(basis.balances)
    for paid in basis.payments:
        balances[paid.from_id] = balances.get(paid.from_id, 0) + paid.amount
        balances[paid.to_id] = balances.get(paid.to_id, 0) - paid.amount
        shorter = rows_after(rows, paid)
        if shorter is None:
            plan = yield from settle_up_in_slices(balances)
        rows = plan.transfers if shorter is None else shorter
    return (yield from rest_of_in_slices(plan, rows))


def _followed(basis: PlanBasis) -> Work[Plan | None]:
    """The plan that is left, if all the payments followed it: at the cost of planning once, or twice."""
    plan = basis.plan or (yield from settle_up_in_slices(basis.balances))
    rows = plan.transfers
    for paid in basis.payments:
        shorter = rows_after(rows, paid)
        if shorter is None:
            return None
        rows = shorter
    return (yield from rest_of_in_slices(plan, rows))


def _founded(recorded: Happening, event: GroupCreated) -> GroupState:
    balances = {event.member.user_id: 0}
    return GroupState(
        group_id=recorded.group_id,
        seq=recorded.seq,
        at=recorded.at,
        created_by=recorded.by,
        created_at=recorded.at,
        settings=event.settings,
        members={event.member.user_id: event.member},
        balances=balances,
        debts={},
        pending={},
        claims={},
        expense_count=0,
        settlement_count=0,
        basis=PlanBasis(balances),
    )


def _with_other(
    state: GroupState,
    event: GroupUpdated
    | AttachmentEvent
    | SettlementEvent
    | LoanEvent
    | MemberEvent
    | TalkEvent
    | ArrangementEvent,
) -> GroupState:
    match event:
        case AttachmentAdded() | AttachmentRemoved() | CommentAdded() | CommentDeleted() | ReminderSent():
            return state  # nothing is owed for it, and neither expenses nor what is said of them are held
        case _ if isinstance(event, ArrangementEvent):
            return _with_arrangement(state, event)
        case GroupUpdated(after=settings):
            return replace(state, settings=settings)
        case _ if isinstance(event, SettlementEvent):
            return _with_settlement(state, event)
        case _ if isinstance(event, LoanEvent):
            return _with_loan(state, loan_in(event))
        case _:
            return _with_member(state, event)


def _with_expense(state: GroupState, recorded: Happening, event: ExpenseEvent) -> GroupState:
    """Take the effect of the version before back, and put that of the one after in its place."""
    net: dict[str, int] = {}
    made: list[Debt] = []
    for expense, sign in _effects(event):
        its_net = debt.net_of(expense)
        for user, amount in its_net.items():
            net[user] = net.get(user, 0) + sign * amount
        made += [(debtor, creditor, sign * amount) for debtor, creditor, amount in debt.debts_from(its_net)]
    balances, debts = _posted(state, net, made)
    # Most events are of this kind: one copy of the state.
    return replace(
        state,
        seq=recorded.seq,
        at=recorded.at,
        balances=balances,
        debts=debts,
        expense_count=state.expense_count + isinstance(event, ExpenseCreated),
        recurrences=_made(state, event),
        basis=_basis_after(state, balances),
    )


def _basis_after(state: GroupState, balances: Mapping[str, int]) -> PlanBasis:
    """What the plan is worked out from once the balances are these: the same as long as no unit's has changed."""
    after = units.balances_by_unit(balances, state.settles_as)
    return (
        state.basis if after == units.balances_by_unit(state.balances, state.settles_as) else PlanBasis(after)
    )


def _with_arrangement(state: GroupState, event: ArrangementEvent) -> GroupState:
    match event:
        case PresetSaved(preset=preset):
            presets = {
                id_: replace(other, is_default=False) if preset.is_default else other
                for id_, other in state.presets.items()
            }
            return replace(state, presets={**presets, preset.id: preset})
        case PresetDeleted(preset=preset):
            return replace(state, presets=_without(state.presets, preset.id))
        case RecurrenceSaved(recurrence=recurrence):
            return replace(state, recurrences={**state.recurrences, recurrence.id: recurrence})
        case _:
            return replace(state, recurrences=_without(state.recurrences, event.recurrence.id))


_T = TypeVar("_T")


def _without(things: Mapping[str, _T], id_: str) -> Mapping[str, _T]:
    return {key: thing for key, thing in things.items() if key != id_}


def _made(state: GroupState, event: ExpenseEvent) -> Mapping[str, Recurrence]:
    """The templates, the one that made this expense moved on to its day."""
    if not isinstance(event, ExpenseCreated) or event.expense.recurrence_id is None:
        return state.recurrences
    template = state.recurrences.get(event.expense.recurrence_id)
    if template is None:
        return state.recurrences
    return {**state.recurrences, template.id: replace(template, made_through=event.expense.date)}


def _effects(event: ExpenseEvent) -> Sequence[tuple[Expense, int]]:
    """The versions that begin (1) or cease (-1) to count."""
    match event:
        case ExpenseUpdated(before=before, after=after):
            return (before, -1), (after, 1)
        case ExpenseDeleted(expense=expense):
            return ((expense, -1),)
        case _:
            return ((event.expense, 1),)


def _with_settlement(state: GroupState, event: SettlementEvent) -> GroupState:
    settlement = event.settlement
    pending = dict(state.pending)
    if isinstance(event, SettlementCreated):
        pending[settlement.id] = settlement
        return replace(state, pending=pending, settlement_count=state.settlement_count + 1)
    pending.pop(settlement.id, None)
    state = replace(state, pending=pending)
    if not isinstance(event, SettlementCompleted):
        return state
    if event.loan is not None:
        state = _with_loan(state, event.loan)
    return _with_payment(state, settlement) if settlement.moved else state


def _with_loan(state: GroupState, loan: Loan) -> GroupState:
    loans = {**state.loans, loan.id: loan}
    closed = sorted((one.seq, one.id) for one in loans.values() if not one.is_open)
    for _, id_ in closed[:-LOANS_CLOSED_MAX]:
        del loans[id_]
    return replace(state, loans=loans)


def _with_payment(state: GroupState, settlement: Settlement) -> GroupState:
    payer, payee = state.canonical(settlement.from_id), state.canonical(settlement.to_id)
    amount = settlement.moved
    balances, debts = _posted(state, {payer: amount, payee: -amount}, [(payee, payer, amount)])
    state = replace(state, balances=balances, debts=debts)
    paid = Transfer(state.speaker(payer), state.speaker(payee), amount)
    if paid.from_id == paid.to_id:
        return state  # within one unit, which the plan knows nothing of
    basis = replace(state.basis, payments=(*state.basis.payments, paid))
    if len(basis.payments) >= STEADY_PAYMENTS_MAX:
        # Where one of them did not follow, the plan is made anew once more, instead of as often as that happened.
        basis = PlanBasis(units.balances_by_unit(balances, state.settles_as), plan=at_once(_followed)(basis))
    return replace(state, basis=basis)


def _posted(
    state: GroupState, net: Mapping[str, int], made: Iterable[Debt]
) -> tuple[Mapping[str, int], Debts]:
    """Balances and debts, moved by the postings; who has left is taken out of the middle again."""
    if state.claims:
        made = [(state.canonical(debtor), state.canonical(creditor), owed) for debtor, creditor, owed in made]
    balances = dict(state.balances)
    for user_id, amount in net.items():
        user = state.canonical(user_id)
        balances[user] = balances.get(user, 0) + amount
    debts = debt.with_debts(state.debts, made)
    for user in sorted({user for user in map(state.canonical, net) if not state.is_member(user)}):
        debts = debt.with_debts(debts, debt.handed_over(debts, user))
        if balances.get(user) == 0:
            del balances[user]
    return balances, debts


def _with_member(state: GroupState, event: MemberEvent) -> GroupState:
    after = _with_place(state, event)
    settles_as = units.speakers(after.members.values())
    if settles_as == state.settles_as:
        return after
    by_unit = units.balances_by_unit(after.balances, settles_as)
    before = units.balances_by_unit(after.balances, state.settles_as)
    is_steady = {k: v for k, v in by_unit.items() if v} == {k: v for k, v in before.items() if v}
    return replace(after, settles_as=settles_as, basis=after.basis if is_steady else PlanBasis(by_unit))


def _with_place(state: GroupState, event: MemberEvent) -> GroupState:
    member = event.after if isinstance(event, MemberUpdated) else event.member
    members = {**state.members, member.user_id: member}
    balances = dict(state.balances)
    if member.is_active:
        balances.setdefault(member.user_id, 0)
    elif balances.get(member.user_id) == 0:
        del balances[member.user_id]
    state = replace(state, members=members, balances=balances)
    if not member.is_active:
        return replace(
            state, debts=debt.with_debts(state.debts, debt.handed_over(state.debts, member.user_id))
        )
    if member.claimed is not None and member.claimed not in state.claims:
        return _claimed(state, member.claimed, member)
    return state


def _claimed(state: GroupState, placeholder_id: str, member: Member) -> GroupState:
    """All that stands under the placeholder's id goes over to the member who claimed it."""
    balances = dict(state.balances)
    balances[member.user_id] = balances.get(member.user_id, 0) + balances.pop(placeholder_id, 0)
    placeholder = replace(state.members[placeholder_id], left_at=member.joined_at)
    pending = {
        key: replace(
            waiting,
            from_id=member.user_id if waiting.from_id == placeholder_id else waiting.from_id,
            to_id=member.user_id if waiting.to_id == placeholder_id else waiting.to_id,
        )
        for key, waiting in state.pending.items()
    }
    return replace(
        state,
        members={**state.members, placeholder_id: placeholder},
        balances=balances,
        debts=debt.with_debts(state.debts, debt.renamed(state.debts, placeholder_id, member.user_id)),
        pending=pending,
        recurrences={
            key: replace(template, created_by=member.user_id)
            if template.created_by == placeholder_id
            else template
            for key, template in state.recurrences.items()
        },
        loans={
            key: replace(
                loan,
                lender_id=member.user_id if loan.lender_id == placeholder_id else loan.lender_id,
                borrower_id=member.user_id if loan.borrower_id == placeholder_id else loan.borrower_id,
            )
            for key, loan in state.loans.items()
        },
        claims=_claims_with(state.claims, placeholder_id, member.user_id),
        basis=PlanBasis(units.balances_by_unit(balances, state.settles_as)),
    )


def _claims_with(claims: Mapping[str, str], placeholder_id: str, user_id: str) -> Mapping[str, str]:
    """Whoever had claimed others before they became a placeholder themself hands those over, too."""
    moved = {old: user_id if holder == placeholder_id else holder for old, holder in claims.items()}
    return {**moved, placeholder_id: user_id}
