"""Several processes behind one port: started, exchanged and ended so that no connection is refused or reset.

The parent opens the listening sockets, one for each worker's place, and holds them open whoever serves on them: the
kernel spreads connections over the places (SO_REUSEPORT), and what waits to be accepted at one waits there while
its worker is exchanged. The parent serves nothing itself.

SIGHUP exchanges the workers one after the other: a new one is spawned on the place's sockets, and only when it says
that it is ready the old one stops accepting and drains. A new process reads the code that is on disk then; the
environment, and so the settings, are those that the parent was started with.
"""

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Final, TypeAlias

import structlog

from persplit.config import ConfigError
from persplit.worker_metrics import WorkerMetrics

BACKLOG: Final = 4096
"""Connections that wait to be accepted: after a restart every client comes back at once."""
START_SECONDS_MAX: Final = 60.0
"""For a new worker to be ready: importing takes a second or two, ten times that on a machine that is
busy; a store that is away is given up before."""
RESPAWN_SECONDS_FIRST: Final = 0.5
RESPAWN_SECONDS_MAX: Final = 5.0
"""Before a worker that died is started again, doubled each time: a fault at start doesn't spin. Meanwhile connections
to its place wait, so it isn't long."""
DRAIN_SECONDS_MAX: Final = 20.0
"""For one worker to finish and go, beside the delay that was asked for; then it is killed."""
TICK_SECONDS: Final = 0.5
"""How often to look even though nothing was heard."""

READY: Final = "ready"
FAILED: Final = "failed"
REPLACED: Final = "replaced"
"""What a worker and its parent say to each other. `FAILED` comes with a text: the settings don't fit."""

Listeners: TypeAlias = tuple[socket.socket, ...]
Target: TypeAlias = Callable[[Listeners, Connection], None]

_log = structlog.get_logger(__name__)
_spawning = get_context("spawn")  # not forked: no open connection or thread of ours is shared


@dataclass(eq=False)
class Worker:
    """A process that serves. `line` is our end of the pipe to it; its end closes when the process ends."""

    process: BaseProcess
    line: Connection
    due: float
    """When it is given up, on the monotonic clock: not ready by then, or not gone."""
    is_ready: bool = False

    def hear(self) -> str:
        """What it says, if anything: why it can't ever start, or nothing. Sets `is_ready`."""
        with contextlib.suppress(EOFError, OSError):
            while self.line.poll():
                said, text = self.line.recv()
                if said == FAILED:
                    return str(text)
                self.is_ready = True
        return ""

    def tell(self, message: str) -> None:
        """Say it; who has gone hears nothing."""
        with contextlib.suppress(OSError):
            self.line.send(message)

    def forget(self) -> None:
        """Let go of one that has ended, killing it if need be."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.line.close()


@dataclass(eq=False)
class Place:
    """One share of the connections: who serves it, who is to take over, and who is on the way out."""

    listeners: Listeners
    worker: Worker | None = None
    successor: Worker | None = None
    leaving: Worker | None = None
    failures: int = 0
    respawn_at: float = 0.0

    def everybody(self) -> Iterator[Worker]:
        """Its processes."""
        return (worker for worker in (self.worker, self.successor, self.leaving) if worker is not None)


@dataclass(eq=False)
class Supervisor:
    """Keeps `count` workers going until SIGTERM or SIGINT. `drain_seconds_max`: for a worker to go, then."""

    target: Target
    places: list[Place]
    metrics: WorkerMetrics
    drain_seconds_max: float = DRAIN_SECONDS_MAX
    is_stopping: bool = False
    is_roll_wanted: bool = False
    to_roll: deque[Place] = field(default_factory=deque)
    is_announced: bool = False

    def run(self, announce: Callable[[], None]) -> None:
        """Serve. `announce` is called once every worker is ready.

        Raises:
            ConfigError: the settings don't fit, as the first workers say.

        """
        with _waking() as alarm:
            signal.signal(signal.SIGTERM, self._stop)
            signal.signal(signal.SIGINT, self._stop)
            if hasattr(signal, "SIGHUP"):
                signal.signal(signal.SIGHUP, self._roll)
            try:
                while not self.is_stopping:
                    self._step()
                    self._announce(announce)
                    self._wait(alarm)
            finally:
                self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the library's shape
        self.is_stopping = True

    def _roll(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the library's shape
        # Seen to when the exchange that goes on, if any, is over: no request is lost, and no two run at once.
        self.is_roll_wanted = True

    def _announce(self, announce: Callable[[], None]) -> None:
        if not self.is_announced and all(place.worker and place.worker.is_ready for place in self.places):
            self.is_announced = True
            announce()

    def _wait(self, alarm: socket.socket) -> None:
        """Until a worker says something or ends, a signal comes, or something may be due."""
        everybody = [worker for place in self.places for worker in place.everybody()]
        heard: list[Any] = [alarm]
        heard += [worker.line for worker in everybody if not worker.is_ready]
        heard += [worker.process.sentinel for worker in everybody]
        wait(heard, TICK_SECONDS)
        with contextlib.suppress(BlockingIOError):
            alarm.recv(4096)

    def _step(self) -> None:
        self.metrics.let_go_of_the_dead()
        for place in self.places:
            self._see_off(place)
            self._take_over(place)
            self._keep_going(place)
        self._exchange_next()

    def _start(self, place: Place) -> Worker:
        slot = self.metrics.prepare()
        ours, theirs = _spawning.Pipe()
        process = _spawning.Process(target=self.target, args=(place.listeners, theirs), daemon=True)
        process.start()
        self.metrics.started(slot, process)
        theirs.close()
        return Worker(process, ours, time.monotonic() + START_SECONDS_MAX)

    def _keep_going(self, place: Place) -> None:
        """Start the place's worker, and start it again when it has died."""
        worker = place.worker
        if worker is None:
            # A successor that is on its way takes its place anyhow.
            if place.successor is None and time.monotonic() >= place.respawn_at:
                place.worker = self._start(place)
            return
        reason = worker.hear()
        if reason and not self.is_announced:
            raise ConfigError(reason)
        if worker.is_ready:
            place.failures = 0
        elif time.monotonic() >= worker.due:
            worker.process.kill()
            worker.process.join()
        if not worker.process.is_alive():
            _log.error("worker_died", exit_code=worker.process.exitcode, was_ready=worker.is_ready)
            worker.forget()
            place.worker = None
            pause = min(RESPAWN_SECONDS_MAX, RESPAWN_SECONDS_FIRST * 2**place.failures)
            place.respawn_at = time.monotonic() + pause
            place.failures += 1

    # --- one by one

    def _exchange_next(self) -> None:
        """Begin with the next place once the one before is done, and with a new round once there is none left."""
        if any(place.successor or place.leaving for place in self.places):
            return
        if not self.to_roll and self.is_roll_wanted:
            self.is_roll_wanted = False
            self.to_roll.extend(self.places)
            _log.info("exchanging_workers", workers=len(self.places))
        if self.to_roll:
            place = self.to_roll.popleft()
            place.successor = self._start(place)

    def _take_over(self, place: Place) -> None:
        """Let the successor take over once it is ready; if it doesn't get there, the old one stays."""
        successor = place.successor
        if successor is None:
            return
        reason = successor.hear()
        if successor.is_ready:
            place.worker, place.leaving, place.successor = successor, place.worker, None
            if place.leaving is not None:
                place.leaving.due = time.monotonic() + self.drain_seconds_max
                place.leaving.tell(REPLACED)
            _log.info("worker_exchanged", pid=successor.process.pid)
        elif not successor.process.is_alive() or time.monotonic() >= successor.due:
            successor.forget()
            _log.error(
                "workers_not_exchanged",
                reason=reason or "the new worker did not get ready",
                exit_code=successor.process.exitcode,
                left=len(self.to_roll) + 1,
            )
            place.successor = None
            self.to_roll.clear()

    def _see_off(self, place: Place) -> None:
        """Forget who has left, and kill who takes too long."""
        leaving = place.leaving
        if leaving is None:
            return
        is_late = time.monotonic() >= leaving.due
        if is_late or not leaving.process.is_alive():
            if is_late:
                _log.error("worker_killed", pid=leaving.process.pid)
            leaving.forget()
            place.leaving = None

    def _end(self) -> None:
        """Let everybody drain, all at the same time."""
        everybody = [worker for place in self.places for worker in place.everybody()]
        for worker in everybody:
            worker.process.terminate()
        deadline = time.monotonic() + self.drain_seconds_max
        for worker in everybody:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            worker.forget()
        for place in self.places:
            close(place.listeners)


@contextlib.contextmanager
def _waking() -> Iterator[socket.socket]:
    """A socket that can be read whenever a signal has come, so that waiting ends then."""
    alarm, ringing = socket.socketpair()
    with alarm, ringing:
        alarm.settimeout(0)
        ringing.settimeout(0)
        before = signal.set_wakeup_fd(ringing.fileno(), warn_on_full_buffer=False)
        try:
            yield alarm
        finally:
            signal.set_wakeup_fd(before)


def open_listeners(host: str, port: int, count: int) -> list[Listeners]:
    """For each of `count` places one listening socket an address of the host (localhost may have two).

    Raises:
        OSError: the host is none of ours, or somebody else listens on the port.

    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    for family, address in addresses:
        # SO_REUSEPORT would let us in beside another server of the same user.
        with _socket(family) as probe:
            _bind(probe, address)
    opened: list[Listeners] = []
    try:
        while len(opened) < count:
            opened.append(tuple(_listening(family, address) for family, address in addresses))
    except OSError:
        for listeners in opened:
            close(listeners)
        raise
    return opened


def close(listeners: Sequence[socket.socket]) -> None:
    """Close them here; processes that they were given to keep theirs."""
    for listener in listeners:
        listener.close()


def _socket(family: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it means something else
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def _bind(unbound: socket.socket, address: Any) -> None:
    try:
        unbound.bind(address)
    except OSError as error:
        raise OSError(error.errno, f"can't listen on {address[0]}:{address[1]}: {error.strerror}") from None


def _listening(family: int, address: Any) -> socket.socket:
    made = _socket(family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(made, address)
        made.listen(BACKLOG)
        made.settimeout(0)
    except OSError:
        made.close()
        raise
    return made
