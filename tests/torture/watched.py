"""`persplit serve` with a heartbeat in its event loop, and what the operating system says of its process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.measuring import unmeasured

BEAT_SECONDS: Final = 0.005
LATE_SECONDS: Final = 0.01
"""What is less late isn't written down."""
START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 60.0
ANSWER_SECONDS_MAX: Final = 10.0


class Heartbeat:
    """Beats in the server's loop, and writes a line `<moment> <late> <busy>` (seconds) for each beat that is late.

    `busy` is the time for which the loop's thread had a processor since the last beat: what the server itself did,
    where `late` has also what others on the machine did meanwhile. SIGUSR1 writes `tasks <number>`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        path: Path,
        beat_seconds: float = BEAT_SECONDS,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        self._loop = loop
        self._beat_seconds = beat_seconds
        self._late_seconds = late_seconds
        self._lines = path.open("a", buffering=1)
        self._due = 0.0
        self._used = 0.0

    def start(self) -> None:
        """Begin to beat, once the loop runs."""
        self._loop.call_soon(self._first)

    def _first(self) -> None:
        self._loop.add_signal_handler(signal.SIGUSR1, self._tell_tasks)
        self._next()

    def _next(self) -> None:
        self._due = time.monotonic() + self._beat_seconds
        self._used = time.thread_time()
        self._loop.call_later(self._beat_seconds, self._beat)

    def _beat(self) -> None:
        now = time.monotonic()
        late, busy = now - self._due, time.thread_time() - self._used
        if late > self._late_seconds:
            self._lines.write(f"{now:.3f} {late:.4f} {busy:.4f}\n")
        self._next()

    def _tell_tasks(self) -> None:
        self._lines.write(f"tasks {len(asyncio.all_tasks(self._loop))}\n")


def serve(
    beats: Path,
    arguments: list[str],
    beat_seconds: float = BEAT_SECONDS,
    late_seconds: float = LATE_SECONDS,
) -> None:
    """Run the command line with a heartbeat in the loop that it makes."""
    from persplit import cli, server

    make_factory = server.loop_factory

    def watched_factory() -> Callable[[], asyncio.AbstractEventLoop]:
        make = make_factory() or asyncio.new_event_loop

        def make_watched() -> asyncio.AbstractEventLoop:
            loop = make()
            Heartbeat(loop, beats, beat_seconds, late_seconds).start()
            return loop

        return make_watched

    server.loop_factory = watched_factory
    sys.argv = ["persplit", "serve", *arguments]
    cli.main()


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest that the loop was late, and busy, in milliseconds."""

    late_ms: float
    busy_ms: float


class WatchedServer:
    """`persplit serve` in a process of its own, its log in a file."""

    def __init__(self, home: Path, port: int, *arguments: str, **variables: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._beats = home / "beats"
        self.log = home / "log"
        options = ["--port", str(port), "--data-dir", str(home / "data"), *arguments]
        self._command = [sys.executable, "-m", "tests.torture.watched", str(self._beats), *options]
        self._environment = unmeasured(PERSPLIT_RATE_LIMITS="off", **variables)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it and wait until it answers; returns the moment."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready():
            assert self._process.poll() is None, self.log.read_text()[-2_000:]
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)
        return time.monotonic()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=ANSWER_SECONDS_MAX) as response:  # noqa: S310 - our own server
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal that ends it, and wait for the end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(STOP_SECONDS_MAX)
            finally:
                self._process.kill()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def rss_mb(self) -> float:
        """Memory that it holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def files(self) -> int:
        """Its open file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def tasks(self) -> int:
        """Tasks in its loop."""
        before = len(self._counts())
        os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while len(counts := self._counts()) == before:
            assert time.monotonic() < deadline, "the server's loop stands still"
            time.sleep(0.01)
        return counts[before]

    def _lines(self) -> list[str]:
        """What the server wrote, but for a line that it is still writing; beats go on between two counts."""
        return self._beats.read_text().split("\n")[:-1]

    def _counts(self) -> list[int]:
        return [int(line.split()[1]) for line in self._lines() if line.startswith("tasks ")]

    def stall(self, since: float, until: float | None = None) -> Stall:
        """The longest stall since a moment of the monotonic clock."""
        late = busy = 0.0
        for line in self._lines():
            if not line.startswith("tasks"):
                at, was_late, was_busy = map(float, line.split())
                if since <= at <= (until or at):
                    late, busy = max(late, was_late), max(busy, was_busy)
        return Stall(round(late * 1000, 1), round(busy * 1000, 1))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2:])
