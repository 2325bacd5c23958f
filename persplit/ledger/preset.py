"""Presets: ways to divide that a group has given a name, so that nobody types them again.

A preset is only ever a start. What comes of it is frozen into the expense, so that changing or deleting a preset
changes no expense that was made with it.
"""

from dataclasses import dataclass
from typing import Final

from persplit.ledger.expense import SplitType, SplitValue

PRESETS_MAX: Final = 50
"""Of one group: a menu of more is no help, and they are part of its state."""
PRESET_SPLITS: Final = frozenset({SplitType.EQUAL, SplitType.SHARES, SplitType.PERCENTAGE})
"""The ways to divide that fit any amount."""


@dataclass(frozen=True, slots=True)
class PresetDraft:
    """A preset as asked for. `participants` None: all who are members when it is used."""

    name: str
    split_type: SplitType
    participants: tuple[str, ...] | None = None
    splits: tuple[SplitValue, ...] = ()
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset as recorded. One of a group at most is its default: what clients offer first.

    `seq` is that of the event that made this version. Times are RFC 3339 UTC.
    """

    id: str
    seq: int
    name: str
    split_type: SplitType
    participants: tuple[str, ...] | None
    splits: tuple[SplitValue, ...]
    is_default: bool
    created_by: str
    created_at: str
    updated_at: str
