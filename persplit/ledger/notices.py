"""What of a ledger somebody is to be told who isn't looking: ids only, no names and no amounts. Pure."""

from dataclasses import dataclass

from persplit.ledger.codec import TYPES
from persplit.ledger.events import (
    LoanCreated,
    MemberJoined,
    RecordedEvent,
    ReminderSent,
    SettlementCreated,
    subject_of,
)


@dataclass(frozen=True, slots=True)
class Notice:
    """An event, as far as it leaves the server by itself: whoever is told asks for the rest, signed in.

    `id` is the same whenever the same thing is told once more to the same channel.
    """

    id: str
    type: str
    group_id: str
    seq: int
    at: str
    by: str
    subject_id: str


def notice_of(recorded: RecordedEvent, channel_id: str) -> Notice:
    """What a channel is told of the event."""
    return Notice(
        id=f"{channel_id}.{recorded.group_id}.{recorded.seq}",
        type=TYPES[type(recorded.event)],
        group_id=recorded.group_id,
        seq=recorded.seq,
        at=recorded.at,
        by=recorded.by,
        subject_id=subject_of(recorded.event)[1],
    )


def asks_for(recorded: RecordedEvent, user_id: str) -> bool:
    """Whether the event wants something of the person, and is somebody else's doing.

    That is: to pay, to say whether a payment arrived, or to know that they were taken into a group, or into a loan.
    """
    if recorded.by == user_id:
        return False
    match recorded.event:
        case ReminderSent(reminder=reminder):
            return reminder.to_id == user_id
        case SettlementCreated(settlement=settlement):
            return settlement.to_id == user_id
        case MemberJoined(member=member):
            return member.user_id == user_id
        case LoanCreated(loan=loan):
            return loan.is_between(user_id)
        case _:
            return False
