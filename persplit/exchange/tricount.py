"""Tricount's registry, as its interface answers: JSON with resolved allocations.

Expenses are negative, income is positive, BALANCE is money from one to another. The allocations say what falls to
whom in whole units, whatever the ratios that they came from.
"""

from decimal import Decimal
from typing import Any

from persplit.exchange.book import PEOPLE_MAX, ROWS_MAX, Book, Entry, Format, Kind, Unread, UnreadableFile
from persplit.exchange.cells import (
    BadCell,
    category_of,
    day_of,
    decimal_of,
    description_of,
    minor_units,
    plain,
)
from persplit.exchange.entries import People, content_of, is_payment, plainest_split, turned, unread
from persplit.exchange.json_text import at, list_at, parsed, text_at
from persplit.ledger.money import CURRENCIES


def looks_like(value: Any) -> bool:
    """Whether it is one of these."""
    return _registry(value) is not None


def read(text: str) -> Book:
    """The book of the text. Raises `UnreadableFile`."""
    registry = _registry(parsed(text))
    if registry is None:
        raise UnreadableFile("there is no Registry with all_registry_entry in it")
    people = People()
    try:
        for membership in list_at(registry, "memberships", PEOPLE_MAX):
            people.add(*_member(membership))
        listed = list_at(registry, "all_registry_entry", ROWS_MAX)
    except BadCell as error:
        raise UnreadableFile(str(error)) from None
    reading = _Reading(people)
    for row, entry in enumerate(listed, 1):
        reading.take(row, entry)
    currency = text_at(registry, "currency")
    return Book(
        Format.TRICOUNT,
        people.list(),
        entries=reading.entries,
        refused=reading.refused,
        ignored=reading.ignored,
        currency=currency if currency in CURRENCIES else None,
    )


def _registry(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("Response"), list) and value["Response"]:
        value = value["Response"][0]
    if isinstance(value, dict) and isinstance(value.get("Registry"), dict):
        value = value["Registry"]
    return value if isinstance(value, dict) and "all_registry_entry" in value else None


def _member(membership: Any) -> tuple[str, str]:
    """Key and name of a membership, of whatever kind it is."""
    inner = next(iter(membership.values()), None) if isinstance(membership, dict) else None
    if not isinstance(inner, dict):
        raise BadCell("a membership is not what it should be")
    key = inner.get("id", inner.get("uuid"))
    if not isinstance(key, int | str) or isinstance(key, bool):
        raise BadCell("a membership has no id")
    return str(key), plain(at(at(inner, "alias", dict), "display_name", str))


class _Reading:
    def __init__(self, people: People) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Unread] = []
        self.ignored: list[Unread] = []
        self._people = people

    def take(self, row: int, listed: Any) -> None:
        try:
            self._take(row, at(listed, "RegistryEntry", dict))
        except BadCell as error:
            self.refused.append(unread(row, error))

    def _take(self, row: int, entry: Any) -> None:
        if text_at(entry, "status") not in ("", "ACTIVE"):
            self.ignored.append(Unread(row, "it was deleted"))
            return
        currency = at(at(entry, "amount", dict), "currency", str)
        if currency not in CURRENCIES:
            raise BadCell("its currency is not an ISO 4217 code")
        amount = _units(entry, currency)
        if amount == 0:
            self.ignored.append(Unread(row, "its amount is zero"))
            return
        paid = {self._people.add(*_member(at(entry, "membership_owned", dict))): abs(amount)}
        is_refund = amount > 0
        shares = self._shares(entry, amount, currency)
        kind = Kind.REFUND if is_refund else Kind.EXPENSE
        if text_at(entry, "type_transaction") == "BALANCE" and not is_refund and is_payment(paid, shares):
            kind = Kind.PAYMENT
        payers, borne = turned(paid, shares, is_refund=is_refund)
        split_type, splits = plainest_split(borne)
        date = day_of(at(entry, "date", str))
        said = (date, amount, currency, *paid, *sorted(shares.items()), text_at(entry, "description"))
        self.entries.append(
            Entry(
                row=row,
                key=text_at(entry, "uuid") or str(at(entry, "id", int)),
                content=content_of(*said),
                kind=kind,
                description=description_of(text_at(entry, "description")),
                date=date,
                currency=currency,
                split_type=split_type,
                splits=splits,
                category=_category(entry),
                remark="its attachments stay behind" if entry.get("attachment") else None,
                payers=payers,
                shares=borne,
            )
        )

    def _shares(self, entry: Any, amount: int, currency: str) -> dict[str, int]:
        shares: dict[str, int] = {}
        for allocation in list_at(entry, "allocations", PEOPLE_MAX):
            person = self._people.add(*_member(at(allocation, "membership", dict)))
            part = _units(allocation, currency)
            if part * amount < 0:
                raise BadCell("an allocation has another sign than the amount")
            shares[person] = shares.get(person, 0) + abs(part)
        if sum(shares.values()) != abs(amount):
            raise BadCell(f"the allocations sum to {sum(shares.values())} minor units, not to {abs(amount)}")
        return shares


def _units(value: Any, currency: str) -> int:
    amount = at(value, "amount", dict)
    if at(amount, "currency", str) != currency:
        raise BadCell("an allocation is in another currency than the amount")
    found = amount.get("value")
    number = decimal_of(found) if isinstance(found, str) else Decimal(at(amount, "value", int))
    return minor_units(number, currency)


def _category(entry: Any) -> str | None:
    named = text_at(entry, "category_custom") or text_at(entry, "category")
    return None if named == "UNCATEGORIZED" else category_of(named.replace("_", " ").capitalize())
