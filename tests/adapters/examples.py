"""Events to fill a store with."""

from persplit.ledger.events import (
    Event,
    ExpenseCreated,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    SettlementCompleted,
    SettlementCreated,
)
from persplit.ledger.expense import Expense, Posting, SplitType
from persplit.ledger.group import GroupSettings, Member, Role
from persplit.ledger.settlement import Settlement, SettlementStatus
from persplit.service.ports import EventStore, NewEvent

NOW = "2026-11-21T08:00:00.000Z"


def instant(seconds: int) -> str:
    """So many seconds after eight; under an hour."""
    return f"2026-11-21T08:{seconds // 60:02d}:{seconds % 60:02d}.000Z"


def member(user_id: str, left_at: str | None = None) -> Member:
    return Member(user_id, user_id.title(), Role.MEMBER, placeholder=False, joined_at=NOW, left_at=left_at)


def settings(name: str = "Goa") -> GroupSettings:
    return GroupSettings(name, None, "INR", simplify=True, has_password=False, archived_at=None, seq=1)


def expense(id_: str, seq: int = 1, amount: int = 90_000, description: str = "Dinner") -> Expense:
    return Expense(
        id=id_,
        seq=seq,
        description=description,
        amount=amount,
        payers=(Posting("asha", amount),),
        split_type=SplitType.EQUAL,
        participants=("asha",),
        splits=(),
        items=(),
        include_payer=True,
        date="2026-11-21",
        category=None,
        notes=None,
        shares=(Posting("asha", amount),),
        created_by="asha",
        created_at=NOW,
        updated_at=NOW,
    )


def settlement(id_: str, status: SettlementStatus = SettlementStatus.PENDING) -> Settlement:
    return Settlement(id_, 1, "ravi", "asha", 30_000, None, None, status, "ravi", NOW, NOW)


def founded(by: str = "asha") -> GroupCreated:
    return GroupCreated(settings(), member(by))


def renamed(name: str) -> GroupUpdated:
    return GroupUpdated(settings(), settings(name))


def joined(user_id: str) -> MemberJoined:
    return MemberJoined(member(user_id))


def left(user_id: str) -> MemberLeft:
    return MemberLeft(member(user_id, left_at=NOW))


def added(id_: str, amount: int = 90_000, description: str = "Dinner") -> ExpenseCreated:
    return ExpenseCreated(expense(id_, amount=amount, description=description))


def changed(id_: str, amount: int) -> ExpenseUpdated:
    return ExpenseUpdated(expense(id_), expense(id_, amount=amount))


def paid(id_: str) -> SettlementCreated:
    return SettlementCreated(settlement(id_))


def confirmed(id_: str) -> SettlementCompleted:
    return SettlementCompleted(settlement(id_, SettlementStatus.COMPLETED))


def new(
    seq: int,
    event: Event | None = None,
    *,
    group_id: str = "goa",
    command_id: str = "",
    at: str = "",
    content_hash: str = "5eed",
) -> NewEvent:
    """An event for the place `seq`, made a second after the one before, by a command of its own."""
    return NewEvent(
        group_id=group_id,
        seq=seq,
        at=at or instant(seq),
        by="asha",
        command_id=command_id or f"command-{seq}",
        content_hash=content_hash,
        event=event or added(f"expense-{seq}"),
    )


async def fill(events: EventStore, *happened: Event, group_id: str = "goa") -> None:
    """Append these to an empty group."""
    for seq, event in enumerate(happened, start=1):
        await events.append(new(seq, event, group_id=group_id))


async def seqs(events: EventStore, group_id: str = "goa") -> list[int]:
    """The seqs that the group has, as read."""
    return [recorded.seq for recorded in await events.read(group_id, 0, 1_000)]
