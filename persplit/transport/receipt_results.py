"""What the server answers to a picture of a receipt."""

from typing import Annotated, Literal

from pydantic import Field

from persplit.ledger.expense import SplitType
from persplit.transport.result import Item, Minor, Result

Confidence = Annotated[float, Field(ge=0, le=1, description="how sure it is, 0 to 1; show what is below 0.8")]


class ReadText(Result):
    """What was read, null where nothing was."""

    value: str | None
    confidence: Confidence


class ReadAmount(Result):
    """An amount that was read, null where none was."""

    value: int | None = Field(description="minor units of the group's currency")
    confidence: Confidence


class ReadItem(Result):
    """Something that was bought; quantity and rate where they were printed."""

    name: str
    amount: Minor
    quantity: float | None
    rate: Annotated[int | None, Field(description="minor units for one")]
    confidence: Confidence


class ReadCharge(Result):
    """What comes on top of the items, or off them: then it is negative."""

    kind: Literal["tax", "service", "packing", "tip", "discount", "rounding"]
    label: str = Field(description="as it is printed")
    amount: int = Field(description="minor units")
    included: bool = Field(description="the items' prices hold it already: it doesn't count once more")
    confidence: Confidence


class ProposedExpense(Result):
    """An expense as `expense:create` takes it: every item among all members, to be changed as people like."""

    description: str
    amount: Minor
    split_type: SplitType
    items: list[Item]
    date: str | None = Field(None, description="left out where no date was read")


class ScannedReceipt(Result):
    """What was read of a receipt. Nothing was booked: that takes a person, and an `expense:create`.

    `difference` is the total less the items and charges that aren't included: 0 where it `addsUp`.
    """

    currency: str
    merchant: ReadText
    date: ReadText
    items: list[ReadItem]
    charges: list[ReadCharge]
    tax: ReadAmount = Field(description="the taxes together, whether the prices include them or not")
    tip: ReadAmount
    total: ReadAmount
    difference: int
    adds_up: bool
    proposal: ProposedExpense
