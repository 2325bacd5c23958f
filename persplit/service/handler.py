"""The one path of every command that changes a group."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

import structlog

from persplit.ledger.decide import Asked, Subject, decide
from persplit.ledger.errors import Conflict, LedgerError, NotFound
from persplit.ledger.events import (
    Event,
    GroupEvent,
    Noun,
    RecordedEvent,
    subject_of,
)
from persplit.ledger.state import GroupState, apply
from persplit.ledger.subjects import subject_of_command
from persplit.service import snapshots
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.errors import IdempotencyKeyReused, StoreUnavailable
from persplit.service.groups import LOCK_SECONDS_MAX, Groups, LiveGroup
from persplit.service.lines import Lines, Waiting, give_up
from persplit.service.metrics import APPEND_SECONDS, child
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
from persplit.service.subjects import subjects_of

_T = TypeVar("_T")

ATTEMPTS_MAX: Final = 8
"""Times that a command is decided anew after another node took its place in the ledger."""


_log = structlog.get_logger(__name__)

Subjects: TypeAlias = Mapping[tuple[Noun, str] | None, Subject | None]
"""Things as they are, by what names them; of None, which names nothing, there is none."""


class Handler:
    """Takes commands, one at a time a group."""

    def __init__(self, store: EventStore, groups: Groups, hints: Hints, clock: Clock) -> None:
        self._store = store
        self._groups = groups
        self._hints = hints
        self._clock = clock
        self._lines = Lines(self._carry_out_lot)
        self._running: set[asyncio.Task[Any]] = set()

    async def handle(self, request: CommandRequest) -> Outcome:
        """Carry the command out: once, whatever the retries.

        It runs to its end even when the caller goes away, so that what was committed is also announced.

        Raises:
            LedgerError: the group's rules refuse it; nothing was written.
            IdempotencyKeyReused: the key was used for something else; nothing was written.
            StoreUnavailable: the outcome is unknown; retry with the same key.

        """
        # 1 the caller is known, the command is parsed: transport
        return await self._lines.carried_out(request)

    async def to_the_end(self, work: Coroutine[None, None, _T]) -> _T:
        """Await other work on ledgers, which runs to its end as commands do when the caller goes away."""
        running = asyncio.get_running_loop().create_task(work)
        self._running.add(running)
        running.add_done_callback(self._finished)
        return await asyncio.shield(running)

    def _finished(self, running: asyncio.Task[Any]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            running.exception()  # looked at, in case that the caller has gone

    async def drain(self, seconds_max: float | None = None) -> None:
        """Wait for the commands under way, but no longer than that. Who stops waiting doesn't stop them."""
        under_way = self._running | self._lines.tasks
        if under_way:
            await asyncio.wait(under_way, timeout=seconds_max)

    async def _carry_out_lot(self, lot: Sequence[Waiting]) -> None:
        """Carry them out together as far as that goes, and each of the others by itself."""
        if len(lot) > 1:
            await self._try_together(lot)
        for waiting in lot:
            if not waiting.is_over and len(lot) > 1 and _patience_left(waiting) <= 0:
                give_up(waiting)
            elif not waiting.is_over:
                await self._alone(waiting)

    async def _alone(self, waiting: Waiting) -> None:
        request = waiting.request
        try:
            # 2 take the group's lock; load its state
            async with self._groups.locked(request.group_id, within=_patience_left(waiting)) as live:
                outcome = await self._carry_out(live, request)
        except Exception as error:  # noqa: BLE001 - the caller's, who raises it
            waiting.failed(error)
        else:
            waiting.done(outcome)

    async def _try_together(self, lot: Sequence[Waiting]) -> None:
        """Carry out what can be. What goes wrong is nobody's failure yet: whose it is finds out when it is alone."""
        group_id = lot[0].request.group_id
        try:
            async with self._groups.locked(group_id, within=_patience_left(lot[0])) as live:
                await self._carry_out_together(live, lot)
        except StoreUnavailable:
            pass
        except Exception:  # noqa: BLE001 - see above
            _log.exception("not_carried_out_together", group_id=group_id)

    async def _carry_out_together(self, live: LiveGroup, lot: Sequence[Waiting]) -> None:
        """Commit several at once, each decided on what the one before it leaves, and announce them in order.

        Those that are refused, known, or in the way of each other are left alone, with what else came from the same person
        after them, as are all from the first that can't be written on: each is carried out by itself then, and its key
        tells whether it was written after all.
        """
        if live.state is None:
            return
        subjects = await self._subjects([waiting.request for waiting in lot])
        decided = self._decided_together(live.state, lot, subjects)
        if not decided:
            return
        for waiting, _, _ in decided:
            waiting.is_tried = True
        with _Appending():
            run = await self._store.append_run([new for _, new, _ in decided])
        for (waiting, _, state), recorded in zip(decided, run, strict=False):
            waiting.done(await self._move_on(live, recorded, state))

    def _decided_together(
        self, state: GroupState, lot: Sequence[Waiting], subjects: Subjects
    ) -> list[tuple[Waiting, NewEvent, GroupState]]:
        """Each with what it leaves of the group."""
        decided: list[tuple[Waiting, NewEvent, GroupState]] = []
        in_the_way: set[object] = set()
        for waiting in lot:
            request = waiting.request
            named = subject_of_command(request.command)
            if in_the_way.isdisjoint((named, request.command_id, request.actor_id)):
                now = self._now(state)
                with suppress(LedgerError):
                    event = decide(state, request.command, Asked(request.actor_id, now, subjects.get(named)))
                    new = _new_event(state, request, event, now)
                    state = apply(state, new)
                    decided.append((waiting, new, state))
                    in_the_way.update((named, request.command_id))
                    continue
            in_the_way.update((named, request.command_id, request.actor_id))
        return decided

    async def _carry_out(self, live: LiveGroup, request: CommandRequest) -> Outcome:
        """Decide, make durable, announce. Call with the lock held."""
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
                with _Appending():
                    recorded = await self._store.append(_new_event(live.state, request, event, now))
            except CommandKnown as known_command:
                return await self._replayed(live, request, known_command.recorded)
            except SeqTaken:
                await self._groups.catch_up(request.group_id, live)
                continue
            except GroupErased:
                await self._groups.forget(request.group_id, live)
                raise NotFound("there is no such group") from None
            return await self._move_on(live, recorded)
        raise StoreUnavailable("the group is being written to from too many sides")

    async def _move_on(
        self, live: LiveGroup, recorded: RecordedEvent, state: GroupState | None = None
    ) -> Outcome:
        # 5 move on, announce, tell the other nodes
        await self._groups.advance(live, recorded, state=state)
        await self._hints.publish(_hint(recorded))
        return Outcome(recorded, _state(live), replayed=False)

    async def _asked(self, request: CommandRequest, now: str) -> Asked:
        subjects = await self._subjects([request])
        return Asked(request.actor_id, now, subjects.get(subject_of_command(request.command)))

    async def _subjects(self, requests: Sequence[CommandRequest]) -> Subjects:
        """The present versions of what the commands name, of one group."""
        wanted: dict[Noun, list[str]] = {}
        for request in requests:
            named = subject_of_command(request.command)
            if named is not None and not request.is_new_id:
                wanted.setdefault(named[0], []).append(named[1])
        found: dict[tuple[Noun, str] | None, Subject | None] = {}
        for noun, ids in wanted.items():
            found.update(await subjects_of(self._store, requests[0].group_id, noun, ids))
        return found

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


def _patience_left(waiting: Waiting) -> float:
    """Seconds for its turn to come: waiting in line and waiting for the lock, which readers take too, are one wait."""
    return waiting.since + LOCK_SECONDS_MAX - asyncio.get_running_loop().time()


class _Appending:
    """Time an append, by how it ended."""

    __slots__ = ("_started",)

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, type_: type[BaseException] | None, *_: object) -> None:
        outcome = _APPEND_OUTCOMES.get(type_, "failed")
        child(APPEND_SECONDS, outcome).observe(time.perf_counter() - self._started)


_APPEND_OUTCOMES: Final[Mapping[type[BaseException] | None, str]] = {
    None: "ok",
    CommandKnown: "replayed",
    SeqTaken: "seq_taken",
}


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
