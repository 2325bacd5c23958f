"""What `--json` prints: the wire's own shapes, with names beside ids and `pending` where something waits."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from persplit.client.outbox import Queued
from persplit.client.people import InviteInfo, TokenInfo
from persplit.client.reading import (
    ActivityEntry,
    CommentEntry,
    ExpenseEntry,
    Explanation,
    Friend,
    HistoryEntry,
    LoanEntry,
    MyBalances,
    PlanRow,
    SettlementEntry,
)
from persplit.client_cli.views import GroupView, Standing
from persplit.ledger import codec
from persplit.ledger.categories import category_of
from persplit.ledger.loan_codec import loan_to_json
from persplit.ledger.statistics import MemberTotal, MonthTotal, Statistics

Json: TypeAlias = dict[str, Any]


def group(it: GroupView, *, default: bool = False) -> Json:
    """`{id, name, kind, description, currency, simplify, hasPassword, archivedAt, timeZone, seq, balance, default, pending, members}`."""
    settings = it.settings
    return {
        "id": it.id,
        "name": it.title,
        "kind": settings.kind.value,
        "description": settings.description,
        "currency": settings.currency,
        "simplify": settings.simplify,
        "hasPassword": settings.has_password,
        "archivedAt": settings.archived_at,
        "timeZone": settings.time_zone,
        "seq": it.group.seq,
        "balance": it.my_balance,
        "default": default,
        "pending": it.is_pending,
        "members": members(it),
    }


def members(it: GroupView) -> list[Json]:
    """`[{userId, name, role, placeholder, joinedAt, leftAt, claimed, unit, blocked, balance}]`, former members too."""
    return [
        {
            **codec.member_to_json(member),
            "name": it.name(member.user_id),
            "balance": it.balances.get(member.user_id, 0),
        }
        for member in it.group.members
    ]


def invite(it: InviteInfo) -> Json:
    """`{id, createdBy, createdAt, expiresAt, uses, maxUses}`."""
    return {
        "id": it.id,
        "createdBy": it.created_by,
        "createdAt": it.created_at,
        "expiresAt": it.expires_at,
        "uses": it.uses,
        "maxUses": it.uses_max,
    }


def token(it: TokenInfo) -> Json:
    """`{id, name, scope, groupId, createdAt, expiresAt}`."""
    return {
        "id": it.id,
        "name": it.name,
        "scope": it.scope,
        "groupId": it.group_id,
        "createdAt": it.created_at,
        "expiresAt": it.expires_at,
    }


def expense(it: ExpenseEntry) -> Json:
    """An expense as on the wire, with `pending`."""
    return {**codec.expense_to_json(it.expense, it.group_id), "pending": it.is_pending}


def comment(it: GroupView, entry: CommentEntry) -> Json:
    """A comment as on the wire, with `pending`."""
    return {**codec.comment_to_json(entry.comment, it.id), "pending": entry.is_pending}


def settlement(it: SettlementEntry) -> Json:
    """A settlement as on the wire, with `pending`."""
    return {**codec.settlement_to_json(it.settlement, it.group_id), "pending": it.is_pending}


def loan(it: GroupView, entry: LoanEntry) -> Json:
    """A loan as on the wire, with names and what repays it on the day `on`."""
    return {
        **loan_to_json(entry.loan, it.id),
        "lenderName": it.name(entry.loan.lender_id),
        "borrowerName": it.name(entry.loan.borrower_id),
        "currency": it.currency,
        "on": entry.on,
        "interestDue": entry.interest_due,
        "toRepay": entry.to_repay,
        "overdue": entry.is_overdue,
        "pending": entry.is_pending,
    }


def standing(it: Standing) -> Json:
    """`{groupId, currency, seq, at, pending, balances, debts, settleUp, optimal}`; no plan for a past."""
    balances = it.balances
    return {
        "groupId": balances.group_id,
        "currency": balances.currency,
        "seq": balances.seq,
        "at": balances.at,
        "pending": balances.pending > 0,
        "balances": [
            {"userId": id_, "name": it.view.name(id_), "amount": amount}
            for id_, amount in balances.balances.items()
        ],
        "debts": [row(it.view, *debt) for debt in balances.debts],
        "settleUp": None if it.plan is None else plan_rows(it.view, it.plan.rows),
        "optimal": None if it.plan is None else it.plan.optimal,
    }


def row(it: GroupView, from_id: str, to_id: str, amount: int) -> Json:
    """`{from, fromName, to, toName, amount}`."""
    return {
        "from": from_id,
        "fromName": it.name(from_id),
        "to": to_id,
        "toName": it.name(to_id),
        "amount": amount,
    }


def plan_rows(it: GroupView, rows: Iterable[PlanRow]) -> list[Json]:
    """`[{from, fromName, to, toName, amount, upiLink}]`; the link is null where no UPI id is known."""
    return [{**row(it, r.from_id, r.to_id, r.amount), "upiLink": r.upi_link} for r in rows]


def activity(it: GroupView, entry: ActivityEntry) -> Json:
    """`{groupId, groupName, event, pending}`."""
    return {
        "groupId": it.id,
        "groupName": it.title,
        "event": codec.event_to_json(entry.event),
        "pending": entry.is_pending,
    }


def statistics(it: GroupView, found: Statistics) -> Json:
    """As on the wire, with names: see the command."""
    return {
        "groupId": it.id,
        "currency": it.currency,
        "count": found.count,
        "amount": found.amount,
        "paid": found.paid,
        "share": found.share,
        "categories": [
            {
                "category": row.category,
                "icon": known.icon if (known := category_of(row.category)) else None,
                "count": row.count,
                "amount": row.amount,
            }
            for row in found.categories
        ],
        "members": [
            {"userId": row.user_id, "name": it.name(row.user_id), **_parts(row)} for row in found.members
        ],
        "months": [{"month": row.month, "amount": row.amount, **_parts(row)} for row in found.months],
    }


def _parts(row: MemberTotal | MonthTotal) -> Json:
    return {"count": row.count, "paid": row.paid, "share": row.share}


def explanation(it: GroupView, found: Explanation) -> Json:
    """`{groupId, from, fromName, to, toName, amount, debts: [{…, causes: [{kind, id, description, date, amount}]}]}`."""
    return {
        "groupId": found.group_id,
        **row(it, found.from_id, found.to_id, found.amount),
        "debts": [
            {
                **row(it, debt.debtor_id, debt.creditor_id, debt.amount),
                "causes": [
                    {
                        "kind": cause.source.value,
                        "id": cause.source_id,
                        "description": cause.description,
                        "date": cause.date,
                        "amount": cause.amount,
                    }
                    for cause in debt.causes
                ],
            }
            for debt in found.debts
        ],
    }


def event(it: HistoryEntry) -> Json:
    """An event as on the wire, with `pending`."""
    return {**codec.event_to_json(it.event), "pending": it.is_pending}


def my_balances(it: MyBalances) -> Json:
    """`{overall: [{currency, amount}], groups: [{groupId, name, currency, amount}]}`."""
    return {
        "overall": [{"currency": code, "amount": amount} for code, amount in it.overall.items()],
        "groups": [
            {"groupId": g.group_id, "name": g.name, "currency": g.currency, "amount": g.amount}
            for g in it.groups
        ],
    }


def friend(it: Friend) -> Json:
    """`{userId, name, balances: [{currency, amount}], loans: [{currency, amount}]}`."""
    return {
        "userId": it.user_id,
        "name": it.name,
        "balances": [{"currency": code, "amount": amount} for code, amount in it.balances.items()],
        "loans": [{"currency": code, "amount": amount} for code, amount in it.loans.items()],
    }


def command(it: Queued) -> Json:
    """`{commandId, groupId, type, fields, at, status, doubt, error}`; a password in `fields` isn't shown."""
    hidden = {"joinPassword", "password"}
    return {
        "commandId": it.command_id,
        "groupId": it.group_id,
        "type": it.type,
        "fields": {name: value for name, value in it.fields.items() if name not in hidden},
        "at": it.at,
        "status": it.status.value,
        "doubt": it.doubt,
        "error": None if it.error is None else {"code": it.error.code, "detail": it.error.detail},
    }
