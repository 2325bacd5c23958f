"""What happened in a simulated world, line by line: its end to read, all of it as a hash to compare."""

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Final

LINES_KEPT: Final = 5_000
"""The end of a trace that is kept; a world has some ten thousand lines."""


class Trace:
    """Lines with the virtual time."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._hash = hashlib.sha256()
        self._kept: deque[str] = deque(maxlen=LINES_KEPT)
        self.lines = 0

    def add(self, *words: object) -> None:
        """One line."""
        line = f"{self._time():9.3f} " + " ".join(map(str, words))
        self.lines += 1
        self._kept.append(line)
        self._hash.update(line.encode() + b"\n")

    def digest(self) -> str:
        """What all lines amount to."""
        return self._hash.hexdigest()

    def tail(self, count: int) -> list[str]:
        """The last lines."""
        return list(self._kept)[-count:]
