"""What every store of tallies keeps to, real or not."""

import asyncio
from contextlib import suppress

import pytest
from pymongo import UpdateOne

from persplit.adapters import mongo_tallies, sqlite_tallies
from persplit.adapters.mongo_store import connect, database_of
from persplit.adapters.mongo_tallies import MongoTallies
from persplit.service.errors import StoreUnavailable
from persplit.service.tallies import (
    Advance,
    Asked,
    By,
    Cell,
    CellKind,
    GroupTally,
    Step,
    Sums,
    Tallies,
    TallyMoved,
)
from tests.adapters.conftest import Backend

NOW = "g1"
"""The generation."""
HUGE = 10**18
"""A hundred of these are beyond 64 bits."""


def tally(
    group_id: str, seq: int, *, outstanding: int = 0, currency: str = "INR", day: str = "2026-03-01"
) -> GroupTally:
    return GroupTally(
        group_id, seq, f"{day}T12:00:00.000Z", currency, 3, outstanding, 1, 2, is_archived=seq == 9
    )


def spent(
    user_id: str, amount: int, count: int = 1, *, day: str = "2026-03-01", currency: str = "INR"
) -> dict[Cell, Sums]:
    """What an expense does that one person paid."""
    return {
        Cell(CellKind.EVENTS, day): Sums(1),
        Cell(CellKind.EXPENSES, day, currency=currency): Sums(count, amount),
        Cell(CellKind.PAID, day, user_id, currency): Sums(count, amount),
    }


async def moved(tallies: Tallies, group_id: str, *steps: dict[Cell, Sums], after: int = 0) -> None:
    numbered = [(after + place, changes) for place, changes in enumerate(steps, 1)]
    await tallies.advance(NOW, Advance(after, numbered, tally(group_id, after + len(steps))))


async def by(
    tallies: Tallies, what: By, kind: CellKind = CellKind.PAID, generation: str = NOW
) -> dict[str, Sums]:
    return dict(await tallies.sums(generation, Asked(kind, what)))


async def test_a_group_moves_on_from_where_it_is_and_from_nowhere_else(tallies: Tallies) -> None:
    first, second = spent("asha", 900), spent("ben", 100)
    with pytest.raises(TallyMoved):
        await moved(tallies, "goa", second, after=1)
    await moved(tallies, "goa", first)
    for after in (0, 2):
        with pytest.raises(TallyMoved):
            await moved(tallies, "goa", second, after=after)
    await moved(tallies, "goa", second, after=1)
    assert await tallies.seqs(NOW, ["goa", "diu"]) == {"goa": 2}
    assert await tallies.groups(NOW, ["goa", "diu"]) == {"goa": tally("goa", 2)}
    assert await tallies.groups(NOW, []) == {}
    assert await by(tallies, By.USER) == {"asha": Sums(1, 900), "ben": Sums(1, 100)}


async def test_what_is_taken_back_is_over_nothing_and_not_told(tallies: Tallies) -> None:
    await moved(tallies, "goa", spent("asha", 900), spent("ben", 100), spent("asha", -900, -1))
    assert await by(tallies, By.USER) == {"ben": Sums(1, 100)}
    assert await by(tallies, By.CURRENCY, CellKind.EXPENSES) == {"INR": Sums(1, 100)}
    assert await by(tallies, By.CURRENCY, CellKind.EVENTS) == {"": Sums(3)}


async def test_sums_of_days_currencies_and_groups_largest_first_a_page_at_a_time(tallies: Tallies) -> None:
    await moved(
        tallies,
        "goa",
        spent("asha", 300, day="2026-03-01"),
        spent("ben", 300, day="2026-03-02"),
        spent("chitra", 500, day="2026-03-03"),
        spent("dan", 7, day="2026-03-03", currency="JPY"),
    )
    await moved(tallies, "diu", spent("asha", 1, day="2026-03-02"))

    async def asked(**more: object) -> list[tuple[str, int]]:
        question = Asked(**{"kind": CellKind.PAID, "by": By.USER, **more})  # type: ignore[arg-type]
        return [(key, sums.amount) for key, sums in await tallies.sums(NOW, question)]

    assert await asked() == [("chitra", 500), ("asha", 301), ("ben", 300), ("dan", 7)]
    assert await asked(skipped=1, limit=2) == [("asha", 301), ("ben", 300)]
    assert await asked(currency="JPY") == [("dan", 7)]
    assert await asked(group_ids=["diu", "daman"]) == [("asha", 1)]
    assert await asked(group_ids=[]) == []
    assert await asked(since="2026-03-02", until="2026-03-02") == [("ben", 300), ("asha", 1)]
    assert await asked(by=By.CURRENCY) == [("INR", 1101), ("JPY", 7)]
    assert await asked(by=By.GROUP, until="2026-03-02", kind=CellKind.EXPENSES) == [("goa", 600), ("diu", 1)]
    events = Asked(CellKind.EVENTS, By.GROUP, is_by_count=True)
    assert list(await tallies.sums(NOW, events)) == [("goa", Sums(4)), ("diu", Sums(1))]
    for since, groups in (("2026-03-02", 2), ("2026-03-03", 1), ("2026-03-04", 0)):
        assert await tallies.active(NOW, since, "9999-12-31") == groups


async def test_groups_with_something_outstanding_largest_first(tallies: Tallies) -> None:
    stands = [
        tally("goa", 1, outstanding=500),
        tally("diu", 1, outstanding=700, day="2026-02-01"),
        tally("ooty", 1, outstanding=700),
        tally("osaka", 1, outstanding=9, currency="JPY"),
        tally("done", 1),
    ]
    for stand in stands:
        await tallies.advance(NOW, Advance(0, [(1, {})], stand))

    async def unsettled(limit: int, since: str = "0001-01-01") -> list[str]:
        found = await tallies.unsettled(NOW, "INR", since, "2026-03-01", limit)
        return [one.group_id for one in found]

    assert await unsettled(9) == ["diu", "ooty", "goa"]
    assert await unsettled(2) == ["diu", "ooty"]
    assert await unsettled(9, since="2026-02-02") == ["ooty", "goa"]
    assert await tallies.outstanding(NOW) == {"INR": Sums(3, 1900), "JPY": Sums(1, 9)}
    assert await tallies.count(NOW) == 5


async def test_sums_beyond_64_bits_are_exact(tallies: Tallies) -> None:
    for number in range(12):
        advance = Advance(
            0, [(1, spent("asha", HUGE + number))], tally(f"g{number}", 1, outstanding=HUGE + 1)
        )
        await tallies.advance(NOW, advance)
    total = sum(HUGE + number for number in range(12))
    assert await by(tallies, By.USER) == {"asha": Sums(12, total)}
    assert await tallies.outstanding(NOW) == {"INR": Sums(12, 12 * HUGE + 12)}


async def test_generations_know_nothing_of_each_other_and_go_as_a_whole(
    tallies: Tallies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_tallies, "DROPPED_AT_ONCE", 2)
    monkeypatch.setattr(mongo_tallies, "DROPPED_AT_ONCE", 2)
    await moved(tallies, "goa", spent("asha", 900), spent("ben", 100))
    await tallies.advance("g2", Advance(0, [(1, spent("asha", 1))], tally("goa", 1)))
    assert await by(tallies, By.USER, generation="g2") == {"asha": Sums(1, 1)}
    for _ in range(2):
        await tallies.drop(NOW)
    assert (await by(tallies, By.USER), await tallies.count(NOW)) == ({}, 0)
    assert await by(tallies, By.USER, generation="g2") == {"asha": Sums(1, 1)}


async def test_a_group_that_was_erased_is_in_no_sum_any_more(tallies: Tallies) -> None:
    await moved(tallies, "goa", spent("asha", 900))
    await moved(tallies, "diu", spent("ben", 100))
    await tallies.advance("g2", Advance(0, [(1, spent("asha", 1))], tally("goa", 1)))
    for _ in range(2):
        await tallies.forget("goa")
    assert await by(tallies, By.USER) == {"ben": Sums(1, 100)}
    assert await by(tallies, By.USER, generation="g2") == {}
    assert await tallies.seqs(NOW, ["goa", "diu"]) == {"diu": 1}


async def test_of_nodes_that_move_a_group_on_at_once_each_step_counts_once(backend: Backend) -> None:
    nodes = [await backend.tallies() for _ in range(3)]
    steps: list[Step] = [(seq, spent(f"user {seq % 3}", seq)) for seq in range(1, 21)]

    async def follow(tallies: Tallies, pace: int) -> None:
        while (after := (await tallies.seqs(NOW, ["goa"])).get("goa", 0)) < len(steps):
            some = steps[after : after + pace]
            with suppress(TallyMoved):
                await tallies.advance(NOW, Advance(after, some, tally("goa", after + len(some))))

    await asyncio.gather(*(follow(tallies, pace) for tallies, pace in zip(nodes, (1, 3, 7), strict=True)))
    expected = {
        f"user {rest}": Sums(len(own), sum(own))
        for rest in range(3)
        if (own := [seq for seq, _ in steps if seq % 3 == rest])
    }
    assert await by(nodes[0], By.USER) == expected


@pytest.mark.parametrize("written", range(7))
async def test_an_advance_that_broke_off_anywhere_is_finished_by_the_next(
    mongodb_uri: str, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_tallies, "OPERATIONS_AT_ONCE", 2)
    client = connect(mongodb_uri)
    try:
        tallies = MongoTallies(database_of(client))
        await tallies.open()
        await tallies.drop(NOW)
        change, left = tallies._change, [written]

        async def breaks(operations: list[UpdateOne]) -> None:
            if left[0] == 0:
                raise StoreUnavailable("killed")
            left[0] -= 1
            await change(operations)

        monkeypatch.setattr(tallies, "_change", breaks)
        steps = [spent("asha", 900), spent("ben", 100), spent("asha", -300)]
        with suppress(StoreUnavailable):
            await moved(tallies, "goa", *steps)
        monkeypatch.setattr(tallies, "_change", change)
        # The next one takes in less of it in one go, and the rest then.
        if not await tallies.seqs(NOW, ["goa"]):
            await moved(tallies, "goa", steps[0])
            await moved(tallies, "goa", *steps[1:], after=1)
        assert await by(tallies, By.USER) == {"asha": Sums(2, 600), "ben": Sums(1, 100)}
        assert await by(tallies, By.CURRENCY, CellKind.EXPENSES) == {"INR": Sums(3, 700)}
    finally:
        await tallies.drop(NOW)
        closing: object = client.close()
        assert closing is None
