"""The one path of every command that changes a group."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from persplit.ledger.commands import (
    CancelSettlement,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    RestoreExpense,
    UpdateExpense,
)
from persplit.ledger.decide import Asked, decide
from persplit.ledger.errors import Conflict, LedgerError, NotFound, PerSplitError
from persplit.ledger.events import (
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    GroupEvent,
    Noun,
    RecordedEvent,
    SettlementEvent,
    subject_of,
)
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState
from persplit.service import snapshots
from persplit.service.errors import IdempotencyKeyReused, StoreUnavailable
from persplit.service.groups import Groups, LiveGroup
from persplit.service.metrics import APPEND_SECONDS, LEDGER_COMMANDS, child
from persplit.service.ports import (
    Clock,
    CommandKnown,
    EventStore,
    GroupErased,
    Hint,
    Hints,
    NewEvent,
    SeqTaken,
)

ATTEMPTS_MAX: Final = 8
"""Times that a command is decided anew after another node took its place in the ledger."""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command with who sent it and under which key.

    `content` is the canonical text of what was asked, to tell a retry from another use of the key. `is_new_id`:
    the id of what is created was just made by us, so nothing can stand under it.
    """

    actor_id: str
    group_id: str
    command_id: str
    content: str
    command: Command
    is_new_id: bool = False

    def content_hash(self) -> str:
        """128 bits over who asked for what: not a secret, only a comparison."""
        return hashlib.sha256(f"{self.actor_id}\0{self.content}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: its event, and the group after it.

    For one that is `replayed` it is the group now; for who isn't in it any more, as their command left it.
    """

    recorded: RecordedEvent
    state: GroupState
    replayed: bool


class Handler:
    """Takes commands, one at a time a group."""

    def __init__(self, store: EventStore, groups: Groups, hints: Hints, clock: Clock) -> None:
        self._store = store
        self._groups = groups
        self._hints = hints
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()

    async def handle(self, request: CommandRequest) -> Outcome:
        """Carry the command out: once, whatever the retries.

        It runs to its end even when the caller goes away, so that what was committed is also announced.

        Raises:
            LedgerError: the group's rules refuse it; nothing was written.
            IdempotencyKeyReused: the key was used for something else; nothing was written.
            StoreUnavailable: the outcome is unknown; retry with the same key.

        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        running = loop.create_task(self._answer(request, answer))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return await answer

    async def drain(self, seconds_max: float | None = None) -> None:
        """Wait for the commands under way, but no longer than that. Who stops waiting doesn't stop them."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds_max)

    async def _answer(self, request: CommandRequest, answer: "asyncio.Future[Outcome]") -> None:
        """Carry it out, count what came of it, and tell the caller if they are still there."""
        type_ = type(request.command).__name__
        try:
            outcome = await self._handle(request)
        except Exception as error:  # noqa: BLE001 - the caller's, who raises it
            code = error.code if isinstance(error, PerSplitError) else "internal_error"
            child(LEDGER_COMMANDS, type_, code).inc()
            if not answer.done():
                answer.set_exception(error)
        except BaseException:
            answer.cancel()
            raise
        else:
            child(LEDGER_COMMANDS, type_, "replayed" if outcome.replayed else "ok").inc()
            if not answer.done():
                answer.set_result(outcome)

    async def _handle(self, request: CommandRequest) -> Outcome:
        # 1 the caller is known, the command is parsed: transport
        # 2 take the group's lock; load its state
        async with self._groups.locked(request.group_id) as live:
            for _ in range(ATTEMPTS_MAX):
                # 3 decide; what is refused may be a retry of what was accepted, or rest on an old state
                now = self._now(live.state)
                try:
                    event = decide(live.state, request.command, await self._asked(request, now))
                except LedgerError as error:
                    if isinstance(error, Conflict):
                        error.group_id = request.group_id
                    known = await self._known(live, request)
                    if known is not None:
                        return known
                    if await self._groups.catch_up(request.group_id, live):
                        continue
                    raise
                # 4 make it durable: the unique keys decide, the lock only saves attempts
                try:
                    with _appending():
                        recorded = await self._store.append(_new_event(live.state, request, event, now))
                except CommandKnown as known_command:
                    return await self._replayed(live, request, known_command.recorded)
                except SeqTaken:
                    await self._groups.catch_up(request.group_id, live)
                    continue
                except GroupErased:
                    await self._groups.forget(request.group_id, live)
                    raise NotFound("there is no such group") from None
                # 5 move on, announce, tell the other nodes
                await self._groups.advance(live, recorded)
                await self._hints.publish(_hint(recorded))
                return Outcome(recorded, _state(live), replayed=False)
        raise StoreUnavailable("the group is being written to from too many sides")

    async def _asked(self, request: CommandRequest, now: str) -> Asked:
        return Asked(request.actor_id, now, await self._subject(request))

    async def _subject(self, request: CommandRequest) -> Expense | Settlement | None:
        """The present version of what the command names."""
        match request.command:
            case CreateExpense(expense_id=id_):
                noun = Noun.EXPENSE
            case (
                UpdateExpense(expense_id=id_) | DeleteExpense(expense_id=id_) | RestoreExpense(expense_id=id_)
            ):
                noun = Noun.EXPENSE
            case CreateSettlement(settlement_id=id_):
                noun = Noun.SETTLEMENT
            case (
                ConfirmSettlement(settlement_id=id_)
                | DeclineSettlement(settlement_id=id_)
                | CancelSettlement(settlement_id=id_)
            ):
                noun = Noun.SETTLEMENT
            case _:
                return None
        if request.is_new_id:
            return None
        found = await self._store.latest(request.group_id, noun, [id_])
        return thing_of(found[id_].event) if id_ in found else None

    def _now(self, state: GroupState | None) -> str:
        """The clock, never behind the group's last event."""
        now = rfc3339(self._clock())
        return max(now, state.at) if state else now

    async def _known(self, live: LiveGroup, request: CommandRequest) -> Outcome | None:
        """The first outcome of a refused command that is in fact a retry of the caller's own."""
        recorded = await self._store.find_command(request.group_id, request.command_id)
        if recorded is None or recorded.by != request.actor_id:
            return None
        return await self._replayed(live, request, recorded)

    async def _replayed(self, live: LiveGroup, request: CommandRequest, recorded: RecordedEvent) -> Outcome:
        if recorded.content_hash != request.content_hash():
            raise IdempotencyKeyReused("this key was used before, for something else")
        if live.state is None or live.state.seq < recorded.seq:
            await self._groups.catch_up(request.group_id, live)
        if live.state is None:
            raise NotFound("there is no such group")  # it is being erased
        noun, id_ = subject_of(recorded.event)
        if noun is Noun.MEMBER:
            # When its outcome was unknown, nobody was there to let them hear the group.
            await self._groups.admit(request.group_id, live, id_)
        return Outcome(recorded, await self._shown(live.state, recorded), replayed=True)

    async def _shown(self, now: GroupState, recorded: RecordedEvent) -> GroupState:
        """The group as who sent the command may see it: now, or as the command left it if they left since."""
        if now.is_member(recorded.by):
            return now
        then = await snapshots.load(self._store, recorded.group_id, recorded.seq)
        # Settings of then must not pass for those of now: their sender would put them into force again.
        if then is None or isinstance(recorded.event, GroupEvent):
            raise NotFound("there is no such group")
        return then


@contextmanager
def _appending() -> Iterator[None]:
    """Time an append, by how it ended."""
    outcome, started = "failed", time.perf_counter()
    try:
        yield
        outcome = "ok"
    except CommandKnown:
        outcome = "replayed"
        raise
    except SeqTaken:
        outcome = "seq_taken"
        raise
    finally:
        child(APPEND_SECONDS, outcome).observe(time.perf_counter() - started)


def thing_of(event: Event) -> Expense | Settlement | None:
    """The expense or settlement as the event left it."""
    match event:
        case ExpenseUpdated(after=after):
            return after
        case (
            ExpenseCreated(expense=expense)
            | ExpenseDeleted(expense=expense)
            | ExpenseRestored(expense=expense)
        ):
            return expense
        case _ if isinstance(event, SettlementEvent):
            return event.settlement
        case _:
            return None


def rfc3339(instant: datetime) -> str:
    """UTC with milliseconds and a Z: text that sorts like time."""
    return f"{instant.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _new_event(state: GroupState | None, request: CommandRequest, event: Event, now: str) -> NewEvent:
    return NewEvent(
        group_id=request.group_id,
        seq=state.seq + 1 if state else 1,
        at=now,
        by=request.actor_id,
        command_id=request.command_id,
        content_hash=request.content_hash(),
        event=event,
    )


def _state(live: LiveGroup) -> GroupState:
    assert live.state is not None, "a group with an event has a state"  # noqa: S101 - for the type checker
    return live.state


def _hint(recorded: RecordedEvent) -> Hint:
    noun, id_ = subject_of(recorded.event)
    return Hint(recorded.group_id, recorded.seq, id_ if noun is Noun.MEMBER else "")
