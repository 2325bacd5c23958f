"""An event loop with a clock of its own: when nothing is ready, time jumps to the next timer.

No I/O and no threads. What runs next is the seed's choice, as far as reality leaves a choice: callbacks of one
actor (a node, a client) run in the order of an ordinary loop, actors take turns at random. A killed actor's
callbacks never run again, not even its `finally` blocks: that is `kill -9`.
"""

import asyncio
import heapq
import random
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, TypeVarTuple

BEGIN: Final = datetime(2026, 11, 21, 8, tzinfo=UTC)
"""The wall clock when a simulation begins."""
CLOSINGS_MAX: Final = 10
"""Times that a coroutine of the dead may await something while it is closed."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(Exception):
    """Nothing is ready and no timer runs, but the main work waits."""


class Actor:
    """A process of the simulated world: what it started carries it along, and stops with it."""

    def __init__(self, loop: "VirtualLoop", name: str) -> None:
        self.loop = loop
        self.name = name
        self.is_dead = False
        self.context = copy_context()
        self.context.run(_ACTOR.set, self)

    def spawn(self, work: Coroutine[Any, Any, T], *, like: Context | None = None) -> "asyncio.Task[T]":
        """Let the actor do this, too: in its own context, or in one `like` that of somebody who asked for it."""
        context = (like or self.context).copy()
        context.run(_ACTOR.set, self)
        return self.loop.create_task(work, context=context)

    def soon(self, seconds: float, act: Callable[[], object]) -> None:
        """Let the actor do this in a while, whoever asks for it."""
        self.loop.call_at(self.loop.time() + seconds, act, context=self.context)

    def kill(self) -> None:
        """It never gets to run again."""
        self.is_dead = True


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


class VirtualLoop(asyncio.AbstractEventLoop):
    """See above. `choose` is the source of chance; `faults` collects exceptions that nobody took."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0
        self._ready: dict[Actor | None, deque[asyncio.Handle]] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self._is_closed = False
        self.steps = 0
        self.faults: list[str] = []

    # --- what asyncio asks of a loop

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now

    def wall(self) -> datetime:
        """The time of day."""
        return BEGIN + timedelta(seconds=self._now)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run the callback in its actor's turn. Once the loop is closed: never."""
        handle = asyncio.Handle(callback, args, self, context)
        self._put(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it so many seconds from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it then."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Asked for by `TimerHandle`; cancelled ones are passed over when their time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        """Make a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[Any]":
        """Make a task of this loop."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # the dead leave tasks behind
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Never slow."""
        return False

    def is_running(self) -> bool:
        """Whether it runs."""
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        """Whether its world has ended."""
        return self._is_closed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Remember what nobody caught."""
        if not self._is_closed:
            self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    # --- running

    def run_until_complete(self, future: Any) -> Any:
        """The result of the work, in virtual time."""
        running = events._get_running_loop()
        events._set_running_loop(self)
        try:
            task = self.create_task(future)
            while not task.done():
                self._step()
            return task.result()
        finally:
            events._set_running_loop(running)

    def close(self) -> None:
        """End the world: what the dead left is taken down where nobody sees it."""
        self._is_closed = True
        running = events._get_running_loop()
        events._set_running_loop(self)
        try:
            for task in self._tasks:
                if not task.done():
                    _take_down(task)
        finally:
            events._set_running_loop(running)
            self._tasks.clear()
            self._timers.clear()
            self._ready.clear()

    def _put(self, handle: asyncio.Handle) -> None:
        if self._is_closed:
            return
        actor = handle._context.get(_ACTOR)  # type: ignore[attr-defined]  # where the actor is written down
        self._ready.setdefault(actor, deque()).append(handle)

    def _step(self) -> None:
        self.steps += 1
        if not self._ready:
            self._to_next_timer()
        while self._timers and self._timers[0][0] <= self._now:
            _, _, due = heapq.heappop(self._timers)
            if not due.cancelled():
                self._put(due)
        if not self._ready:
            return
        actor = self._choose.choice(list(self._ready)) if len(self._ready) > 1 else next(iter(self._ready))
        queue = self._ready[actor]
        handle = queue.popleft()
        if not queue:
            del self._ready[actor]
        if not handle.cancelled() and not (actor is not None and actor.is_dead):
            handle._run()
        if len(self._tasks) > _TASKS_KEPT:
            self._tasks = [task for task in self._tasks if not task.done()]

    def _to_next_timer(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise Stuck("nothing will ever happen again")
        self._now = max(self._now, self._timers[0][0])


_TASKS_KEPT: Final = 20_000


def _take_down(task: "asyncio.Task[Any]") -> None:
    """Close the coroutine, however often it awaits on its way out; what it says is of no interest any more."""
    work = task.get_coro()
    for _ in range(CLOSINGS_MAX):
        # A RuntimeError says that it awaited while it was being closed; all else are a dead process's last words.
        with suppress(Exception):
            if work is not None:
                work.close()
            return
