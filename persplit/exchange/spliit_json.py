"""Spliit's JSON of a group.

Amounts are minor units, negative ones are money that came back; shares are hundredths, and minor units with
BY_AMOUNT; EVENLY takes no notice of them. Balances are sums of fractions, rounded when they are shown.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from persplit.exchange.book import PEOPLE_MAX, ROWS_MAX, Book, Entry, Format, Kind, Unread, UnreadableFile
from persplit.exchange.cells import BadCell, category_of, day_of, description_of, notes_of, plain
from persplit.exchange.division import Divider
from persplit.exchange.entries import (
    People,
    content_of,
    exact_total,
    is_payment,
    turned,
    unread,
    weighted_split,
)
from persplit.exchange.json_text import at, list_at, parsed, text_at, units_at
from persplit.ledger.expense import SplitType, SplitValue
from persplit.ledger.money import CURRENCIES

_SCALE: Final = 100
"""From hundredths to the ten-thousandths of `SplitValue`."""
_TYPES: Final = {
    "EVENLY": SplitType.EQUAL,
    "BY_SHARES": SplitType.SHARES,
    "BY_PERCENTAGE": SplitType.PERCENTAGE,
    "BY_AMOUNT": SplitType.EXACT,
}


def looks_like(value: Any) -> bool:
    """Whether it is one of these."""
    return isinstance(value, dict) and {"participants", "expenses"} <= value.keys()


def read(text: str) -> Book:
    """The book of the text. Raises `UnreadableFile`."""
    value = parsed(text)
    people = People()
    try:
        for participant in list_at(value, "participants", PEOPLE_MAX):
            people.add(at(participant, "id", str), plain(at(participant, "name", str)))
        expenses = list_at(value, "expenses", ROWS_MAX)
    except BadCell as error:
        raise UnreadableFile(str(error)) from None
    code = text_at(value, "currencyCode")
    currency = code if code in CURRENCIES else None
    reading = _Reading({person.key for person in people.list()}, currency)
    # By day: what is left over of each is then handed out as it happened, whatever the order in the file.
    in_order = sorted(enumerate(expenses, 1), key=lambda one: text_at(one[1], "expenseDate"))
    for row, expense in in_order:
        reading.take(row, expense)
    return Book(
        Format.SPLIIT_JSON,
        people.list(),
        entries=reading.entries,
        refused=reading.refused,
        ignored=reading.ignored,
        totals=[exact_total(currency, reading.weighed)],
        currency=currency,
    )


class _Reading:
    def __init__(self, people: set[str], currency: str | None) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Unread] = []
        self.ignored: list[Unread] = []
        self.weighed: list[tuple[Mapping[str, int], Mapping[str, Fraction], int]] = []
        self._people = people
        self._currency = currency
        self._divider = Divider()

    def take(self, row: int, expense: Any) -> None:
        try:
            self._take(row, expense)
        except BadCell as error:
            self.refused.append(unread(row, error))

    def _take(self, row: int, expense: Any) -> None:
        amount = units_at(expense, "amount")
        mode = at(expense, "splitMode", str)
        weights = self._weights(expense, mode)
        paid = {self._known(_payer_of(expense)): abs(amount)}
        date = day_of(at(expense, "expenseDate", str))
        if amount == 0:
            self.ignored.append(Unread(row, "its amount is zero"))
            return
        if mode == "BY_AMOUNT" and sum(weights.values()) != abs(amount):
            raise BadCell(f"the parts sum to {sum(weights.values())}, not to {abs(amount)}")
        is_refund = amount < 0
        sign = -1 if is_refund else 1
        shares = self._divider.divide(abs(amount), weights, sign)
        self.weighed.append((paid, weights, sign))
        payers, borne = turned(paid, shares, is_refund=is_refund)
        is_settled = expense.get("isReimbursement") is True and not is_refund and is_payment(paid, shares)
        split_type, splits = weighted_split(
            borne, _TYPES[mode] if not is_refund else SplitType.EXACT, _splits(mode, weights)
        )
        said = (date, amount, mode, *paid, *sorted(weights.items()), text_at(expense, "title"))
        self.entries.append(
            Entry(
                row=row,
                key=text_at(expense, "id") or content_of(*said, text_at(expense, "createdAt"), row),
                content=content_of(*said),
                kind=Kind.REFUND if is_refund else Kind.PAYMENT if is_settled else Kind.EXPENSE,
                description=description_of(text_at(expense, "title")),
                date=date,
                currency=self._currency,
                split_type=split_type,
                splits=splits,
                category=_category(expense),
                notes=notes_of(text_at(expense, "notes")),
                remark=_remark(expense),
                payers=payers,
                shares=borne,
            )
        )

    def _weights(self, expense: Any, mode: str) -> dict[str, Fraction]:
        if mode not in _TYPES:
            raise BadCell("its splitMode is not one that is known")
        weights: dict[str, Fraction] = {}
        for part in list_at(expense, "paidFor", PEOPLE_MAX):
            person = self._known(_participant_of(part))
            if person in weights:
                raise BadCell("somebody takes part twice")
            weights[person] = Fraction(1 if mode == "EVENLY" else units_at(part, "shares"))
        if not weights or min(weights.values()) < 0 or not any(weights.values()):
            raise BadCell("nobody takes part in it")
        return weights

    def _known(self, person: str) -> str:
        if person not in self._people:
            raise BadCell("it names somebody who is not among the participants")
        return person


def _payer_of(expense: Any) -> str:
    if isinstance(expense, dict) and isinstance(expense.get("paidBy"), dict):
        return at(expense["paidBy"], "id", str)
    return at(expense, "paidById", str)


def _participant_of(part: Any) -> str:
    if isinstance(part, dict) and isinstance(part.get("participant"), dict):
        return at(part["participant"], "id", str)
    return at(part, "participantId", str)


def _splits(mode: str, weights: Mapping[str, Fraction]) -> tuple[SplitValue, ...]:
    """As asked for, in the unit of `SplitValue`."""
    scale = {"BY_SHARES": _SCALE, "BY_PERCENTAGE": _SCALE}.get(mode, 1)
    if mode == "EVENLY":
        return ()
    return tuple(SplitValue(person, int(weight) * scale) for person, weight in weights.items() if weight)


def _category(expense: Any) -> str | None:
    category = expense.get("category")
    return category_of(text_at(category, "name")) if isinstance(category, dict) else None


def _remark(expense: Any) -> str | None:
    rule = text_at(expense, "recurrenceRule")
    if rule not in ("", "NONE"):
        return f"it repeats ({plain(rule).lower()}): only this one is taken over"
    original = text_at(expense, "originalCurrency")
    if original:
        return f"it was paid in {plain(original)}: booked as converted in the file"
    return None
