"""What every event store does alike: make the record, recognise a retry, bound a limit."""

from persplit.ledger.events import RecordedEvent
from persplit.service.ports import READ_LIMIT_MAX, CommandKnown, NewEvent


def record_of(new: NewEvent) -> RecordedEvent:
    """The record of `new`, for a store to return once it is durable and not before."""
    return RecordedEvent(
        group_id=new.group_id,
        seq=new.seq,
        at=new.at,
        by=new.by,
        command_id=new.command_id,
        content_hash=new.content_hash,
        event=new.event,
    )


def recognise(known: RecordedEvent, wished: RecordedEvent) -> RecordedEvent:
    """The outcome of an append whose command id is there: the same record is a retry of that very append.

    Raises:
        CommandKnown: another append made it.

    """
    if known == wished:
        return known
    raise CommandKnown(known)


def hole_before(new: NewEvent) -> ValueError:
    """The caller decided on a state that the store doesn't have: a fault of ours, not a lost race."""
    return ValueError(f"group {new.group_id} has no event {new.seq - 1} for {new.seq} to follow")


def beyond(prefix: str) -> str:
    """What is above every command id that begins with the prefix and below every other one that is above it."""
    return f"{prefix}\x7f"  # no command id has a character as high as that one


def bounded(limit: int) -> int:
    """How many to read when asked for `limit`."""
    return max(0, min(limit, READ_LIMIT_MAX))
