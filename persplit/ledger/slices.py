"""Long work that is bounded by steps, not by time, and stops now and then for others to have a turn."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Work: TypeAlias = Generator[None, None, T]
"""Work that stops after each slice, and in the end returns its result."""

SLICE_STEPS: Final = 5_000
"""Between two stops, about: 1 to 2 ms."""


class BudgetSpent(Exception):
    """The work has to stop where it is."""


@dataclass(slots=True)
class Budget:
    """Steps that are left for one piece of work; a step is 0.2 to 0.4 µs."""

    left: int
    _in_slice: int = 0

    def spend(self, steps: int) -> None:
        """Ask before doing what costs so many steps.

        Raises:
            BudgetSpent: that is more than is left; nothing is spent.

        """
        if steps > self.left:
            raise BudgetSpent
        self.left -= steps
        self._in_slice += steps

    def is_slice_over(self) -> bool:
        """Whether others should have a turn now; if so, a new slice begins."""
        if self._in_slice < SLICE_STEPS:
            return False
        self._in_slice = 0
        return True

    @contextmanager
    def only(self, steps: int) -> Iterator[None]:
        """Let no more than so many steps be spent inside."""
        kept = max(self.left - steps, 0)
        self.left -= kept
        try:
            yield
        finally:
            self.left += kept


def at_once(in_slices: Callable[P, Work[T]]) -> Callable[P, T]:
    """The same work without a stop."""

    @wraps(in_slices)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        work = in_slices(*args, **kwargs)
        while True:
            try:
                next(work)
            except StopIteration as done:
                result: T = done.value
                return result

    return whole
