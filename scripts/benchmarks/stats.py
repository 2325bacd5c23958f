"""What repetitions come to: medians, spreads, ratios, percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity over the repetitions: the median, the smallest and the largest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        """The figure of one or more values."""
        return cls(median(values), min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below `share` (0 to 1) of them: one that was really seen (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(0, rank - 1)]


def ratio(ours: Figure, theirs: Figure) -> float:
    """How many times as much the one's median is."""
    return ours.middle / theirs.middle if theirs.middle else float("inf")
