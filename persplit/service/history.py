"""Reading a group: its expenses, settlements and events, and how it stood at any moment."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from persplit.ledger.codec import event_to_json, expense_to_json, settlement_to_json
from persplit.ledger.comment import Comment
from persplit.ledger.errors import FieldError, Invalid, NotFound
from persplit.ledger.events import Noun, RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.explain import DebtTrace, ExplainedDebt
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState
from persplit.service.groups import Groups
from persplit.service.ports import READ_LIMIT_MAX, EventStore, GroupErased
from persplit.service.standing import Payment, Standing
from persplit.service.subjects import thing_of, thread_of

PAGE_MAX: Final = 200
PAGE_BYTES_MAX: Final = 512 * 1024
"""Of a page of events, as JSON: what a slow phone takes in some seconds. An edited bill of two hundred lines for
everybody alone may have as much, two hundred everyday expenses half of it."""
EVENTS_READ_AT_ONCE: Final = 50
"""Events of a page that are read before it is looked at how large they are: some 25 MB where each is as large as can be."""
EXPLAIN_PAGE: Final = 250
"""Events folded between two turns of the event loop: a few milliseconds."""
SNAPSHOT_THINGS_MAX: Final = 1_000
"""Expenses and settlements that one sync snapshot holds at most; a longer history goes out as events, in pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """Things newest first; `next_before` is the seq to go on from, None on the last page."""

    things: tuple[Expense | Settlement, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A row of the plan (None if there is no such row now) and the debts behind its two people."""

    standing: Standing
    row: Payment | None
    debts: tuple[ExplainedDebt, ...]


@dataclass(frozen=True, slots=True)
class GroupSnapshot:
    """A whole group for a client that is far behind: the standing, and every thing in its present version."""

    standing: Standing
    things: tuple[Expense | Settlement, ...]


@dataclass(frozen=True, slots=True)
class Tail:
    """Events after the asked seq; `more` if there are others up to `seq`, the group's head.

    A `seq` below the asked one tells a client that it is ahead of the ledger, and has to begin anew from 0.
    """

    events: tuple[RecordedEvent, ...]
    seq: int
    more: bool


class History:
    """Reads for members; every method raises `NotFound` for anybody else."""

    def __init__(self, store: EventStore, groups: Groups) -> None:
        self._store = store
        self._groups = groups

    async def thing(self, group_id: str, user_id: str, noun: Noun, id_: str) -> Expense | Settlement:
        """The present version of an expense (deleted ones too) or settlement."""
        await self._groups.state_for(group_id, user_id, for_sure=True)
        found = await self._store.latest(group_id, noun, [id_])
        thing = thing_of(found[id_].event) if id_ in found else None
        if thing is None:
            raise NotFound(f"there is no such {noun} in this group")
        return thing

    async def comments(self, group_id: str, user_id: str, expense_id: str) -> Sequence[Comment]:
        """What was said about an expense and stands, oldest first."""
        await self._groups.state_for(group_id, user_id, for_sure=True)
        thread = await thread_of(self._store, group_id, expense_id)
        if thread.expense is None:
            raise NotFound("there is no such expense in this group")
        return thread.standing()

    async def page(
        self,
        group_id: str,
        user_id: str,
        noun: Noun,
        before: int | None,
        limit: int,
        *,
        with_deleted: bool = False,
    ) -> Page:
        """At most `limit` expenses or settlements in order of creation, newest first."""
        state = await self._groups.state_for(group_id, user_id, for_sure=True)
        if before is None:
            before = state.seq + 1
        return await self._page(state.group_id, noun, before, limit, with_deleted=with_deleted)

    async def _page(self, group_id: str, noun: Noun, before: int, limit: int, *, with_deleted: bool) -> Page:
        things: list[Expense | Settlement] = []
        wanted = limit + 1  # one more shows whether there is another page
        while True:
            created = await self._store.read_creations(group_id, noun, before, wanted)
            for seq, thing in await self._present(group_id, noun, created):
                if with_deleted or not (isinstance(thing, Expense) and thing.deleted_at):
                    if len(things) == limit:
                        return Page(tuple(things), before)
                    things.append(thing)
                before = seq
            if len(created) < wanted:
                return Page(tuple(things), None)
            # Where most are deleted, a small page mustn't take them one by one.
            wanted = max(wanted, PAGE_MAX)

    async def _present(
        self, group_id: str, noun: Noun, created: Sequence[RecordedEvent]
    ) -> list[tuple[int, Expense | Settlement]]:
        """What was created, as it is now, with the seq of its creation."""
        seqs = {thing.id: event.seq for event in created if (thing := thing_of(event.event))}
        latest = await self._store.latest(group_id, noun, list(seqs))
        return [
            (seq, thing)
            for id_, seq in seqs.items()
            if id_ in latest and (thing := thing_of(latest[id_].event))
        ]

    async def events(self, group_id: str, user_id: str, after: int, limit: int) -> Tail:
        """The ledger itself, in order: at most `limit` events, fewer where they are large."""
        state = await self._groups.state_for(group_id, user_id, for_sure=True)
        events = await self._page_of_events(group_id, after, limit)
        head = max(state.seq, events[-1].seq if events else 0)
        return Tail(events, head, more=bool(events) and events[-1].seq < head)

    async def _page_of_events(self, group_id: str, after: int, limit: int) -> tuple[RecordedEvent, ...]:
        """At most `limit` of them, and no more than fit into `PAGE_BYTES_MAX`, but for the first."""
        page: list[RecordedEvent] = []
        bytes_left = PAGE_BYTES_MAX
        while len(page) < limit:
            wanted = min(EVENTS_READ_AT_ONCE, limit - len(page))
            events = await self._read(group_id, page[-1].seq if page else after, wanted)
            for event in events:
                bytes_left -= len(orjson.dumps(event_to_json(event)))
                if page and bytes_left < 0:
                    return tuple(page)
                page.append(event)
            if len(events) < wanted:
                break
        return tuple(page)

    async def _read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """Some of the ledger. A node that holds a group may not know yet that it was erased."""
        try:
            return await self._store.read(group_id, after, limit)
        except GroupErased:
            raise NotFound("there is no such group") from None

    async def snapshot(
        self, group_id: str, user_id: str, bytes_max: int | None = None
    ) -> GroupSnapshot | None:
        """The whole group as it is at one seq, whatever changes while it is read.

        None where its things have more than `bytes_max` as JSON.
        """
        before = await self._groups.state_for(group_id, user_id, for_sure=True)
        things_before = await self._things(before, bytes_max)
        if things_before is None:
            return None
        present = {thing.id: thing for thing in things_before}
        standing = await self._groups.standing_for(group_id, user_id, for_sure=True)
        # Some may have been read before they changed and others after: the events since bring all to the same seq.
        changed = await self._changed(before, standing.state)
        made = [changed.pop(id_) for id_ in list(changed) if id_ not in present]
        things = (*reversed(made), *(present | changed).values())
        return GroupSnapshot(standing, tuple(thing for thing in things if thing.seq <= standing.state.seq))

    async def _things(self, state: GroupState, bytes_max: int | None) -> list[Expense | Settlement] | None:
        """Everything that was there, in the present version; expenses first, newest first. None: it is too much."""
        size = 0
        things: list[Expense | Settlement] = []
        for noun in (Noun.EXPENSE, Noun.SETTLEMENT):
            before: int | None = state.seq + 1
            while before is not None:
                page = await self._page(state.group_id, noun, before, PAGE_MAX, with_deleted=True)
                things += page.things
                if bytes_max is not None:
                    size += sum(_size_of(thing, state.group_id) for thing in page.things)
                    if size > bytes_max:
                        return None
                before = page.next_before
        return things

    async def _changed(self, before: GroupState, now: GroupState) -> dict[str, Expense | Settlement]:
        """What was made or changed between the two states, as the later one has it, in order of its first change."""
        changed: dict[str, Expense | Settlement] = {}
        after = before.seq
        while after < now.seq:
            events = await self._read(now.group_id, after, min(READ_LIMIT_MAX, now.seq - after))
            if not events:
                break
            changed |= {thing.id: thing for event in events if (thing := thing_of(event.event))}
            after = events[-1].seq
        return changed

    async def standing(
        self, group_id: str, user_id: str, *, at: str | None = None, seq: int | None = None
    ) -> Standing:
        """Where the group stands, or stood after event `seq`, or at the instant `at` (RFC 3339 UTC)."""
        if at is not None and seq is not None:
            raise Invalid(FieldError("seq", "give either at or seq"))
        if at is not None:
            await self._groups.state_for(group_id, user_id, for_sure=True)
            seq = await self._store.seq_at(group_id, at)
        if seq is None:
            return await self._groups.standing_for(group_id, user_id)
        return await self._groups.standing_then(group_id, user_id, seq)

    async def explain(self, group_id: str, user_id: str, from_id: str, to_id: str) -> Explanation:
        """Why the plan lets the one pay the other. Reads the whole ledger, a page at a time."""
        standing = await self._groups.standing_for(group_id, user_id, for_sure=True)
        for path, person in (("from", from_id), ("to", to_id)):
            if person not in standing.state.members:
                raise Invalid(FieldError(path, "not a member of the group"))
        from_id, to_id = standing.state.canonical(from_id), standing.state.canonical(to_id)
        trace = DebtTrace(standing.state.unit_of(from_id) | standing.state.unit_of(to_id))
        after = 0
        while after < standing.state.seq:
            events = await self._read(group_id, after, min(EXPLAIN_PAGE, standing.state.seq - after))
            if not events:
                break
            trace.feed(events)
            after = events[-1].seq
            await asyncio.sleep(0)
        rows = (p for p in standing.plan if (p.transfer.from_id, p.transfer.to_id) == (from_id, to_id))
        return Explanation(standing, next(rows, None), tuple(trace.debts()))


def _size_of(thing: Expense | Settlement, group_id: str) -> int:
    """Bytes as JSON."""
    encode = expense_to_json if isinstance(thing, Expense) else settlement_to_json
    return len(orjson.dumps(encode(thing, group_id)))  # type: ignore[arg-type] # of its own kind, see above
