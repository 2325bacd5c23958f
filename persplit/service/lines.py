"""Commands that wait for their group, in the order in which they came, and how long they do.

While some of a busy group's commands are made durable, others gather. One commit then serves all of those, and one
write to each socket. In a group that isn't busy nobody waits, and nothing is different.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.ledger.errors import PerSplitError
from persplit.ledger.subjects import subject_of_command
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.delay import Delay
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import LOCK_SECONDS_MAX
from persplit.service.metrics import LEDGER_COMMANDS, child

TOGETHER_MAX: Final = 16
"""Commands carried out at once: enough to share a commit, few enough that a group is read and served in between."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A command that waits for its turn, and who waits for its outcome: they may go, and it is carried out all the same.

    `since` is the event loop's time. `is_tried`: it may have been written. `is_over`: whatever came of it, nothing more
    is to be done.
    """

    request: CommandRequest
    answer: "asyncio.Future[Outcome]"
    since: float
    is_tried: bool = False
    is_over: bool = False

    def done(self, outcome: Outcome) -> None:
        """It was carried out."""
        self._is_over_as("replayed" if outcome.replayed else "ok")
        if not self.answer.done():
            self.answer.set_result(outcome)

    def failed(self, error: Exception) -> None:
        """It was not, or nobody knows."""
        self._is_over_as(error.code if isinstance(error, PerSplitError) else "internal_error")
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # looked at, in case that the caller goes just now

    def _is_over_as(self, outcome: str) -> None:
        self.is_over = True
        child(LEDGER_COMMANDS, type(self.request.command).__name__, outcome).inc()


class Lines:
    """One line a group, served by one task while anybody is in it.

    `carry_out` gets the next ones of a line, which are one or such as can be carried out together, and answers each.
    """

    def __init__(self, carry_out: Callable[[Sequence[Waiting]], Awaitable[None]]) -> None:
        self._carry_out = carry_out
        self._lines: dict[str, deque[Waiting]] = {}
        self._patience: Delay[Waiting] = Delay(LOCK_SECONDS_MAX, give_up)
        self.tasks: set[asyncio.Task[None]] = set()
        """Those that serve: each ends once its line is empty."""

    def __len__(self) -> int:
        """Lines with anybody in them."""
        return len(self._lines)

    async def carried_out(self, request: CommandRequest) -> Outcome:
        """Get into line, and wait for the outcome.

        Raises:
            StoreUnavailable: its turn didn't come within `LOCK_SECONDS_MAX`: nothing was done.
            Exception: whatever `carry_out` said.

        """
        loop = asyncio.get_running_loop()
        waiting = Waiting(request, loop.create_future(), loop.time())
        line = self._lines.get(request.group_id)
        if line is None:
            line = self._lines[request.group_id] = deque()
            task = loop.create_task(self._serve(request.group_id, line))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            self._patience.start(waiting)
        line.append(waiting)
        return await waiting.answer

    async def _serve(self, group_id: str, line: deque[Waiting]) -> None:
        lot: list[Waiting] = []
        try:
            while line:
                lot = self._taken(line)
                if lot:
                    await self._carry_out(lot)
        finally:
            del self._lines[group_id]
            for waiting in (*lot, *line):  # nobody, unless the server is being torn down
                waiting.answer.cancel()

    def _taken(self, line: deque[Waiting]) -> list[Waiting]:
        """The next ones. Who comes and goes is nothing to do on the side: of such a command it is that one alone."""
        lot: list[Waiting] = []
        while line and len(lot) < TOGETHER_MAX:
            can_be_together = subject_of_command(line[0].request.command) is not None
            if lot and not can_be_together:
                break
            waiting = line.popleft()
            self._patience.stop(waiting)
            if not waiting.is_over:
                lot.append(waiting)
            if not can_be_together:
                break
        return lot


def give_up(waiting: Waiting) -> None:
    """Its turn didn't come in time."""
    said = "whether this was done is unknown" if waiting.is_tried else "nothing was done"
    waiting.failed(StoreUnavailable(f"too many wait for this group: {said}"))
