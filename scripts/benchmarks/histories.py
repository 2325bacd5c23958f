"""Long histories: equal expenses of a group's members in turn, as events ready to be put into a store."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from persplit.ledger.events import Event, ExpenseCreated, GroupCreated, MemberJoined, RecordedEvent
from persplit.ledger.expense import Expense, Posting, SplitType
from persplit.ledger.group import GroupSettings, Member, Role
from persplit.ledger.state import GroupState, apply
from persplit.service import snapshots
from persplit.service.ports import READ_LIMIT_MAX, EventStore

NOW: Final = "2026-11-21T08:00:00.000Z"


def created(name: str) -> GroupCreated:
    """A group of "user 0"."""
    settings = GroupSettings(name, None, "INR", simplify=True, has_password=False, archived_at=None, seq=1)
    return GroupCreated(settings, _member(0))


def _member(number: int) -> Member:
    return Member(f"user {number}", f"User {number}", Role.ADMIN, placeholder=False, joined_at=NOW)


def expense(seq: int, members: int) -> Expense:
    """The expense that event `seq` of a group of "user 0", "user 1" … adds."""
    return expense_of(seq, [f"user {number}" for number in range(members)])


def expense_of(seq: int, members: Sequence[str]) -> Expense:
    """The expense that event `seq` of a group with these members adds."""
    shares = tuple(Posting(user_id, 100 + seq % 50) for user_id in members)
    amount = sum(share.amount for share in shares)
    return Expense(
        id=f"expense {seq}",
        seq=seq,
        description="Dinner by the sea",
        amount=amount,
        payers=(Posting(members[seq % len(members)], amount),),
        split_type=SplitType.EQUAL,
        participants=tuple(members),
        splits=(),
        items=(),
        include_payer=True,
        date=NOW[:10],
        category=None,
        notes=None,
        shares=shares,
        created_by=members[0],
        created_at=NOW,
        updated_at=NOW,
    )


def history(group_id: str, members: int, count: int) -> Iterator[RecordedEvent]:
    """A group of so many, then expenses, `count` events in all."""
    joined: list[Event] = [created("Long"), *(MemberJoined(_member(number)) for number in range(1, members))]
    for seq in range(1, count + 1):
        event = joined[seq - 1] if seq <= members else ExpenseCreated(expense(seq, members))
        yield RecordedEvent(group_id, seq, NOW, "user 0", f"command {seq}", "5eed", event)


async def lengthen(store: EventStore, group_id: str, count: int) -> None:
    """Let a group that is in the store have `count` expenses more, and the snapshots that a server would have saved."""
    state = await snapshots.load(store, group_id)
    if state is None:
        raise ValueError("there is no such group")
    members, at, first = list(state.members), state.at, state.seq + 1
    batch: list[RecordedEvent] = []
    for seq in range(first, first + count):
        event = ExpenseCreated(expense_of(seq, members))
        batch.append(RecordedEvent(group_id, seq, at, members[0], f"command {seq}", "5eed", event))
        state = apply(state, batch[-1])
        if len(batch) == READ_LIMIT_MAX:
            await store.put(batch)
            batch = []
        await _snapshot(store, state)
    await store.put(batch)


async def _snapshot(store: EventStore, state: GroupState) -> None:
    if state.seq % snapshots.SNAPSHOT_EVERY == 0:
        await store.save_snapshot(snapshots.encode(state))


def copied(source: Path, target: Path) -> None:
    """Copy a data directory, and wait until the copy is on the disk.

    Else the first checkpoint of the server that is measured on it waits for all of the copy to be written, and every
    command behind it: a fifth of a second for 100,000 expenses, once, which no server that lives on its own files has.
    """
    shutil.copytree(source, target, copy_function=_copied_file)


def _copied_file(source: str, target: str) -> None:
    shutil.copy2(source, target)
    with Path(target).open("rb") as file:
        os.fsync(file.fileno())
