"""From rows to a receipt: where the items are, what comes on top, what is to be paid, and whether it adds up.

A bill checks itself: quantity times rate is the amount, items and charges are the total. What holds is surer, and where
one misread number is all that keeps it from holding, it is put right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from persplit.receipts.dates import day_of
from persplit.receipts.entries import Entry, detail_of, entry_of, has_name, is_consistent, item_of
from persplit.receipts.labels import CHARGES, Label, label_of
from persplit.receipts.page import Row
from persplit.receipts.pumps import is_from_a_pump, product_of
from persplit.receipts.receipt import ITEMS_MAX, NAME_LENGTH_MAX, SURE, Charge, Money, ReadItem, Receipt, Text

HEAD_ROWS: Final = 6
"""A name stands at the top, above addresses and numbers."""
_HEADINGS: Final = frozenset(
    {"item", "items", "particulars", "description", "qty", "rate", "amount", "amt", "mrp", "price"}
)
_RANKS: Final = {Label.TOTAL: 3, Label.PLAIN_TOTAL: 2, Label.PAYMENT: 1}
_LABELLED: Final = {3: 0.9, 2: 0.8, 1: 0.6, 0: 0.4}
"""How sure a total is by its name alone."""
_UNPROVEN: Final = 0.75
"""How much surer numbers are that add up: the others are taken down by this."""
_MENDED: Final = 0.7


@dataclass(frozen=True, slots=True)
class _Body:
    """The rows of a bill, told apart."""

    items: tuple[ReadItem, ...]
    charges: tuple[Charge, ...]
    totals: tuple[tuple[int, Money], ...]
    """What may be the total, with how likely its name makes it."""


def read(rows: Sequence[Row], digits: int) -> Receipt:
    """The receipt on these rows. `digits`: how many the currency has after the point.

    Parts that weren't found are None or empty.
    """
    entries = [entry_of(row) for row in rows]
    body = _pump(rows, entries, digits) if is_from_a_pump(rows) else _bill(entries, digits)
    body = _settled(body)
    total = _total(body)
    charges = _with_included(body, total)
    difference = 0 if total is None else total.value - _sum(body.items, charges)
    factor = 1.0 if total is not None and difference == 0 else _UNPROVEN
    return Receipt(
        merchant=_merchant(rows),
        date=_date(rows),
        items=tuple(_judged(item, factor) for item in body.items),
        charges=tuple(replace(charge, confidence=_sure(charge.confidence * factor)) for charge in charges),
        total=None if total is None else Money(total.value, _sure(total.confidence)),
        difference=difference,
    )


def _sure(confidence: float) -> float:
    return round(min(SURE, max(0.0, confidence)), 3)


def _judged(item: ReadItem, factor: float) -> ReadItem:
    return replace(item, confidence=_sure(item.confidence * max(factor, 0.9 if is_consistent(item) else 0.0)))


# --- the head


def _merchant(rows: Sequence[Row]) -> Text | None:
    """The tallest words at the top; the first of those that are about as tall."""
    head = [row for row in rows[:HEAD_ROWS] if _could_be_a_name(row)]
    if not head:
        return None
    tallest = max(row.height for row in head)
    chosen = next(row for row in head if row.height >= 0.85 * tallest)
    words = " ".join(word.text for word in chosen.words).strip()[:NAME_LENGTH_MAX]
    return Text(words, _sure(chosen.score * (0.95 if chosen is head[0] else 0.7)))


def _could_be_a_name(row: Row) -> bool:
    text = row.text
    letters = sum(letter.isalpha() for letter in text)
    return (
        letters >= 3
        and letters * 2 > len(text.replace(" ", ""))
        and label_of(text) is None
        and day_of(text) is None
    )


def _date(rows: Sequence[Row]) -> Text | None:
    """The first day on it; surer where the row says that it is one."""
    for row in rows:
        for text in (*(word.text for word in row.words), row.text):
            day = day_of(text)
            if day is not None:
                says_so = any(word in row.text.lower() for word in ("date", "dt", "dated"))
                return Text(day, _sure(row.score * (0.95 if says_so else 0.85)))
    return None


# --- the body


def _bill(entries: Sequence[Entry], digits: int) -> _Body:
    """A bill with items, and what follows them."""
    builder = _Builder(digits, _has_points(entries, digits))
    for entry in entries[_first_row(entries) :]:
        builder.take(entry)
    return _Body(tuple(builder.items[:ITEMS_MAX]), tuple(builder.charges), tuple(builder.totals))


def _pump(rows: Sequence[Row], entries: Sequence[Entry], digits: int) -> _Body:
    """What a filling station prints: one product, and what it came to."""
    item = product_of(rows, entries, digits)
    if item is None:
        return _bill(entries, digits)
    return _Body((item,), (), ((3, Money(item.amount, item.confidence)),))


def _first_row(entries: Sequence[Entry]) -> int:
    """The one after the headings of the columns; the first where there are none."""
    for index, entry in enumerate(entries):
        words = {word.strip(".:").lower() for word in entry.name.split()}
        if len(words & _HEADINGS) >= 2 and not entry.numbers:
            return index + 1
    return 0


def _has_points(entries: Iterable[Entry], digits: int) -> bool:
    """Whether this bill prints amounts with their minor units: then what has none is no amount."""
    last = [entry.last for entry in entries if entry.last is not None]
    return digits > 0 and 2 * sum(number.places == digits for number in last) >= len(last)


class _Builder:
    """Takes rows in their order. A name may stand above its numbers."""

    def __init__(self, digits: int, has_points: bool) -> None:  # noqa: FBT001 - one of two kinds of bills
        self.items: list[ReadItem] = []
        self.charges: list[Charge] = []
        self.totals: list[tuple[int, Money]] = []
        self._digits = digits
        self._has_points = has_points
        self._name: Entry | None = None
        self._is_among_items = True
        self._expected: int | None = None

    def take(self, entry: Entry) -> None:
        """The next row."""
        amount = self._amount(entry)
        if entry.label in CHARGES or entry.label in _RANKS or entry.label is Label.SUBTOTAL:
            if not self._is_an_item_all_the_same(entry):
                self._labelled(entry, amount)
                return
        elif entry.label is Label.NOISE and not self._is_an_item_all_the_same(entry):
            self._name = None
            return
        if self._is_among_items:
            self._item(entry, amount)

    def _amount(self, entry: Entry) -> int | None:
        number = entry.last
        if number is None or (self._has_points and number.places != self._digits):
            return None
        return number.minor(self._digits)

    def _is_an_item_all_the_same(self, entry: Entry) -> bool:
        """A `Date Shake` with a quantity and a rate is one."""
        item = item_of(entry, self._digits)
        return self._is_among_items and item is not None and len(entry.numbers) >= 3 and is_consistent(item)

    def _labelled(self, entry: Entry, amount: int | None) -> None:
        label, self._name = entry.label, None
        if label is None or (label is Label.PAYMENT and not self.items):
            return
        if amount is None:
            return
        if self.items:
            self._is_among_items = False
        if label in _RANKS:
            self.totals.append((_RANKS[label], Money(abs(amount), entry.score * _LABELLED[_RANKS[label]])))
        elif label in CHARGES and self.items:
            signed = -abs(amount) if label is Label.DISCOUNT else amount
            self.charges.append(Charge(label, entry.name, signed, entry.score))

    def _item(self, entry: Entry, amount: int | None) -> None:
        if has_name(entry):
            self._named(entry, amount)
        elif entry.numbers:
            self._numbers(entry, amount)

    def _named(self, entry: Entry, amount: int | None) -> None:
        item = None if amount is None else item_of(entry, self._digits)
        if item is None:
            self._name = entry
            return
        is_bare = len(entry.numbers) == 1
        if is_bare and len(self.items) >= 2 and item.amount == sum(it.amount for it in self.items):
            self._is_among_items = False  # a sum, whatever its name was
            return
        self._name = None
        self.items.append(item)

    def _numbers(self, entry: Entry, amount: int | None) -> None:
        """Numbers alone: those of the name above, or the amount that was worked out already."""
        name, self._name = self._name, None
        if name is None:
            if len(entry.numbers) == 1 and amount is not None and amount == self._expected:
                self._expected = None
            return
        # Where the amount is there, it counts; where it was read as something else, what it must have been.
        has_amount = amount is not None and len(entry.numbers) != 2
        detail = None if has_amount else detail_of(entry, self._digits)
        item = detail or (None if amount is None else item_of(entry, self._digits))
        if item is None:
            return
        if detail is not None:
            self._expected = item.amount
        self.items.append(replace(item, name=name.name, confidence=min(name.score, item.confidence)))


# --- whether it adds up


def _sum(items: Iterable[ReadItem], charges: Iterable[Charge]) -> int:
    return sum(item.amount for item in items) + sum(c.amount for c in charges if not c.included)


def _alternatives(body: _Body) -> list[tuple[Charge, ...]]:
    """Which of the charges the prices may hold already: none, the taxes, the discounts, or both; likeliest first."""
    kinds = [kind for kind in (Label.TAX, Label.DISCOUNT) if any(c.kind is kind for c in body.charges)]
    held = [set(some) for count in range(len(kinds) + 1) for some in combinations(kinds, count)]
    return [tuple(replace(c, included=c.kind in some) for c in body.charges) for some in held]


def _matching(body: _Body) -> tuple[tuple[Charge, ...], tuple[int, Money]] | None:
    """Charges and a total that fit the items; the total with the best name first."""
    totals = sorted(body.totals, key=lambda total: -total[0])
    for total in totals:
        for charges in _alternatives(body):
            if _sum(body.items, charges) == total[1].value:
                return charges, total
    return None


def _settled(body: _Body) -> _Body:
    """The body, with one number put right if that makes it add up."""
    if not body.items or not body.totals or _matching(body) is not None:
        return body
    for mended in _mendings(body):
        if _matching(mended) is not None:
            return mended
    return body


def _mendings(body: _Body) -> Iterable[_Body]:
    """Bodies with one number read another way: by quantity and rate, or without a rupee sign taken for a digit."""
    for index, item in enumerate(body.items):
        for amount in _other_amounts(item):
            fixed = replace(item, amount=amount, confidence=item.confidence * _MENDED)
            yield replace(body, items=(*body.items[:index], fixed, *body.items[index + 1 :]))
    for index, (rank, money) in enumerate(body.totals):
        for amount in _without_first_digit(money.value):
            fixed_total = (rank, Money(amount, money.confidence * _MENDED))
            yield replace(body, totals=(*body.totals[:index], fixed_total, *body.totals[index + 1 :]))
    for index, charge in enumerate(body.charges):
        for amount in (-charge.amount, *_without_first_digit(charge.amount)):
            changed = replace(charge, amount=amount, confidence=charge.confidence * _MENDED)
            yield replace(body, charges=(*body.charges[:index], changed, *body.charges[index + 1 :]))


def _other_amounts(item: ReadItem) -> Iterable[int]:
    if item.quantity is not None and item.rate is not None:
        yield round(item.quantity * item.rate)
    yield from _without_first_digit(item.amount)
    if item.amount % 100 == 0:
        yield item.amount // 100  # a point that wasn't seen


def _without_first_digit(amount: int) -> Iterable[int]:
    digits = str(abs(amount))
    if len(digits) > 3:
        yield int(digits[1:]) * (1 if amount > 0 else -1)


def _with_included(body: _Body, total: Money | None) -> tuple[Charge, ...]:
    """The charges, so that they come nearest to the total."""
    choices = _alternatives(body)
    if total is None:
        return choices[0]
    return min(choices, key=lambda charges: abs(total.value - _sum(body.items, charges)))


def _total(body: _Body) -> Money | None:
    """What fits the items; else what has the best name; else the items and charges together, for want of anything."""
    matching = _matching(body)
    if matching is not None:
        _, (rank, money) = matching
        score = money.confidence / _LABELLED[rank]
        return Money(money.value, max(money.confidence, SURE * score))
    if body.totals:
        best = max(rank for rank, _ in body.totals)
        return [money for rank, money in body.totals if rank == best][-1]
    if not body.items:
        return None
    score = min(item.confidence for item in body.items)
    return Money(_sum(body.items, body.charges), score * _LABELLED[0])
