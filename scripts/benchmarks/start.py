"""From the start of the server's process to its first answers: `python -m scripts.benchmarks.start [options]`.

Fills a SQLite file with groups, then starts `persplit serve` on it again and again, as a user does: until `/healthz`
answers, and until a member has read a group. The first start after the fill isn't counted: it finds nothing in the
system's cache of files, nor the compiled modules.
"""

import argparse
import asyncio
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from persplit.bootstrap import DATABASE_FILE, open_stores
from persplit.config import Settings
from scripts.benchmarks.bench import Bench, say
from scripts.benchmarks.made_up_groups import group_id, history, person, put
from scripts.benchmarks.rows import OURS, Goal, Row
from scripts.benchmarks.stats import Figure

GROUPS: Final = 10_000
EVENTS: Final = 20
"""In each group."""
MEMBERS: Final = 5
GROUPS_OF_THE_READER: Final = 8
STARTS: Final = 7
TARGET_SECONDS: Final = 1.5
START_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.005
"""Between two attempts to connect: what the figures are exact to."""
_PROGRAM: Final = Path(sys.executable).with_name("persplit")


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in seconds since the process was made. `cpu` is what the process used until `read`."""

    health: float
    read: float
    cpu: float


class Started:
    """A server's process on a port of its own, and what is asked of it."""

    def __init__(self, data_dir: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._since = time.perf_counter()
        command = [str(_PROGRAM), "serve", "--port", str(self._port), "--data-dir", str(data_dir)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command

    def elapsed(self) -> float:
        """Seconds since the process was made."""
        return time.perf_counter() - self._since

    def cpu(self) -> float:
        """Seconds of processor time that it used so far; not a number where the system doesn't say."""
        with suppress(OSError, IndexError, ValueError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return float("nan")

    def first_answer(self, path: str) -> float:
        """Ask until it answers; seconds since the process was made. Raises `SystemExit` where it ended instead."""
        while self._process.poll() is None and self.elapsed() < START_SECONDS_MAX:
            with suppress(ConnectionError):
                self.ask("GET", path)
                return self.elapsed()
            time.sleep(POLL_SECONDS)
        raise SystemExit("the server did not start")

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The answer's JSON. Raises `SystemExit` for a refusal."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_SECONDS_MAX)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise SystemExit(f"{method} {path}: {answer}")
        return answer

    def stop(self) -> None:
        """End it politely."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait(START_SECONDS_MAX)


def registered(data_dir: Path) -> tuple[str, str]:
    """The id and the access token of a new account; the token is good for ten minutes."""
    server = Started(data_dir)
    try:
        server.first_answer("/healthz")
        account = {
            "name": "Asha",
            "email": f"{secrets.token_hex(4)}@example.org",
            "password": secrets.token_hex(8),
        }
        told = server.ask("POST", "/api/v1/auth/register", account)
        return told["user"]["id"], told["accessToken"]
    finally:
        server.stop()


async def filled(data_dir: Path, reader: str, groups: int, events: int) -> None:
    """Put groups into the store; the first few are the reader's."""

    def people(number: int) -> list[str]:
        others = [person(number * 2 + place) for place in range(MEMBERS)]
        return [reader, *others[1:]] if number < GROUPS_OF_THE_READER else others

    async with open_stores(Settings(data_dir=data_dir)) as stores:
        await put(stores.events, (history(number, people(number), events) for number in range(groups)))


def started(data_dir: Path, token: str) -> Start:
    """Start the server, read a group, stop it."""
    server = Started(data_dir)
    try:
        health = server.first_answer("/healthz")
        server.ask("GET", f"/api/v1/groups/{group_id(0)}", token=token)
        return Start(health, server.elapsed(), server.cpu())
    finally:
        server.stop()


def measured(groups: int, events: int, starts: int) -> dict[str, Any]:
    """Fill and start; the figures."""
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory) / "data"
        reader, token = registered(data_dir)
        asyncio.run(filled(data_dir, reader, groups, events))
        started(data_dir, token)
        all_ = [started(data_dir, token) for _ in range(starts)]
        return {
            "groups": groups,
            "eventsEach": events,
            "fileBytes": (data_dir / DATABASE_FILE).stat().st_size,
            "targetSeconds": TARGET_SECONDS,
            "healthSeconds": [round(it.health, 3) for it in all_],
            "readSeconds": [round(it.read, 3) for it in all_],
            "cpuSeconds": [round(it.cpu, 3) for it in all_],
        }


def measure(bench: Bench) -> Sequence[Row]:
    """The part of the benchmark."""
    if not bench.wants(OURS):
        return []
    say("start")
    groups = GROUPS // (10 if bench.is_quick else 1)
    figures = measured(groups, EVENTS, bench.repetitions)
    what = f"from the start of the process, {groups:,} groups of {EVENTS} events in the store"
    health, read = ({OURS: Figure.of(figures[name])} for name in ("healthSeconds", "readSeconds"))
    return [
        Row(
            "start",
            f"{what}: to the first answer",
            "s",
            health,
            (Goal(None, TARGET_SECONDS, at_least=False),),
        ),
        Row("start", f"{what}: to the first group read", "s", read),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("--events", type=int, default=EVENTS, help="in each group")
    parser.add_argument("--starts", type=int, default=STARTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measured(options.groups, options.events, options.starts)
    if options.json:
        print(json.dumps(figures, indent=2))  # noqa: T201 - a command line
        return
    size = f"{figures['fileBytes'] / 1e6:.0f} MB"
    print(f"{options.groups} groups of {options.events} events, a file of {size}")  # noqa: T201 - as above
    for what, key in (("/healthz", "healthSeconds"), ("a group", "readSeconds"), ("CPU", "cpuSeconds")):
        values = figures[key]
        print(f"{what:10}{median(values):6.2f} s median, {min(values):.2f} to {max(values):.2f}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
