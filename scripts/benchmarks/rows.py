"""What a part of the benchmark says: rows with one figure for each server, and what is asked of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scripts.benchmarks.stats import Figure, ratio

OURS: Final = "PerSplit"
STOCK: Final = "python-socketio"
NODE: Final = "Node"
NODE_QR: Final = "Node, QRs"
FLOOR: Final = "floor"


@dataclass(frozen=True, slots=True)
class Goal:
    """The `subject` has at least (or at most) `factor` times the figure of `than`; `factor` itself where that is None."""

    than: str | None
    factor: float
    at_least: bool = True
    subject: str = OURS

    def text(self) -> str:
        """The goal in a few words."""
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.factor:,g}" + (f" × {self.than}" if self.than else "")

    def verdict(self, figures: Mapping[str, Figure]) -> tuple[float, bool] | None:
        """What it is, and whether that is good enough; None where a figure is missing."""
        ours = figures.get(self.subject)
        other = Figure(1, 1, 1) if self.than is None else figures.get(self.than)
        if ours is None or other is None:
            return None
        value = ratio(ours, other)
        return value, value >= self.factor if self.at_least else value <= self.factor


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity: `what` in words, `unit`, a figure by the name of each server. `note`: what a reader must know.

    `is_detail`: for whoever looks into it, not for the README.
    """

    part: str
    what: str
    unit: str
    figures: Mapping[str, Figure]
    goals: tuple[Goal, ...] = ()
    note: str = ""
    is_detail: bool = False
