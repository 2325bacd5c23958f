"""A server as a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_SECONDS = 60.0


class ServerProcess:
    """`persplit serve` on a free port with its own data directory."""

    def __init__(self, data_dir: Path, *arguments: str, port: int, **variables: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", "persplit", "serve", "--port", str(port)]
        self._command += ["--data-dir", str(data_dir), *arguments]
        self._environment = {**os.environ, "PERSPLIT_RATE_LIMITS": "off", **variables}
        self._process: subprocess.Popen[str] | None = None
        self.printed = ""

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=1) as response:  # noqa: S310 - our own server
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def send(self, number: int) -> None:
        """Send a signal that it lives on after."""
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
        assert self._process is not None
        self._process.send_signal(number)
        self.printed, _ = self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None
