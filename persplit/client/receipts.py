"""Receipts, read by the server: what it saw, and the expense that this would make. Nothing is booked here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.client.errors import Json
from persplit.client.signing_in import SigningIn
from persplit.ledger.expense import ExpenseDraft, Item, SplitType

SCAN_SECONDS: Final = 220.0
"""For a photo to get there over a slow line, and for the receipts before it to be read."""


@dataclass(frozen=True, slots=True)
class ScannedReceipt:
    """What the server read, and the draft of an expense to look at, change and create.

    `items` and `charges` are as the server tells them: `{name, amount, quantity, rate, confidence}` and
    `{kind, label, amount, included, confidence}`. `confidences` are those of merchant, date, tax, tip and total, 0 to 1,
    0 for what wasn't found. `difference`: the total less items and charges, in minor units; 0 where it adds up.
    """

    draft: ExpenseDraft
    items: Sequence[Json]
    charges: Sequence[Json]
    confidences: Mapping[str, float]
    difference: int
    answer: Json
    """All of it, as it came."""


async def scan(signing_in: SigningIn, group_id: str, picture: bytes) -> ScannedReceipt:
    """Have a picture read. Raises `Offline`, `Refused`."""
    answer = await signing_in.ask("POST", f"/groups/{group_id}/receipts", picture, seconds=SCAN_SECONDS)
    proposal = answer["proposal"]
    draft = ExpenseDraft(
        description=proposal["description"],
        amount=proposal["amount"],
        split_type=SplitType(proposal["splitType"]),
        items=tuple(Item(it["name"], it["amount"], tuple(it["participants"])) for it in proposal["items"]),
        date=proposal.get("date"),
    )
    fields = ("merchant", "date", "tax", "tip", "total")
    return ScannedReceipt(
        draft=draft,
        items=answer["items"],
        charges=answer["charges"],
        confidences={field: answer[field]["confidence"] for field in fields},
        difference=answer["difference"],
        answer=answer,
    )
