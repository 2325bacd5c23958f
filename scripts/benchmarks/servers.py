"""The servers under test, each a process of its own on the first core; the load comes from the second."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from persplit.config import Settings
from scripts.benchmarks.rows import NODE, NODE_QR, OURS
from scripts.benchmarks.world import Size, World, in_memory, seeded_now, written

START_SECONDS: Final = 60.0
"""For a server to answer on a busy machine."""
STOP_SECONDS: Final = 20.0
SERVER_CORE: Final = 0
CLIENT_CORE: Final = 1
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ROOT: Final = Path(__file__).parents[2]


class Failed(Exception):
    """A server didn't do what it has to; says what it printed."""


_APART: Final = hasattr(os, "sched_setaffinity") and {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0)


def cores_are_apart() -> bool:
    """Whether there are two cores and a way to choose one, so that server and load don't take each other's time."""
    return _APART


def pin(pid: int, core: int) -> None:
    """Let the process (0: this one) run on one core only, where that is possible."""
    if _APART:
        os.sched_setaffinity(pid, {core})


@contextmanager
def _on_the_other_core() -> Iterator[None]:
    """Let this process, which makes the load, keep off the server's core while the block runs."""
    before = os.sched_getaffinity(0) if _APART else set()
    pin(0, CLIENT_CORE)
    try:
        yield
    finally:
        if _APART:
            os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers on 127.0.0.1, and who is there."""

    port: int
    pid: int
    world: World

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def cpu_seconds(self) -> float:
        """Processor time that it has taken so far, all its threads and processes together."""
        return sum(map(_cpu_seconds, _family(self.pid)))

    def memory_bytes(self) -> int:
        """What it holds in memory now, shared pages in proportion."""
        return sum(map(_memory_bytes, _family(self.pid)))


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, task.read_text().split())
    return found


def _cpu_seconds(pid: int) -> float:
    # The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th field after it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise Failed("the system doesn't say how much memory a process takes")


class Contestant(Protocol):
    """A kind of server: `name` for tables, and how to run it in a directory of its own."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def running(self, home: Path, size: Size) -> "contextlib.AbstractContextManager[Running]":
        """It, with a world of this size, while the block runs."""
        ...


@contextmanager
def process(
    command: Sequence[str],
    port: int,
    log: Path,
    variables: Mapping[str, str] | None = None,
    *,
    pinned: bool = True,
) -> Iterator[int]:
    """The server's process id, from when `/readyz` answers to the end of the block; on one core unless not `pinned`."""
    environment = {**os.environ, **(variables or {})}
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603 - our own words
            list(command), env=environment, stdout=out, stderr=out, cwd=_ROOT, start_new_session=True
        )
    try:
        if pinned:
            pin(child.pid, SERVER_CORE)
        _wait_until_ready(child, port, log)
        with _on_the_other_core() if pinned else nullcontext():
            yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_ready(child: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if child.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{log.name}: {log.read_text()[-2_000:]}") from None
            time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def our_command(module: str, port: int, data: Path) -> list[str]:
    """How our server is started."""
    return [sys.executable, "-m", module, "serve", "--port", str(port), "--data-dir", str(data)]


@dataclass(frozen=True, slots=True)
class Ours:
    """`persplit serve` as a user starts it, on SQLite, with the rate limits off, which no load could stay within.

    `module` is what to run; `variables` are further settings.
    """

    name: str = OURS
    module: str = "persplit"
    variables: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def running(self, home: Path, size: Size) -> Iterator[Running]:
        """See `Contestant`."""
        data = home / "data"
        world = seeded_now(Settings(data_dir=data), size)
        with self.over(data, home, world) as running:
            yield running

    @contextmanager
    def over(self, data: Path, home: Path, world: World) -> Iterator[Running]:
        """It, over a data directory that is there already."""
        port = free_port()
        command = our_command(self.module, port, data)
        variables = {"PERSPLIT_RATE_LIMITS": "off", **self.variables}
        with process(command, port, home / "log", variables) as pid:
            yield Running(port, pid, world)


@dataclass(frozen=True, slots=True)
class Floor:
    """The bare loop: see `floor`. It writes `frame_bytes` at a time, payload and header, in the way called `how`."""

    how: str
    frame_bytes: int

    @property
    def name(self) -> str:
        """See `Contestant`."""
        return f"floor, {self.how}"

    @contextmanager
    def running(self, home: Path, devices: int) -> Iterator[Running]:
        """It, waiting for so many connections to write to."""
        port = free_port()
        command = [sys.executable, "-m", "scripts.benchmarks.floor", str(port), str(devices)]
        command += [str(self.frame_bytes), self.how]
        with process(command, port, home / "log") as pid:
            yield Running(port, pid, World(()))


@dataclass(frozen=True, slots=True)
class Node:
    """The Node peer. `program` is `node`, `modules` where its packages are; `qr`: with QRs in every row of the plan."""

    program: str
    modules: Path
    qr: bool = False

    @property
    def name(self) -> str:
        """See `Contestant`."""
        return NODE_QR if self.qr else NODE

    @contextmanager
    def running(self, home: Path, size: Size) -> Iterator[Running]:
        """See `Contestant`."""
        secret = secrets.token_urlsafe(48)
        world, port = in_memory(size, secret), free_port()
        written(world, secret, home / "world.json")
        command = [
            self.program,
            "--expose-gc",
            str(self.modules / "server.mjs"),
            str(port),
            str(home / "world.json"),
        ]
        command += ["--qr"] if self.qr else []
        with process(command, port, home / "log", {"NODE_ENV": "production"}) as pid:
            yield Running(port, pid, world)
