"""An expense: what was asked for, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from persplit.ledger.attachment import Attachment

ITEMS_MAX: Final = 200
"""Lines of an itemised bill; a long supermarket receipt has about a hundred."""
VALUE_SCALE: Final = 10_000
"""PERCENTAGE and SHARES values have up to four decimal places and are held as ten-thousandths."""
SHARES_VALUE_MAX: Final = 1_000_000 * VALUE_SCALE
DESCRIPTION_LENGTH_MAX: Final = 200
NOTES_LENGTH_MAX: Final = 2_000
CATEGORY_LENGTH_MAX: Final = 50
ITEM_NAME_LENGTH_MAX: Final = 100


class SplitType(StrEnum):
    """How an expense is divided."""

    EQUAL = "EQUAL"
    EXACT = "EXACT"
    PERCENTAGE = "PERCENTAGE"
    SHARES = "SHARES"
    ADJUSTMENT = "ADJUSTMENT"
    ITEMIZED = "ITEMIZED"


class ExpenseKind(StrEnum):
    """Which way the money went.

    EXPENSE: those in `payers` paid for those in `shares`. REFUND (money that came back) and INCOME (money that was
    earned together): those in `payers` received it, and it belongs to those in `shares`.
    """

    EXPENSE = "EXPENSE"
    REFUND = "REFUND"
    INCOME = "INCOME"


class RateSource(StrEnum):
    """Where a rate of exchange is from: who wrote the expense, or the server's table."""

    GIVEN = "GIVEN"
    TABLE = "TABLE"


SCALED_SPLITS: Final = frozenset({SplitType.PERCENTAGE, SplitType.SHARES})
"""The split types whose values are ten-thousandths rather than minor units."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg: minor units paid by, or falling to, one person."""

    user_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class SplitValue:
    """What was asked for one person.

    Minor units for EXACT and ADJUSTMENT; ten-thousandths (of a percent, of a weight) for PERCENTAGE, SHARES.
    """

    user_id: str
    value: int


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a bill, shared equally by `participants`. `amount` in minor units."""

    name: str
    amount: int
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """What was typed of an expense in another currency than the group's: all amounts in minor units of `currency`.

    `rate` is a decimal text: major units of the group's currency for one of `currency`.
    """

    currency: str
    amount: int
    rate: str
    rate_source: RateSource
    payers: tuple[Posting, ...]
    splits: tuple[SplitValue, ...]
    items: tuple[Item, ...]
    shares: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class ExpenseDraft:
    """An expense as asked for. None stands for "unless told": the caller pays, all members take part, today.

    With a `currency` other than the group's, all amounts are minor units of that one. Its `rate` is, unless told,
    that of the version before, or else the server's own for the day: `table_rate`, None where it knows none.
    `preset_id` names how it is divided, in place of `split_type`, `participants` and `splits`.
    `shares` are those of an expense that was divided before, in another ledger, by ids that it had there; None:
    they are worked out.
    """

    description: str
    amount: int
    split_type: SplitType
    payers: tuple[Posting, ...] | None = None
    participants: tuple[str, ...] | None = None
    splits: tuple[SplitValue, ...] = ()
    items: tuple[Item, ...] = ()
    include_payer: bool = True
    date: str | None = None
    category: str | None = None
    notes: str | None = None
    shares: tuple[Posting, ...] | None = None
    kind: ExpenseKind = ExpenseKind.EXPENSE
    currency: str | None = None
    rate: str | None = None
    rate_source: RateSource = RateSource.GIVEN
    table_rate: str | None = None
    preset_id: str | None = None


@dataclass(frozen=True, slots=True)
class Expense:
    """An expense as recorded, with its shares embedded. They and the payers each sum to `amount`.

    `recurrence_id` names the template that made it. All amounts are in the group's currency; `original` has what was typed in another. They are positive whatever the
    `kind`.

    `participants` and `splits` are as asked for, so that sending an expense back changes nothing; `shares` is
    what came of them. `seq` is that of the event that made this version. Times are RFC 3339 UTC.
    """

    id: str
    seq: int
    description: str
    amount: int
    payers: tuple[Posting, ...]
    split_type: SplitType
    participants: tuple[str, ...]
    splits: tuple[SplitValue, ...]
    items: tuple[Item, ...]
    include_payer: bool
    date: str
    category: str | None
    notes: str | None
    shares: tuple[Posting, ...]
    created_by: str
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    attachments: tuple[Attachment, ...] = ()
    kind: ExpenseKind = ExpenseKind.EXPENSE
    original: Original | None = None
    recurrence_id: str | None = None

    @property
    def spent(self) -> int:
        """What the group spent by it, in minor units: less than nothing where money came in."""
        return self.amount if self.kind is ExpenseKind.EXPENSE else -self.amount
