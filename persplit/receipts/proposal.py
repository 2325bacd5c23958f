"""From what was read to an expense that somebody may want to book: every item among all, to be changed as they like."""

from collections.abc import Sequence
from typing import Final

from persplit.ledger.expense import (
    DESCRIPTION_LENGTH_MAX,
    ITEM_NAME_LENGTH_MAX,
    ExpenseDraft,
    Item,
    SplitType,
)
from persplit.receipts.receipt import Receipt

UNNAMED: Final = "Receipt"
UNNAMED_ITEM: Final = "Item"


def proposal_of(receipt: Receipt, people: Sequence[str]) -> ExpenseDraft | None:
    """The expense; None where no amount was found. What the items leave over is spread in proportion to them.

    Args:
        receipt: as it was read.
        people: who takes part in every item; at least one.

    """
    total = receipt.total
    if total is None or total.value <= 0:
        return None
    name = _plain(receipt.merchant.value if receipt.merchant else "", DESCRIPTION_LENGTH_MAX) or UNNAMED
    items = tuple(
        Item(_plain(item.name, ITEM_NAME_LENGTH_MAX) or UNNAMED_ITEM, item.amount, tuple(people))
        for item in receipt.items
        if item.amount > 0
    )
    return ExpenseDraft(
        description=name,
        amount=total.value,
        split_type=SplitType.ITEMIZED,
        items=items or (Item(name[:ITEM_NAME_LENGTH_MAX], total.value, tuple(people)),),
        date=receipt.date.value if receipt.date else None,
    )


def _plain(words: str, length_max: int) -> str:
    """The words without what can't be in a name."""
    kept = "".join(letter if letter.isprintable() else " " for letter in words)
    kept = " ".join(kept.split())[:length_max].strip()
    return kept if any(letter.isalnum() for letter in kept) else ""
