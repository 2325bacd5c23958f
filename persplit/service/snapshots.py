"""Snapshots: a shortcut past old events, never trusted further than its checksum."""

import hashlib
from collections.abc import Iterable
from typing import Final

import orjson
import structlog

from persplit.ledger.events import RecordedEvent
from persplit.ledger.snapshot import STATE_VERSION, state_from_json, state_to_json
from persplit.ledger.state import GroupState, apply
from persplit.service.errors import StoreUnavailable
from persplit.service.metrics import SNAPSHOTS, SNAPSHOTS_PASSED_OVER
from persplit.service.ports import READ_LIMIT_MAX, EventStore, GroupErased, Snapshot

SNAPSHOT_EVERY: Final = 500
"""Events between two snapshots: at most this many are folded to see a group at any moment of its past."""

_log = structlog.get_logger(__name__)


def encode(state: GroupState) -> Snapshot:
    """The state as a snapshot: SHA-256 of the JSON, then the JSON."""
    body = orjson.dumps(state_to_json(state))
    return Snapshot(state.group_id, state.seq, STATE_VERSION, hashlib.sha256(body).digest() + body)


def is_intact(snapshot: Snapshot) -> bool:
    """Whether it is as it was saved."""
    checksum, body = snapshot.body[:32], snapshot.body[32:]
    return hashlib.sha256(body).digest() == checksum


def decode(snapshot: Snapshot) -> GroupState | None:
    """The state, or None where the snapshot is damaged or isn't what it says it is."""
    if not is_intact(snapshot):
        return None
    try:
        state = state_from_json(orjson.loads(snapshot.body[32:]))
        is_right = (state.group_id, state.seq) == (snapshot.group_id, snapshot.seq)
        return state if is_right and sum(state.balances.values()) == 0 else None
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


async def load(store: EventStore, group_id: str, up_to: int | None = None) -> GroupState | None:
    """The group at seq `up_to`, or as it is now: the nearest snapshot plus the events since.

    None where the group has no events, or was erased. Raises `StoreUnavailable`.
    """
    try:
        return await _load(store, group_id, up_to)
    except GroupErased:
        return None


async def _load(store: EventStore, group_id: str, up_to: int | None) -> GroupState | None:
    last = 2**62 if up_to is None else up_to
    state = await _from_snapshot(store, group_id, last)
    found_at = state.seq if state else 0
    while state is None or state.seq < last:
        after = state.seq if state else 0
        events = await store.read(group_id, after, min(READ_LIMIT_MAX, last - after))
        state = fold(state, events)
        if len(events) < READ_LIMIT_MAX:
            break
    # Only where snapshots are damaged, lost or of another version is there so much to fold: once is enough.
    if up_to is None and state is not None and state.seq - found_at >= SNAPSHOT_EVERY:
        await save(store, state)
    return state


def fold(state: GroupState | None, events: Iterable[RecordedEvent]) -> GroupState | None:
    """The state after the events."""
    for recorded in events:
        state = apply(state, recorded)
    return state


async def _from_snapshot(store: EventStore, group_id: str, up_to: int) -> GroupState | None:
    """The newest snapshot that is good; None where there is none."""
    while (snapshot := await store.load_snapshot(group_id, STATE_VERSION, up_to)) is not None:
        state = decode(snapshot)
        heads = await store.heads([group_id])
        if state is not None and state.seq <= heads.get(group_id, 0):
            return state
        SNAPSHOTS_PASSED_OVER.labels("damaged" if state is None else "ahead").inc()
        _log.warning("snapshot_passed_over", group_id=group_id, seq=snapshot.seq, is_damaged=state is None)
        up_to = snapshot.seq - 1
    return None


async def save(store: EventStore, state: GroupState) -> None:
    """Keep a snapshot of the state; that it can't be kept now is no harm."""
    try:
        await store.save_snapshot(encode(state))
    except StoreUnavailable:
        SNAPSHOTS.labels("failed").inc()
        _log.warning("snapshot_not_saved", group_id=state.group_id, seq=state.seq)
    else:
        SNAPSHOTS.labels("saved").inc()
