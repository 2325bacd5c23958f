"""A server as a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.collected_logs import COLLECTED
from tests.measuring import unmeasured

PATIENCE_SECONDS = 120.0


class ServerProcess:
    """`persplit serve` on a free port with its own data directory, and the same again every time it is started.

    `is_measured`: whether coverage measures it, see `unmeasured`.
    """

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        port: int,
        is_measured: bool = False,
        **variables: str,
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", "persplit", "serve", "--port", str(port)]
        self._command += ["--data-dir", str(data_dir), *arguments]
        inherited = dict(os.environ) if is_measured else unmeasured()
        self._environment = {**inherited, "PERSPLIT_RATE_LIMITS": "off", **variables}
        self._process: subprocess.Popen[bytes] | None = None
        # A file, not a pipe: a server that says much would wait for somebody to read it.
        self._log = data_dir.with_name(f"{data_dir.name}.{port}.log")
        COLLECTED.note_file(self._log)

    @property
    def printed(self) -> str:
        """What it has said, whenever it ran."""
        return self._log.read_text()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)  # noqa: S603 - our own command

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            assert self.is_running, self.printed[-2_000:]
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as response:  # noqa: S310 - our own server
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def send(self, number: int) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def workers(self) -> list[int]:
        """The ids of its worker processes: what was spawned, but for the helper of multiprocessing."""
        assert self._process is not None
        found = subprocess.run(  # noqa: S603 - a fixed command
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self._process.pid)],  # noqa: S607 - wherever it is
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(line.split()[0]) for line in found.stdout.splitlines() if "spawn_main" in line]

    def kill(self) -> None:
        """End it at once, with no chance to tidy up."""
        self.signal(signal.SIGKILL)

    def stop(self) -> int:
        """End it politely; returns its exit code."""
        return self.signal(signal.SIGTERM)

    def signal(self, number: int) -> int:
        """Send a signal that ends it, and wait for the end; returns its exit code."""
        self.send(number)
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None
