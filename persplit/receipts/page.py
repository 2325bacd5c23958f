"""Words on paper, and the rows that they stand in though the paper is held askew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from statistics import median
from typing import Final

WORDS_MAX: Final = 1_500
"""Of one picture; a receipt of a metre has 600."""
_APART: Final = 0.55
"""Two words stand in a row if they are not further apart than this, in heights of the smaller one."""
_OVERLAP: Final = 0.3
"""Words that share more than this of the smaller one's width stand above each other."""
_NEAR: Final = 0.2
"""Words of a row are nearer to each other than this, in heights, if the tilt is right."""
_SLOPES: Final = tuple(step * 0.004 for step in range(-30, 31))
"""Up to seven degrees either way: who photographs a receipt holds it straighter."""
_CHANGES: Final = tuple(step * 0.01 for step in range(-5, 6))
"""Seen from an angle, the upper rows fall otherwise than the lower ones."""
_DOUBT: Final = 2.0
"""Of two tilts that are as good, the smaller one."""
_TRIED_MAX: Final = 150
"""Words by which the tilt is found: enough, and some milliseconds of work."""


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text in one go, perhaps several words. Pixels from the top left; `slope` is how it falls to the right.

    `score`: how sure the machine was, 0 to 1.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    slope: float = 0.0
    score: float = 1.0

    @property
    def height(self) -> float:
        """Of the letters: what the slope adds to the box is taken off."""
        return max(1.0, self.bottom - self.top - abs(self.slope) * (self.right - self.left))


@dataclass(frozen=True, slots=True)
class Row:
    """Words beside each other, from left to right."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "  ".join(word.text for word in self.words)

    @property
    def score(self) -> float:
        """That of the least certain word."""
        return min(word.score for word in self.words)

    @property
    def height(self) -> float:
        """Of the tallest word."""
        return max(word.height for word in self.words)


def rows_of(words: Iterable[Word]) -> list[Row]:
    """The rows, from top to bottom; at most `WORDS_MAX` words are looked at."""
    found = [word for word in words if word.text.strip()][:WORDS_MAX]
    tilt = _tilt(found)
    placed = sorted((tilt.level(word), word.left, index) for index, word in enumerate(found))
    rows: list[list[tuple[float, Word]]] = []
    for level, _, index in placed:
        word = found[index]
        row = next((row for row in reversed(rows[-3:]) if _belongs(level, word, row)), None)
        if row is None:
            rows.append([(level, word)])
        else:
            row.append((level, word))
    return [Row(tuple(sorted((word for _, word in row), key=lambda word: word.left))) for row in rows]


@dataclass(frozen=True, slots=True)
class _Tilt:
    """How rows fall to the right: `slope` in the middle of the paper, and `change` more from its top to its bottom."""

    slope: float
    change: float
    middle: float
    extent: float

    def level(self, word: Word) -> float:
        """Where the word's middle would be at the left edge."""
        y = (word.top + word.bottom) / 2
        slope = self.slope + self.change * (y - self.middle) / self.extent
        return y - slope * (word.left + word.right) / 2


def _tilt(words: Sequence[Word]) -> _Tilt:
    """The one at which the words stand closest in rows. Boxes of words say little of it: they are whole pixels."""
    if not words:
        return _Tilt(0.0, 0.0, 0.0, 1.0)
    some = words[:: 1 + len(words) // _TRIED_MAX]
    top, bottom = min(word.top for word in some), max(word.bottom for word in some)
    middle, extent = (top + bottom) / 2, max(1.0, bottom - top)
    height = median(word.height for word in some)
    tilts = (_Tilt(slope, change, middle, extent) for slope in _SLOPES for change in _CHANGES)
    return max(tilts, key=lambda tilt: _tightness(tilt, some, height))


def _tightness(tilt: _Tilt, words: Sequence[Word], height: float) -> float:
    """How many words have a neighbour on the same level, nearly."""
    levels = sorted(map(tilt.level, words))
    gaps = (after - before for before, after in pairwise(levels))
    near = sum(exp(-((gap / (_NEAR * height)) ** 2)) for gap in gaps)
    return near - _DOUBT * (abs(tilt.slope) + abs(tilt.change))


def _belongs(level: float, word: Word, row: Sequence[tuple[float, Word]]) -> bool:
    near = sum(other for other, _ in row) / len(row)
    height = min(word.height, *(other.height for _, other in row))
    return abs(level - near) <= _APART * height and not any(_overlaps(word, other) for _, other in row)


def _overlaps(one: Word, other: Word) -> bool:
    shared = min(one.right, other.right) - max(one.left, other.left)
    return shared > _OVERLAP * min(one.right - one.left, other.right - other.left)
