"""Metrics of several workers: a directory that the process which starts them makes, and cleans up.

Any worker is asked for `/metrics`, and reads the files of all. The library names a worker's files by its process
id, so that workers that come and go would fill the directory; here they are named by slots, as many as there are
workers at the same time, and counters go on where the last worker in the slot stopped.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from prometheus_client.multiprocess import mark_process_dead

from persplit.service.metrics import DIRECTORY_VARIABLE, SLOT_VARIABLE

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
"""Files in memory where the system has such: on a disk that is full, writing to a mapped file kills the process."""


class Worker(Protocol):
    """A process, as far as this needs it."""

    def is_alive(self) -> bool:
        """Whether it runs."""
        ...


class WorkerMetrics:
    """The slots and who is in them. Make one with `shared_metrics`."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._workers: dict[int, Worker] = {}

    def prepare(self) -> int:
        """Choose a free slot for a worker that is started next, and put it into its environment."""
        self.let_go_of_the_dead()
        slot = next(number for number in range(len(self._workers) + 1) if number not in self._workers)
        os.environ[SLOT_VARIABLE] = str(slot)
        return slot

    def started(self, slot: int, worker: Worker) -> None:
        """The worker in the slot runs."""
        self._workers[slot] = worker

    def let_go_of_the_dead(self) -> None:
        """Forget what workers that have ended said about now; what they counted stays."""
        for slot, worker in list(self._workers.items()):
            if not worker.is_alive():
                del self._workers[slot]
                mark_process_dead(slot, self._directory)


@contextmanager
def shared_metrics() -> Iterator[WorkerMetrics]:
    """The directory, for workers that are started in the block."""
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    directory = tempfile.mkdtemp(prefix="persplit-metrics-", dir=parent)
    os.environ[DIRECTORY_VARIABLE] = directory
    try:
        yield WorkerMetrics(directory)
    finally:
        del os.environ[DIRECTORY_VARIABLE]
        os.environ.pop(SLOT_VARIABLE, None)
        shutil.rmtree(directory, ignore_errors=True)
