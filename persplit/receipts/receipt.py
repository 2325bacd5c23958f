"""A receipt as it was read: each part with how sure one can be of it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from persplit.receipts.labels import Label

ITEMS_MAX: Final = 100
NAME_LENGTH_MAX: Final = 100
SURE: Final = 0.98
"""Nothing that was read from a picture is surer than this."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words, or a day as YYYY-MM-DD. `confidence`: 0 to 1."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units."""

    value: int
    confidence: float


@dataclass(frozen=True, slots=True)
class ReadItem:
    """Something that was bought. `amount` and `rate` in minor units; quantity and rate as far as they were printed."""

    name: str
    amount: int
    confidence: float
    quantity: Fraction | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What comes on top of the items, negative where it comes off. `included`: the items' prices hold it already."""

    kind: Label
    label: str
    amount: int
    confidence: float
    included: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was read. `difference`: the total less the items and what comes on top; 0 where it adds up."""

    merchant: Text | None
    date: Text | None
    items: tuple[ReadItem, ...]
    charges: tuple[Charge, ...]
    total: Money | None
    difference: int

    def sum_of(self, kind: Label) -> Money | None:
        """The charges of a kind together, included ones too; None if there are none."""
        found = [charge for charge in self.charges if charge.kind is kind]
        if not found:
            return None
        return Money(sum(charge.amount for charge in found), min(charge.confidence for charge in found))
