"""Looking for expenses and adding them up on the device: as the server does, and with what waits."""

from datetime import date

from persplit.client import ExpenseFilter
from persplit.transport.statistics_operations import statistics_view
from tests.client.devices import Devices, dinner, fetch, group_of, my_id


async def test_what_is_found_and_what_it_comes_to_is_what_the_server_says(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    await asha.create_expense(group_id, dinner(900, "Dinner", category="Dining out", date="2026-02-28"))
    await ben.create_expense(group_id, dinner(101, "Lunch", notes="late dinner", date="2026-03-01"))
    for client in (ben, asha):
        await client.sync()
    found = await asha.expenses(group_id, where=ExpenseFilter(text="dinner", payer=await my_id(ben)))
    assert [entry.expense.description for entry in found] == ["Lunch"]
    told = await fetch(asha, f"/groups/{group_id}/statistics", **{"from": "2026-02-28", "to": "2026-03-01"})
    ours = await asha.statistics(group_id, date_from=date(2026, 2, 28), date_to=date(2026, 3, 1))
    assert statistics_view(ours) == {key: told[key] for key in statistics_view(ours)}
    await asha.create_expense(group_id, dinner(50, "Tea", date="2026-03-02"))
    assert (await asha.statistics(group_id)).amount == ours.amount + 50
    assert await asha.statistics(group_id, date_to=date(2026, 3, 1)) == ours
