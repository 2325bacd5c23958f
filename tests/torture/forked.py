"""Servers that are there at once: forked off a process that has imported everything, not started from nothing.

A start takes a tenth of a second instead of one or more, so a run can kill ten times as often; and what is killed
while it starts is killed while it opens its store, not while Python reads modules.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from tests.measuring import not_measuring
from tests.processes import ServerProcess

PRELOADED: Final = ["persplit.server", "persplit.adapters.redis_hints", "tests.torture.mutant"]
_forks: Final = multiprocessing.get_context("forkserver")


class ForkedServer(ServerProcess):
    """`persplit serve` as a fork, broken or changed by the words of `changes` (see `mutant`)."""

    def __init__(
        self, data_dir: Path, *arguments: str, port: int, changes: str = "", **variables: str
    ) -> None:
        super().__init__(data_dir, *arguments, port=port)
        self._words = self._command[self._command.index("serve") :]
        self.changes = changes
        self._variables = {"PERSPLIT_RATE_LIMITS": "off", "PERSPLIT_LOG_LEVEL": "warning", **variables}

    def spawn(self) -> None:
        """Start it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        _forks.set_forkserver_preload(PRELOADED)
        with not_measuring():
            forkserver.ensure_running()
        process = _forks.Process(target=_serve, args=(self._words, self.changes, self._variables, self._log))
        process.start()
        self._process = _Fork(process)


class _Fork(subprocess.Popen[bytes]):
    """The part of a `Popen` that a server process uses."""

    def __init__(self, process: BaseProcess) -> None:
        assert process.pid is not None, "it was started"
        self._forked = process
        self.pid = process.pid

    def poll(self) -> int | None:
        """The exit code, once there is one."""
        return self._forked.exitcode

    def send_signal(self, sig: int) -> None:
        """Send a signal, if it still runs."""
        if self._forked.exitcode is None:
            os.kill(self.pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; the exit code."""
        self._forked.join(timeout)
        assert self._forked.exitcode is not None, "it does not end"
        return self._forked.exitcode

    def __del__(self) -> None:
        """Nothing: there is no child of ours to wait for."""


def _serve(words: list[str], changes: str, variables: Mapping[str, str], log: Path) -> None:
    """In the fork."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(variables)
    from tests.torture import mutant

    sys.argv = ["persplit", *words]
    mutant.serve(changes)
