"""Bills with weights, as ihatemoney and Cospend (which began as its client) have them: who paid, who took part.

A bill of one payer is divided among the owers in proportion to the weights that people have. Balances are sums of
fractions there, rounded when they are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from persplit.exchange.book import Entry, Kind, Total, Unread
from persplit.exchange.cells import BadCell, description_of, minor_units
from persplit.exchange.division import Divider
from persplit.exchange.entries import (
    Keys,
    content_of,
    exact_total,
    is_payment,
    plainest_split,
    turned,
    unread,
)


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill. `is_payment`: the product calls it a reimbursement. `amount` in major units."""

    row: int
    what: str
    amount: Decimal
    currency: str | None
    date: str
    payer: str
    owers: Sequence[str]
    is_payment: bool
    key: str = ""
    category: str | None = None
    notes: str | None = None
    remark: str | None = None


class Bills:
    """Makes entries of bills, in the order in which they are given: the oldest first."""

    def __init__(self, weights: Mapping[str, Fraction], currency: str) -> None:
        """`weights`: person → theirs. `currency`: that of bills that name none, for its number of decimal places."""
        self.entries: list[Entry] = []
        self.refused: list[Unread] = []
        self.ignored: list[Unread] = []
        self._weights = weights
        self._currency = currency
        self._keys = Keys()
        self._dividers: dict[str | None, Divider] = {}
        self._weighed: dict[str | None, list[tuple[Mapping[str, int], Mapping[str, Fraction], int]]] = {}

    def take(self, bill: Bill) -> None:
        """Make an entry, or say why not."""
        try:
            self._take(bill)
        except BadCell as error:
            self.refused.append(unread(bill.row, error))

    def totals(self) -> list[Total]:
        """What everybody is owed exactly, by currency."""
        return [exact_total(currency, weighed) for currency, weighed in self._weighed.items()]

    def _take(self, bill: Bill) -> None:
        amount = minor_units(bill.amount, bill.currency or self._currency)
        if amount == 0:
            self.ignored.append(Unread(bill.row, "its amount is zero"))
            return
        if len(set(bill.owers)) != len(bill.owers):
            raise BadCell("somebody owes it twice")
        weights = {ower: self._weights[ower] for ower in bill.owers}
        if not any(weights.values()):
            raise BadCell("nobody owes it")
        paid = {bill.payer: abs(amount)}
        is_refund = amount < 0
        shares = self._divide(bill, -1 if is_refund else 1, abs(amount), paid, weights)
        kind = Kind.REFUND if is_refund else Kind.EXPENSE
        if bill.is_payment and not is_refund and is_payment(paid, shares):
            kind = Kind.PAYMENT
        payers, borne = turned(paid, shares, is_refund=is_refund)
        split_type, splits = plainest_split(borne)
        said = (bill.date, bill.what, amount, bill.currency, bill.payer, *sorted(bill.owers))
        self.entries.append(
            Entry(
                row=bill.row,
                key=bill.key or self._keys.of(*said),
                content=content_of(*said),
                kind=kind,
                description=description_of(bill.what),
                date=bill.date,
                currency=bill.currency,
                split_type=split_type,
                splits=splits,
                category=bill.category,
                notes=bill.notes,
                remark=bill.remark,
                payers=payers,
                shares=borne,
            )
        )

    def _divide(
        self, bill: Bill, sign: int, amount: int, paid: Mapping[str, int], weights: Mapping[str, Fraction]
    ) -> dict[str, int]:
        divider = self._dividers.setdefault(bill.currency, Divider())
        self._weighed.setdefault(bill.currency, []).append((paid, weights, sign))
        return divider.divide(amount, weights, sign)
