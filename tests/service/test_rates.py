"""Rates of exchange, as they are kept: the newest on or before a day."""

from collections.abc import Sequence

import pytest

from persplit.adapters.memory_store import MemoryDocuments
from persplit.exchange.rate_table import Rate
from persplit.service import rates as rates_module
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import Document, VersionChanged
from persplit.service.rates import Rates, check_rates


def euros(day: str, rate: str) -> Rate:
    return Rate(day, "EUR", "INR", rate)


async def test_the_newest_rate_on_or_before_the_day_counts() -> None:
    rates = Rates(MemoryDocuments())
    assert await rates.on("EUR", "INR", "2026-11-25") is None
    pairs = await rates.add(
        [euros("2026-11-20", "96"), euros("2026-11-25", "97"), Rate("2026-11-25", "JPY", "INR", "0.5")]
    )
    assert pairs == 2
    known = {day: await rates.on("EUR", "INR", f"2026-11-{day}") for day in ("19", "20", "24", "25", "26")}
    assert known == {"19": None, "20": "96", "24": "96", "25": "97", "26": "97"}
    assert await rates.on("INR", "EUR", "2026-11-25") is None


async def test_a_later_table_corrects_and_adds() -> None:
    rates = Rates(MemoryDocuments())
    await rates.add([euros("2026-11-20", "96"), euros("2026-11-21", "97")])
    await rates.add([euros("2026-11-21", "97.5"), euros("2026-11-22", "98")])
    assert [await rates.on("EUR", "INR", f"2026-11-2{day}") for day in range(3)] == ["96", "97.5", "98"]


async def test_all_that_is_known_into_a_currency() -> None:
    rates = Rates(MemoryDocuments())
    await rates.add(
        [
            euros("2026-11-20", "96"),
            Rate("2026-11-22", "JPY", "INR", "0.5"),
            Rate("2026-11-20", "INR", "EUR", "0.01"),
        ]
    )
    assert await rates.into("INR", "2026-11-21") == [euros("2026-11-20", "96")]
    assert [rate.currency for rate in await rates.into("INR", "2026-11-22")] == ["EUR", "JPY"]


async def test_only_so_many_days_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates_module, "DAYS_MAX", 2)
    rates = Rates(MemoryDocuments())
    await rates.add([euros(f"2026-11-{day}", str(day)) for day in (20, 21, 22)])
    assert await rates.on("EUR", "INR", "2026-11-20") is None
    assert await rates.on("EUR", "INR", "2026-11-21") == "21"


class Contended(MemoryDocuments):
    """Somebody else is first, so many times."""

    times = 0

    async def replace(self, document: Document) -> Document:
        if self.times:
            self.times -= 1
            raise VersionChanged
        return await super().replace(document)


@pytest.mark.parametrize("times", [1, 99])
async def test_two_uploads_at_once_both_count_or_say_so(times: int) -> None:
    documents = Contended()
    rates = Rates(documents)
    await rates.add([euros("2026-11-20", "96")])
    documents.times = times
    if times == 99:
        with pytest.raises(StoreUnavailable):
            await rates.add([euros("2026-11-21", "97")])
    else:
        await rates.add([euros("2026-11-21", "97")])
        assert await rates.on("EUR", "INR", "2026-11-21") == "97"


@pytest.mark.parametrize("body", [{}, {"currency": "EUR", "into": "INR", "rates": {"2026-11-20": 97}}])
def test_damage_is_found(body: dict[str, object]) -> None:
    damaged: Sequence[type[Exception]] = (LookupError, TypeError, ValueError)
    with pytest.raises(tuple(damaged)):
        check_rates(Document("EUR:INR", body))
    check_rates(Document("EUR:INR", {"currency": "EUR", "into": "INR", "rates": {"2026-11-20": "97"}}))
