"""Looking for expenses, and statistics, over REST."""

from tests.system.conftest import MakePhone


async def test_expenses_are_looked_for_in_pages(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    for number in range(5):
        await asha.spends(group_id, 1_000 + number, description=f"Dinner {number}", category="food")
    await ben.spends(group_id, 77, description="Bus", notes="1200 to town", date="2026-01-31", category="Bus")
    path = f"/groups/{group_id}/expenses"
    first = await asha.ok("GET", f"{path}?text=DINNER&limit=3")
    rest = await asha.ok("GET", f"{path}?text=DINNER&limit=3&cursor={first['nextCursor']}")
    found = [it["description"] for it in (*first["expenses"], *rest["expenses"])]
    assert found == [f"Dinner {number}" for number in (4, 3, 2, 1, 0)]
    assert rest["nextCursor"] is None
    for query, count in (
        ("text=1200", 1),
        ("category=transport", 1),
        (f"payer={ben.user_id}", 1),
        (f"member={ben.user_id}", 6),
        ("amountMin=1001&amountMax=1003", 3),
        ("from=2026-01-01&to=2026-01-31", 1),
        ("to=2026-01-30", 0),
    ):
        assert len((await ben.ok("GET", f"{path}?{query}"))["expenses"]) == count, query
    for bad in ("amountMin=0", "amountMin=x", "from=yesterday", "text=", "words=x"):
        assert (await asha.rest("GET", f"{path}?{bad}")).code == "validation_failed", bad
    stranger = await phones("Dev")
    assert (await stranger.rest("GET", f"{path}?text=x")).code == "not_found"


async def test_statistics(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await asha.spends(group_id, 900, category="Dinner", date="2026-02-28")
    await ben.spends(group_id, 100, category="Uncle's wedding", date="2026-03-01")
    found = await asha.ok("GET", f"/groups/{group_id}/statistics")
    assert (found["count"], found["amount"], found["paid"], found["share"]) == (2, 1_000, 900, 500)
    assert found["categories"][0] == {"category": "food", "icon": "🍽️", "count": 1, "amount": 900}
    assert found["categories"][1]["icon"] is None
    assert [it["month"] for it in found["months"]] == ["2026-02", "2026-03"]
    march = await ben.ok("GET", f"/groups/{group_id}/statistics?from=2026-03-01&to=2026-03-31")
    assert (march["amount"], march["paid"], march["share"]) == (100, 100, 50)
    stranger = await phones("Dev")
    assert (await stranger.rest("GET", f"/groups/{group_id}/statistics")).code == "not_found"
