"""The server broken on purpose: `python -m tests.torture.mutant NAME serve …`.

Each mutant breaks one promise in the way in which a mistake of ours could. The runs of this package must catch every
one of them; else they prove nothing.
"""

import asyncio
import itertools
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from persplit.adapters import sqlite_database, sqlite_schema
from persplit.adapters.recording import record_of
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.cli import main
from persplit.ledger.commands import UpdateExpense
from persplit.ledger.errors import Conflict
from persplit.ledger.events import ExpenseCreated, RecordedEvent
from persplit.ledger.expense import Posting
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.service import snapshots
from persplit.service.groups import Groups, LiveGroup
from persplit.service.handler import Handler
from persplit.service.history import History, Tail
from persplit.service.ports import CommandKnown, EventStore, NewEvent
from persplit.service.standing import Standing
from persplit.transport import expense_operations, views
from persplit.transport.fanout import SocketFanOut
from tests.torture.checker import Anomaly

EVERY: Final = 7
"""What goes wrong now and then goes wrong this often: a short run is to see it."""
SNAPSHOT_EVERY: Final = 20
"""Events between two snapshots, where a run is to see many."""
LATE_SECONDS: Final = 0.03
"""How late a write is that should have been first: long enough for a kill to come in between."""


class Run(StrEnum):
    """What it takes to notice."""

    ALONE = "one server"
    KILLED = "one server, killed while clients write"
    NODES = "two nodes over one store, without hints"


@dataclass(frozen=True, slots=True)
class Mutant:
    """How to break the server, and as which (one of them at least) the checker must find it, whatever else follows."""

    break_it: Callable[[], None]
    caught_as: frozenset[Anomaly]
    run: Run = Run.ALONE


MUTANTS: Final[dict[str, Mutant]] = {}


def _mutant(*caught_as: Anomaly, run: Run = Run.ALONE) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(break_it: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[break_it.__name__] = Mutant(break_it, frozenset(caught_as), run)
        return break_it

    return register


def _now_and_then() -> Callable[[], bool]:
    """True once in a while, at the same calls every time."""
    numbers = itertools.count(1)
    return lambda: next(numbers) % EVERY == 0


# --- writing


@_mutant(Anomaly.LOST_ACK, run=Run.KILLED)
def acknowledges_before_the_commit() -> None:
    """The answer goes out while the write still waits."""
    real, in_order, writing = SqliteEvents.append, asyncio.Lock(), set[asyncio.Task[None]]()

    async def late(store: SqliteEvents, new: NewEvent) -> None:
        await asyncio.sleep(LATE_SECONDS)
        async with in_order:
            await real(store, new)

    async def append(store: SqliteEvents, new: NewEvent) -> RecordedEvent:
        task = asyncio.create_task(late(store, new))
        writing.add(task)
        return record_of(new)

    _put(SqliteEvents, "append", append)


@_mutant(Anomaly.PHANTOM_BROADCAST, run=Run.KILLED)
def announces_before_the_commit() -> None:
    """Everybody hears of it while the write still waits; the answer comes after it."""
    begin, announce, announced = Handler.__init__, SocketFanOut.announce, set[RecordedEvent]()

    def init(handler: Handler, store: EventStore, groups: Groups, *others: Any) -> None:
        begin(handler, store, groups, *others)
        real = store.append

        async def append(new: NewEvent) -> RecordedEvent:
            recorded = record_of(new)
            state = apply(groups._held[new.group_id].state, recorded)
            standing = await groups._standings.of(state, plan_of(state))
            await groups._fan_out.follow_membership(recorded)
            await groups._fan_out.announce(recorded, standing)
            await asyncio.sleep(LATE_SECONDS)
            return await real(new)

        _put(store, "append", append)

    async def once(fan_out: SocketFanOut, recorded: RecordedEvent, standing: Standing) -> None:
        if recorded not in announced:
            announced.add(recorded)
            await announce(fan_out, recorded, standing)

    _put(Handler, "__init__", init)
    _put(SocketFanOut, "announce", once)


@_mutant(Anomaly.UNSENT)
def applies_a_retry_twice() -> None:
    """A retry is written again, under a key made up for it."""
    real = SqliteEvents.append

    async def append(store: SqliteEvents, new: NewEvent) -> RecordedEvent:
        try:
            return await real(store, new)
        except CommandKnown:
            return await real(store, replace(new, command_id=str(uuid.uuid4())))

    _put(SqliteEvents, "append", append)


@_mutant(Anomaly.COMMAND_TWICE)
def has_no_unique_key_of_commands() -> None:
    """The table lets two events of one command in."""
    unique = ",\n        UNIQUE (group_id, command_id)"
    first = tuple(statement.replace(unique, "") for statement in sqlite_schema._FIRST)
    assert first != sqlite_schema._FIRST, "the schema has changed: change this with it"
    steps = (sqlite_schema.statements("the first tables", *first), *sqlite_schema.STEPS[1:])
    _put(sqlite_database, "STEPS", steps)


@_mutant(Anomaly.GHOST)
def refuses_what_it_has_written() -> None:
    """Now and then a conflict is found when it is too late."""
    real, is_turn = SqliteEvents.append, _now_and_then()

    async def append(store: SqliteEvents, new: NewEvent) -> RecordedEvent:
        recorded = await real(store, new)
        if is_turn():
            raise Conflict("somebody was first")
        return recorded

    _put(SqliteEvents, "append", append)


@_mutant(Anomaly.INVALID_EVENT)
def loses_a_paisa_of_the_shares() -> None:
    """Now and then the shares don't sum to the amount."""
    real, is_turn = SqliteEvents.append, _now_and_then()

    async def append(store: SqliteEvents, new: NewEvent) -> RecordedEvent:
        if isinstance(new.event, ExpenseCreated) and is_turn():
            expense = new.event.expense
            first, *others = expense.shares
            shares = (Posting(first.user_id, first.amount + 1), *others)
            new = replace(new, event=ExpenseCreated(replace(expense, shares=shares)))
        return await real(store, new)

    _put(SqliteEvents, "append", append)


@_mutant(Anomaly.LOST_UPDATE)
def ignores_what_version_was_seen() -> None:
    """An edit of an old version overwrites the newer one."""
    _put(expense_operations, "UpdateExpense", lambda id_, draft, _: UpdateExpense(id_, draft, None))


@_mutant(Anomaly.WRONG_SEQ)
def acknowledges_another_seq() -> None:
    """Now and then the answer is one off."""
    real, is_turn = expense_operations._written, _now_and_then()

    async def written(*arguments: Any, **options: Any) -> views.Json:
        answer = await real(*arguments, **options)
        return {**answer, "seq": answer["seq"] + is_turn()}

    _put(expense_operations, "_written", written)


# --- reading


@_mutant(Anomaly.READ_NOT_PREFIX)
def catches_up_from_one_too_far() -> None:
    """Clients that catch up miss the first event."""
    real = History.events

    async def events(history: History, group_id: str, user_id: str, after: int, limit: int) -> Tail:
        return await real(history, group_id, user_id, after + 1, limit)

    _put(History, "events", events)


@_mutant(Anomaly.MISSED_BROADCAST, run=Run.NODES)
def follows_from_one_too_far() -> None:
    """A node that catches up with several events of another misses the first."""
    real = Groups.advance_all

    async def advance_all(groups: Groups, live: LiveGroup, events: Sequence[RecordedEvent]) -> None:
        await real(groups, live, events[1:] if len(events) > 1 else events)

    _put(Groups, "advance_all", advance_all)


@_mutant(Anomaly.STALE_READ, Anomaly.READ_WENT_BACK, Anomaly.MISSED_OWN_WRITE, run=Run.NODES)
def reads_what_it_remembers() -> None:
    """A node doesn't look whether another has written since."""
    real = Groups._readable

    async def readable(groups: Groups, group_id: str, live: LiveGroup, user_id: str) -> GroupState:
        if live.state is not None and live.state.is_member(user_id):
            return live.state
        return await real(groups, group_id, live, user_id)

    _put(Groups, "_readable", readable)


# --- telling


@_mutant(Anomaly.MISSED_BROADCAST)
def drops_an_announcement() -> None:
    """Now and then nobody hears of an event."""
    real, is_turn = SocketFanOut.announce, _now_and_then()

    async def announce(fan_out: SocketFanOut, recorded: RecordedEvent, standing: Standing) -> None:
        if not is_turn():
            await real(fan_out, recorded, standing)

    _put(SocketFanOut, "announce", announce)


@_mutant(Anomaly.REPEATED_BROADCAST)
def announces_twice() -> None:
    """Now and then everybody hears an event again."""
    real, is_turn = SocketFanOut.announce, _now_and_then()

    async def announce(fan_out: SocketFanOut, recorded: RecordedEvent, standing: Standing) -> None:
        await real(fan_out, recorded, standing)
        if is_turn():
            await real(fan_out, recorded, standing)

    _put(SocketFanOut, "announce", announce)


@_mutant(Anomaly.BROADCAST_ORDER)
def announces_out_of_order() -> None:
    """Now and then an event is announced after the next."""
    real, is_turn = SocketFanOut.announce, _now_and_then()
    held: dict[str, tuple[RecordedEvent, Standing]] = {}

    async def announce(fan_out: SocketFanOut, recorded: RecordedEvent, standing: Standing) -> None:
        if recorded.group_id not in held and is_turn():
            held[recorded.group_id] = (recorded, standing)
            return
        await real(fan_out, recorded, standing)
        if recorded.group_id in held:
            await real(fan_out, *held.pop(recorded.group_id))

    _put(SocketFanOut, "announce", announce)


@_mutant(Anomaly.WRONG_BALANCES)
def announces_the_balances_before() -> None:
    """Everybody hears an event with the balances that it has just changed."""
    real, before = SocketFanOut.announce, dict[str, Standing]()

    async def announce(fan_out: SocketFanOut, recorded: RecordedEvent, standing: Standing) -> None:
        await real(fan_out, recorded, before.get(recorded.group_id, standing))
        before[recorded.group_id] = standing

    _put(SocketFanOut, "announce", announce)


@_mutant(Anomaly.UNBALANCED)
def loses_a_paisa_of_the_balances() -> None:
    """Now and then the balances that are shown don't sum to zero."""
    real, is_turn = views.balances, _now_and_then()

    def balances(standing: Standing) -> list[views.Json]:
        first, *others = real(standing)
        return [{**first, "amount": first["amount"] + is_turn()}, *others]

    _put(views, "balances", balances)


@_mutant(Anomaly.OVERHEARD)
def goes_on_telling_who_has_left() -> None:
    """Who leaves a group hears it for as long as they are connected."""

    async def unlisten(fan_out: SocketFanOut, sid: str, group_id: str) -> None:
        pass

    _put(SocketFanOut, "unlisten", unlisten)


def _put(where: object, name: str, what: object) -> None:
    setattr(where, name, what)


def saves_snapshots_often() -> None:
    """Not broken: only so that a short history has many snapshots, and kills come while they are saved."""
    _put(snapshots, "SNAPSHOT_EVERY", SNAPSHOT_EVERY)


def serve(changes: str) -> None:
    """The command line of the server, changed by these words; none leave it as it is."""
    for name in changes.split():
        if name in MUTANTS:
            MUTANTS[name].break_it()
        else:
            HARMLESS[name]()
    main()


HARMLESS: Final[dict[str, Callable[[], None]]] = {saves_snapshots_often.__name__: saves_snapshots_often}

if __name__ == "__main__":
    serve(sys.argv.pop(1))
