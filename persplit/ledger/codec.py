"""Events, and the things in them, to plain JSON objects and back.

One form serves the wire, the stores and the Python client: `camelCase` keys, JSON values only. What is stored
is that form and the `contentHash`, which nobody outside needs. Type names and shapes are stable for ever:
`tests/golden/events_v1` guards them. A changed shape gets a new `VERSION` and a step in `UPCASTS`.

Decoding trusts what a store of ours holds: it doesn't validate, and ignores keys that it doesn't know. A key
that is missing raises `KeyError`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from persplit.ledger.arrangement_codec import (
    preset_from_json,
    preset_to_json,
    recurrence_from_json,
    recurrence_to_json,
)
from persplit.ledger.attachment import Attachment
from persplit.ledger.comment import Comment
from persplit.ledger.draft_codec import splits_from_json, splits_to_json, unscaled
from persplit.ledger.events import (
    ArrangementEvent,
    AttachmentAdded,
    AttachmentRemoved,
    CommentAdded,
    CommentDeleted,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    LoanCreated,
    LoanDeleted,
    LoanEvent,
    LoanRestored,
    LoanUpdated,
    MemberJoined,
    MemberLeft,
    MemberUnblocked,
    MemberUpdated,
    PresetDeleted,
    PresetSaved,
    RecordedEvent,
    RecurrenceSaved,
    RecurrenceStopped,
    ReminderSent,
    SettlementCancelled,
    SettlementCompleted,
    SettlementCreated,
    SettlementDeclined,
    SettlementEvent,
    TalkEvent,
)
from persplit.ledger.expense import (
    VALUE_SCALE,
    Expense,
    ExpenseKind,
    Item,
    Original,
    Posting,
    RateSource,
    SplitType,
)
from persplit.ledger.group import GroupKind, GroupSettings, Member, Role
from persplit.ledger.loan_codec import loan_from_json, loan_to_json, repayment_from_json, repayment_to_json
from persplit.ledger.recurrence import UTC_ZONE
from persplit.ledger.reminder import Reminder
from persplit.ledger.settlement import Settlement, SettlementStatus

Json: TypeAlias = dict[str, Any]
"""A JSON object."""

VERSION: Final = 1
"""The version of the stored shape that this code writes and reads."""

UPCASTS: Final[dict[int, Callable[[Json], Json]]] = {}
"""For each older version the step that brings an event to a later one; the step sets `v`."""

TYPES: Final[Mapping[type[Event], str]] = {
    GroupCreated: "group:created",
    GroupUpdated: "group:updated",
    MemberJoined: "member:joined",
    MemberUpdated: "member:updated",
    MemberLeft: "member:left",
    MemberUnblocked: "member:unblocked",
    ExpenseCreated: "expense:created",
    ExpenseUpdated: "expense:updated",
    ExpenseDeleted: "expense:deleted",
    ExpenseRestored: "expense:restored",
    AttachmentAdded: "attachment:added",
    AttachmentRemoved: "attachment:removed",
    SettlementCreated: "settlement:created",
    SettlementCompleted: "settlement:completed",
    SettlementDeclined: "settlement:declined",
    SettlementCancelled: "settlement:cancelled",
    LoanCreated: "loan:created",
    LoanUpdated: "loan:updated",
    LoanDeleted: "loan:deleted",
    LoanRestored: "loan:restored",
    CommentAdded: "comment:added",
    CommentDeleted: "comment:deleted",
    ReminderSent: "reminder:sent",
    PresetSaved: "preset:saved",
    PresetDeleted: "preset:deleted",
    RecurrenceSaved: "recurrence:saved",
    RecurrenceStopped: "recurrence:stopped",
}
"""The name of each kind of event, as stored and as broadcast."""


class UnknownEvent(ValueError):
    """A stored event is of a type or version that this code doesn't know: newer code wrote it."""


def event_to_json(recorded: RecordedEvent) -> Json:
    """The event as it goes over the wire: without its content hash, and with what the store leaves out of settings.

    Whoever takes an event's settings over theirs has to hear of a time zone also where it is UTC again, and has the
    same fields as who reads the group.
    """
    told = _told(recorded)
    if isinstance(recorded.event, GroupCreated | GroupUpdated):
        told.update({key: {**_LEFT_OUT, **told[key]} for key in ("group", "before") if key in told})
    return told


_LEFT_OUT: Final = {"timeZone": UTC_ZONE, "kind": GroupKind.GROUP.value}


def _told(recorded: RecordedEvent) -> Json:
    return {
        "groupId": recorded.group_id,
        "seq": recorded.seq,
        "at": recorded.at,
        "by": recorded.by,
        "commandId": recorded.command_id,
        "type": TYPES[type(recorded.event)],
        "v": VERSION,
        **_payload_to_json(recorded.event, recorded.group_id),
    }


def event_to_document(recorded: RecordedEvent) -> Json:
    """The event as it is stored."""
    return {**_told(recorded), "contentHash": recorded.content_hash}


def event_from_json(stored: Json) -> RecordedEvent:
    """The event that was stored, or sent (with no `contentHash`: it is "" then).

    Raises:
        UnknownEvent: its type or version is not among those that this code knows.

    """
    current = stored if stored.get("v") == VERSION else _upcast(stored)
    decode = _DECODERS.get(current["type"])
    if decode is None:
        raise UnknownEvent(f"an event of type {current['type']!r} is not known here")
    return RecordedEvent(
        group_id=current["groupId"],
        seq=current["seq"],
        at=current["at"],
        by=current["by"],
        command_id=current["commandId"],
        content_hash=current.get("contentHash", ""),
        event=decode(current),
    )


def _upcast(stored: Json) -> Json:
    """The event in today's shape, one step after the other."""
    while (version := stored.get("v")) != VERSION:
        step = UPCASTS.get(version) if isinstance(version, int) else None
        if step is None:
            raise UnknownEvent(f"an event of version {version!r} is not known here")
        stored = step(stored)
    return stored


def _payload_to_json(event: Event, group_id: str) -> Json:
    """What an event of this kind carries beyond what all carry."""
    match event:
        case GroupCreated(settings=settings, member=member):
            return {"group": settings_to_json(settings), "member": member_to_json(member)}
        case GroupUpdated():
            return {"group": settings_to_json(event.after), "before": settings_to_json(event.before)}
        case MemberUpdated():
            return {"member": member_to_json(event.after), "before": member_to_json(event.before)}
        case MemberJoined(member=member) | MemberLeft(member=member) | MemberUnblocked(member=member):
            return {"member": member_to_json(member)}
        case ExpenseUpdated():
            return {
                "expense": expense_to_json(event.after, group_id),
                "before": expense_to_json(event.before, group_id),
            }
        case ExpenseCreated() | ExpenseDeleted() | ExpenseRestored():
            return {"expense": expense_to_json(event.expense, group_id)}
        case AttachmentAdded() | AttachmentRemoved():
            return {
                "expense": expense_to_json(event.expense, group_id),
                "attachment": attachment_to_json(event.attachment),
            }
        case _:
            return _subject_to_json(event, group_id)


def _subject_to_json(
    event: SettlementEvent | LoanEvent | TalkEvent | ArrangementEvent, group_id: str
) -> Json:
    """What an event carries that is about one thing and nothing else."""
    match event:
        case CommentAdded(comment=comment) | CommentDeleted(comment=comment):
            return {"comment": comment_to_json(comment, group_id)}
        case LoanUpdated():
            return {
                "loan": loan_to_json(event.after, group_id),
                "before": loan_to_json(event.before, group_id),
            }
        case LoanCreated(loan=loan) | LoanDeleted(loan=loan) | LoanRestored(loan=loan):
            return {"loan": loan_to_json(loan, group_id)}
        case SettlementCompleted(settlement=settlement, loan=loan) if loan is not None:
            return {
                "settlement": settlement_to_json(settlement, group_id),
                "loan": loan_to_json(loan, group_id),
            }
        case ReminderSent(reminder=reminder):
            return {"reminder": reminder_to_json(reminder, group_id)}
        case PresetSaved() | PresetDeleted():
            return {"preset": preset_to_json(event.preset, group_id)}
        case RecurrenceSaved() | RecurrenceStopped():
            return {"recurrence": recurrence_to_json(event.recurrence, group_id)}
        case _:
            return {"settlement": settlement_to_json(event.settlement, group_id)}


_DECODERS: Final[Mapping[str, Callable[[Json], Event]]] = {
    "group:created": lambda e: GroupCreated(settings_from_json(e["group"]), member_from_json(e["member"])),
    "group:updated": lambda e: GroupUpdated(settings_from_json(e["before"]), settings_from_json(e["group"])),
    "member:joined": lambda e: MemberJoined(member_from_json(e["member"])),
    "member:updated": lambda e: MemberUpdated(member_from_json(e["before"]), member_from_json(e["member"])),
    "member:left": lambda e: MemberLeft(member_from_json(e["member"])),
    "member:unblocked": lambda e: MemberUnblocked(member_from_json(e["member"])),
    "expense:created": lambda e: ExpenseCreated(expense_from_json(e["expense"])),
    "expense:updated": lambda e: ExpenseUpdated(
        expense_from_json(e["before"]), expense_from_json(e["expense"])
    ),
    "expense:deleted": lambda e: ExpenseDeleted(expense_from_json(e["expense"])),
    "expense:restored": lambda e: ExpenseRestored(expense_from_json(e["expense"])),
    "attachment:added": lambda e: AttachmentAdded(
        expense_from_json(e["expense"]), attachment_from_json(e["attachment"])
    ),
    "attachment:removed": lambda e: AttachmentRemoved(
        expense_from_json(e["expense"]), attachment_from_json(e["attachment"])
    ),
    "settlement:created": lambda e: SettlementCreated(settlement_from_json(e["settlement"])),
    "settlement:completed": lambda e: SettlementCompleted(
        settlement_from_json(e["settlement"]), loan_from_json(e["loan"]) if "loan" in e else None
    ),
    "settlement:declined": lambda e: SettlementDeclined(settlement_from_json(e["settlement"])),
    "settlement:cancelled": lambda e: SettlementCancelled(settlement_from_json(e["settlement"])),
    "loan:created": lambda e: LoanCreated(loan_from_json(e["loan"])),
    "loan:updated": lambda e: LoanUpdated(loan_from_json(e["before"]), loan_from_json(e["loan"])),
    "loan:deleted": lambda e: LoanDeleted(loan_from_json(e["loan"])),
    "loan:restored": lambda e: LoanRestored(loan_from_json(e["loan"])),
    "comment:added": lambda e: CommentAdded(comment_from_json(e["comment"])),
    "comment:deleted": lambda e: CommentDeleted(comment_from_json(e["comment"])),
    "reminder:sent": lambda e: ReminderSent(reminder_from_json(e["reminder"])),
    "preset:saved": lambda e: PresetSaved(preset_from_json(e["preset"])),
    "preset:deleted": lambda e: PresetDeleted(preset_from_json(e["preset"])),
    "recurrence:saved": lambda e: RecurrenceSaved(recurrence_from_json(e["recurrence"])),
    "recurrence:stopped": lambda e: RecurrenceStopped(recurrence_from_json(e["recurrence"])),
}


def settings_to_json(settings: GroupSettings) -> Json:
    """A group's settings; `timeZone` is left out where it is UTC, and `kind` where it is GROUP, as they once were."""
    told: Json = {
        "name": settings.name,
        "description": settings.description,
        "currency": settings.currency,
        "simplify": settings.simplify,
        "hasPassword": settings.has_password,
        "archivedAt": settings.archived_at,
        "seq": settings.seq,
    }
    if settings.time_zone != UTC_ZONE:
        told["timeZone"] = settings.time_zone
    if settings.kind is not GroupKind.GROUP:
        told["kind"] = settings.kind.value
    return told


def settings_from_json(stored: Json) -> GroupSettings:
    """What `settings_to_json` made."""
    return GroupSettings(
        name=stored["name"],
        description=stored["description"],
        currency=stored["currency"],
        simplify=stored["simplify"],
        has_password=stored["hasPassword"],
        archived_at=stored["archivedAt"],
        seq=stored["seq"],
        time_zone=stored.get("timeZone", UTC_ZONE),
        kind=GroupKind(stored["kind"]) if "kind" in stored else GroupKind.GROUP,
    )


def member_to_json(member: Member) -> Json:
    """A member, whether in the group or gone; `weight` is left out where it is 1."""
    told: Json = {
        "userId": member.user_id,
        "name": member.name,
        "role": member.role.value,
        "placeholder": member.placeholder,
        "joinedAt": member.joined_at,
        "leftAt": member.left_at,
        "claimed": member.claimed,
        "unit": member.unit,
        "blocked": member.blocked,
    }
    if member.weight != VALUE_SCALE:
        told["weight"] = unscaled(member.weight)
    return told


def member_from_json(stored: Json) -> Member:
    """What `member_to_json` made."""
    return Member(
        user_id=stored["userId"],
        name=stored["name"],
        role=Role(stored["role"]),
        placeholder=stored["placeholder"],
        joined_at=stored["joinedAt"],
        left_at=stored["leftAt"],
        claimed=stored["claimed"],
        # Members from before there were units and blocking have neither.
        unit=stored.get("unit"),
        blocked=stored.get("blocked", False),
        weight=round(stored.get("weight", 1) * VALUE_SCALE),
    )


def expense_to_json(expense: Expense, group_id: str) -> Json:
    """An expense with its shares. `paidBy` is a user id where one person paid, else a list of postings.

    The `value` of a split is in minor units, or for PERCENTAGE and SHARES the number that was asked for
    (33.3333), which is exact both ways. `kind`, `original`, `recurrenceId` and `attachments` are left out where
    they say nothing, as in events from before there were any.
    """
    told: Json = {
        "id": expense.id,
        "groupId": group_id,
        "seq": expense.seq,
        "description": expense.description,
        "amount": expense.amount,
        "paidBy": _paid_by_to_json(expense.payers),
        "splitType": expense.split_type.value,
        "participants": list(expense.participants),
        "splits": splits_to_json(expense.splits, expense.split_type),
        "items": _items_to_json(expense.items),
        "includePayer": expense.include_payer,
        "date": expense.date,
        "category": expense.category,
        "notes": expense.notes,
        "shares": _postings_to_json(expense.shares),
        "createdBy": expense.created_by,
        "createdAt": expense.created_at,
        "updatedAt": expense.updated_at,
        "deletedAt": expense.deleted_at,
    }
    if expense.attachments:
        told["attachments"] = [attachment_to_json(attachment) for attachment in expense.attachments]
    if expense.kind is not ExpenseKind.EXPENSE:
        told["kind"] = expense.kind.value
    if expense.recurrence_id is not None:
        told["recurrenceId"] = expense.recurrence_id
    if expense.original is not None:
        told["original"] = _original_to_json(expense.original, expense.split_type)
    return told


def expense_from_json(stored: Json) -> Expense:
    """What `expense_to_json` made."""
    split_type = SplitType(stored["splitType"])
    return Expense(
        id=stored["id"],
        seq=stored["seq"],
        description=stored["description"],
        amount=stored["amount"],
        payers=_paid_by_from_json(stored),
        split_type=split_type,
        participants=tuple(stored["participants"]),
        splits=splits_from_json(stored["splits"], split_type),
        items=_items_from_json(stored["items"]),
        include_payer=stored["includePayer"],
        date=stored["date"],
        category=stored["category"],
        notes=stored["notes"],
        shares=_postings_from_json(stored["shares"]),
        created_by=stored["createdBy"],
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
        deleted_at=stored["deletedAt"],
        attachments=tuple([attachment_from_json(one) for one in stored.get("attachments", ())]),
        kind=ExpenseKind(stored["kind"]) if "kind" in stored else ExpenseKind.EXPENSE,
        original=_original_from_json(stored["original"], split_type) if "original" in stored else None,
        recurrence_id=stored.get("recurrenceId"),
    )


def attachment_to_json(attachment: Attachment) -> Json:
    """What is attached to an expense."""
    return {
        "id": attachment.id,
        "type": attachment.type,
        "bytes": attachment.size,
        "width": attachment.width,
        "height": attachment.height,
        "name": attachment.name,
    }


def attachment_from_json(stored: Json) -> Attachment:
    """What `attachment_to_json` made."""
    return Attachment(
        id=stored["id"],
        type=stored["type"],
        size=stored["bytes"],
        width=stored["width"],
        height=stored["height"],
        name=stored["name"],
    )


def _original_to_json(typed: Original, split_type: SplitType) -> Json:
    return {
        "currency": typed.currency,
        "amount": typed.amount,
        "rate": typed.rate,
        "rateSource": typed.rate_source.value,
        "paidBy": _paid_by_to_json(typed.payers),
        "splits": splits_to_json(typed.splits, split_type),
        "items": _items_to_json(typed.items),
        "shares": _postings_to_json(typed.shares),
    }


def _original_from_json(stored: Json, split_type: SplitType) -> Original:
    return Original(
        currency=stored["currency"],
        amount=stored["amount"],
        rate=stored["rate"],
        rate_source=RateSource(stored["rateSource"]),
        payers=_paid_by_from_json(stored),
        splits=splits_from_json(stored["splits"], split_type),
        items=_items_from_json(stored["items"]),
        shares=_postings_from_json(stored["shares"]),
    )


def settlement_to_json(settlement: Settlement, group_id: str) -> Json:
    """A settlement as it stands; `loanId`, `paidOn` and `repayment` are left out where it has nothing to do with a loan."""
    told: Json = {
        "id": settlement.id,
        "groupId": group_id,
        "seq": settlement.seq,
        "fromUserId": settlement.from_id,
        "toUserId": settlement.to_id,
        "amount": settlement.amount,
        "note": settlement.note,
        "utr": settlement.utr,
        "status": settlement.status.value,
        "createdBy": settlement.created_by,
        "createdAt": settlement.created_at,
        "updatedAt": settlement.updated_at,
    }
    if settlement.loan_id is not None:
        told |= {"loanId": settlement.loan_id, "paidOn": settlement.paid_on}
    if settlement.repayment is not None:
        told["repayment"] = repayment_to_json(settlement.repayment)
    return told


def settlement_from_json(stored: Json) -> Settlement:
    """What `settlement_to_json` made."""
    return Settlement(
        id=stored["id"],
        seq=stored["seq"],
        from_id=stored["fromUserId"],
        to_id=stored["toUserId"],
        amount=stored["amount"],
        note=stored["note"],
        utr=stored["utr"],
        status=SettlementStatus(stored["status"]),
        created_by=stored["createdBy"],
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
        loan_id=stored.get("loanId"),
        paid_on=stored.get("paidOn"),
        repayment=repayment_from_json(stored["repayment"]) if "repayment" in stored else None,
    )


def comment_to_json(comment: Comment, group_id: str) -> Json:
    """A comment as it stands."""
    return {
        "id": comment.id,
        "groupId": group_id,
        "expenseId": comment.expense_id,
        "seq": comment.seq,
        "text": comment.text,
        "createdBy": comment.created_by,
        "createdAt": comment.created_at,
        "deletedAt": comment.deleted_at,
    }


def comment_from_json(stored: Json) -> Comment:
    """What `comment_to_json` made."""
    return Comment(
        id=stored["id"],
        expense_id=stored["expenseId"],
        seq=stored["seq"],
        text=stored["text"],
        created_by=stored["createdBy"],
        created_at=stored["createdAt"],
        deleted_at=stored["deletedAt"],
    )


def reminder_to_json(reminder: Reminder, group_id: str) -> Json:
    """A reminder."""
    return {
        "groupId": group_id,
        "seq": reminder.seq,
        "fromUserId": reminder.from_id,
        "toUserId": reminder.to_id,
        "amount": reminder.amount,
        "createdAt": reminder.created_at,
    }


def reminder_from_json(stored: Json) -> Reminder:
    """What `reminder_to_json` made."""
    return Reminder(
        seq=stored["seq"],
        from_id=stored["fromUserId"],
        to_id=stored["toUserId"],
        amount=stored["amount"],
        created_at=stored["createdAt"],
    )


def _postings_to_json(postings: tuple[Posting, ...]) -> list[Json]:
    return [{"userId": posting.user_id, "amount": posting.amount} for posting in postings]


def _postings_from_json(stored: list[Json]) -> tuple[Posting, ...]:
    # A list inside: it is built faster than a generator is run.
    return tuple([Posting(posting["userId"], posting["amount"]) for posting in stored])


def _paid_by_to_json(payers: tuple[Posting, ...]) -> str | list[Json]:
    return payers[0].user_id if len(payers) == 1 else _postings_to_json(payers)


def _paid_by_from_json(stored: Json) -> tuple[Posting, ...]:
    paid_by = stored["paidBy"]
    if isinstance(paid_by, str):
        return (Posting(paid_by, stored["amount"]),)
    return _postings_from_json(paid_by)


def _items_to_json(items: tuple[Item, ...]) -> list[Json]:
    return [
        {"name": item.name, "amount": item.amount, "participants": list(item.participants)} for item in items
    ]


def _items_from_json(stored: list[Json]) -> tuple[Item, ...]:
    return tuple([Item(item["name"], item["amount"], tuple(item["participants"])) for item in stored])
