"""Rates of exchange that the operator of the server has uploaded: one document for each two currencies."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from persplit.exchange.rate_table import Rate
from persplit.ledger.money import CURRENCIES
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import Body, Document, Documents, DuplicateKey, VersionChanged

DAYS_MAX: Final = 10_000
"""Rates that are kept for two currencies, the newest: one a day for 27 years."""
ATTEMPTS_MAX: Final = 8
"""Times that a document is changed anew when somebody else was first."""


class Rates:
    """Where nothing was uploaded, no rate is known."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def add(self, rates: Iterable[Rate]) -> int:
        """Keep these beside those that are there, in place of one for the same day; returns how many pairs changed.

        Each two currencies are one write. Broken off in the middle it can be done again.
        """
        pairs: dict[tuple[str, str], dict[str, str]] = {}
        for rate in rates:
            pairs.setdefault((rate.currency, rate.into), {})[rate.date] = rate.rate
        for (currency, into), by_day in pairs.items():
            await self._keep(currency, into, by_day)
        return len(pairs)

    async def _keep(self, currency: str, into: str, by_day: Mapping[str, str]) -> None:
        id_ = _id(currency, into)
        for _ in range(ATTEMPTS_MAX):
            found = (await self._documents.get([id_])).get(id_)
            known = {} if found is None else _by_day(found)
            kept = dict(sorted({**known, **by_day}.items())[-DAYS_MAX:])
            body: Body = {"currency": currency, "into": into, "rates": kept}
            try:
                if found is None:
                    await self._documents.insert(Document(id_, body, {"into": into}))
                else:
                    await self._documents.replace(Document(id_, body, {"into": into}, found.version))
            except (DuplicateKey, VersionChanged):
                continue
            return
        raise StoreUnavailable("the rates are being changed from too many sides")

    async def on(self, currency: str, into: str, day: str) -> str | None:
        """The newest rate on or before the day, YYYY-MM-DD; None where none is known."""
        id_ = _id(currency, into)
        found = (await self._documents.get([id_])).get(id_)
        rate = None if found is None else _newest(found, day)
        return None if rate is None else rate.rate

    async def into(self, into: str, day: str) -> Sequence[Rate]:
        """The newest rate on or before the day of each currency that has one, in order of currency."""
        found = await self._documents.find("into", into, len(CURRENCIES))
        rates = (_newest(document, day) for document in found)
        return [rate for rate in rates if rate is not None]


def check_rates(document: Document) -> None:
    """Return if the document is what it has to be. Raises `LookupError`, `TypeError` or `ValueError`."""
    currency, into = document.body["currency"], document.body["into"]
    if document.id != _id(currency, into) or not all(
        isinstance(rate, str) for rate in _by_day(document).values()
    ):
        raise ValueError("it isn't the rates of two currencies")


def _id(currency: str, into: str) -> str:
    return f"{currency}:{into}"


def _by_day(document: Document) -> Mapping[str, str]:
    by_day: Mapping[str, str] = document.body["rates"]
    return by_day


def _newest(document: Document, day: str) -> Rate | None:
    by_day = _by_day(document)
    days = sorted(by_day)
    place = bisect_right(days, day)
    if place == 0:
        return None
    date = days[place - 1]
    return Rate(date, document.body["currency"], document.body["into"], by_day[date])
