"""What an expense can be beside one in the group's own currency, over REST and sockets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from persplit.bootstrap import Node
from persplit.exchange.rate_table import Rate
from tests.system.conftest import MakePhone
from tests.system.phone import Json

MUSEUM: Json = {"description": "Museum", "amount": 4_500, "splitType": "EQUAL", "currency": "EUR"}


async def test_an_expense_in_euros_counts_in_rupees(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await ben.connect()
    path = f"/groups/{group_id}/expenses"
    made = (await asha.ok("POST", path, {**MUSEUM, "rate": "97.250"}))["expense"]
    assert (made["amount"], [share["amount"] for share in made["shares"]]) == (437_625, [218_812, 218_813])
    original = made["original"]
    assert (original["amount"], original["rate"], original["rateSource"]) == (4_500, "97.25", "GIVEN")
    heard = await ben.hears("expense:created")
    assert heard["expense"] == made
    assert {abs(balance["amount"]) for balance in heard["updatedBalances"]} == {218_813}
    # Back as it was typed, with another text: the rate stays.
    sent = {**MUSEUM, "description": "The museum"}
    edited = await ben.done("expense:update", groupId=group_id, expenseId=made["id"], **sent)
    assert edited["expense"]["original"] == original


async def test_without_a_rate_the_servers_table_is_asked(server: tuple[Node, str], phones: MakePhone) -> None:
    rates = server[0].services.rates
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    path = f"/groups/{group_id}/expenses"
    dinars = {**MUSEUM, "currency": "KWD", "date": "2026-11-25"}
    unknown = await asha.rest("POST", path, {**dinars, "date": "2001-01-01"})
    assert (unknown.status, unknown.code) == (422, "rate_unknown")
    await rates.add([Rate("2026-11-20", "KWD", "INR", "290"), Rate("2026-11-26", "KWD", "INR", "300")])
    made = (await asha.ok("POST", path, dinars))["expense"]
    assert (made["amount"], made["original"]["rateSource"]) == (4_500 * 29, "TABLE")
    listed = await asha.ok("GET", "/rates?into=INR&date=2026-11-25")
    assert {"date": "2026-11-20", "currency": "KWD", "into": "INR", "rate": "290"} in listed["rates"]


async def test_a_refund_turns_the_balances(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await asha.spends(group_id, 1_000)
    refund = {"description": "Back", "amount": 1_500, "splitType": "EQUAL", "kind": "REFUND"}
    made = (await asha.ok("POST", f"/groups/{group_id}/expenses", refund))["expense"]
    assert made["kind"] == "REFUND"
    stands = await ben.ok("GET", f"/groups/{group_id}/balances")
    assert [(row["from"], row["amount"]) for row in stands["settleUp"]] == [(asha.user_id, 250)]
    headers = {"Authorization": f"Bearer {asha.token}"}
    url = f"{asha.url}/api/v1/groups/{group_id}/export.csv"
    async with asha.http.get(url, headers=headers) as response:
        row = (await response.text()).splitlines()[-1]
    assert row.partition(",")[2] == "refund,Back,,INR,15.00,EQUAL,,7.50,7.50,15.00,"


async def test_bad_currencies_rates_and_kinds_name_their_fields(phones: MakePhone) -> None:
    asha = await phones("Asha")
    path = f"/groups/{await asha.makes_group()}/expenses"
    for fields, named in (
        ({"currency": "XXX"}, "currency"),
        ({"rate": 97.25}, "rate"),
        ({"rate": "-1"}, "rate"),
        ({"rate": "0"}, "rate"),
        ({"currency": "INR", "rate": "2"}, "rate"),
        ({"kind": "GIFT"}, "kind"),
        ({"rate": "0.000000000001"}, "amount"),
    ):
        refused = await asha.rest("POST", path, {**MUSEUM, **fields})
        assert (refused.status, [error["path"] for error in refused.body["errors"]]) == (422, [named]), fields


async def test_a_preset_and_weights_divide_what_comes(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    here = f"/groups/{group_id}"
    await ben.ok("PATCH", f"{here}/members/{ben.user_id}", {"weight": 3})
    group = await asha.ok("GET", here)
    assert [member.get("weight", 1) for member in group["members"]] == [1, 3]
    made = await asha.ok("POST", f"{here}/presets", {"name": "By weight", "splitType": "SHARES"})
    preset_id = made["preset"]["id"]
    dinner = {"description": "Dinner", "amount": 400, "presetId": preset_id}
    expense = (await asha.ok("POST", f"{here}/expenses", dinner))["expense"]
    assert [
        (split["value"], share["amount"])
        for split, share in zip(expense["splits"], expense["shares"], strict=True)
    ] == [(1, 100), (3, 300)]
    await ben.ok("PATCH", f"{here}/members/{ben.user_id}", {"weight": 1})
    await ben.ok("DELETE", f"{here}/presets/{preset_id}")
    assert (await asha.ok("GET", f"{here}/presets"))["presets"] == []
    assert (await asha.ok("GET", f"{here}/expenses/{expense['id']}"))["shares"] == expense["shares"]
    for fields, named in (
        ({"presetId": preset_id}, "presetId"),
        ({"presetId": preset_id, "splitType": "EQUAL"}, "splitType"),
        ({}, "splitType"),
    ):
        refused = await asha.rest("POST", f"{here}/expenses", {"description": "Tea", "amount": 1, **fields})
        assert [error["path"] for error in refused.body["errors"]] == [named]
    for weight in ({"weight": 0}, {"weight": 0.00001}, {"role": "ADMIN", "weight": 1}, {}):
        refused = await asha.rest("PATCH", f"{here}/members/{ben.user_id}", weight)
        assert (refused.status, refused.code) == (422, "validation_failed")


async def test_a_recurring_expense_comes_by_itself(server: tuple[Node, str], phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben, timeZone="Asia/Kolkata")
    path = f"/groups/{group_id}/recurrences"
    today = datetime.now(UTC).date() - timedelta(days=2)
    rent: Json = {
        "schedule": {"frequency": "DAILY", "start": today.isoformat(), "count": 2},
        "expense": {"description": "Milk", "amount": 60, "splitType": "EQUAL"},
    }
    made = (await asha.ok("POST", path, rent))["recurrence"]
    await server[0].services.recurring.wake()
    days = [(today + timedelta(days=number)).isoformat() for number in range(2)]
    await ben.hears("expense:created", lambda it: bool(it["expense"]["date"] == days[1]))
    heard = [it for name, it in ben.broadcasts(group_id) if name == "expense:created"]
    assert [(it["by"], it["expense"]["date"]) for it in heard] == [(asha.user_id, day) for day in days]
    assert {it["expense"]["recurrenceId"] for it in heard} == {made["id"]}
    (listed,) = (await ben.ok("GET", path))["recurrences"]
    assert (listed["madeThrough"], listed["nextDate"]) == (days[1], None)
    for bad, named in (
        ({"schedule": {**rent["schedule"], "interval": 0}}, "schedule.interval"),
        ({"schedule": {**rent["schedule"], "start": "2001-01-01"}}, "schedule.start"),
        ({"expense": {**rent["expense"], "date": "2026-01-01"}}, "expense.date"),
        ({"expense": {"description": "Milk", "amount": 60}}, "expense.splitType"),
    ):
        refused = await asha.rest("POST", path, {**rent, **bad})
        assert [error["path"] for error in refused.body["errors"]] == [named], bad
    zone = await asha.rest("PATCH", f"/groups/{group_id}", {"timeZone": "Mars/Base"})
    assert [error["path"] for error in zone.body["errors"]] == ["timeZone"]
    unknown = await asha.rest("POST", path, {**rent, "expense": {**rent["expense"], "currency": "CLF"}})
    assert unknown.code == "rate_unknown"


async def test_a_creation_replaces_nothing_and_what_was_stopped_is_not_remade(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    expense = {"description": "Milk", "amount": 60, "splitType": "EQUAL"}
    milk: Json = {"schedule": {"frequency": "DAILY", "start": _today()}, "expense": expense}
    for noun, body in (("recurrence", milk), ("preset", {"name": "Halves", "splitType": "EQUAL"})):
        path, wanted, key = f"/groups/{group_id}/{noun}s", {**body, "id": str(uuid4())}, str(uuid4())
        one = f"{path}/{wanted['id']}"
        made = await asha.ok("POST", path, wanted, idempotency_key=key)
        second = await ben.rest("POST", path, wanted)
        assert (second.status, second.code) == (409, "conflict")
        assert (await asha.ok("POST", path, wanted, idempotency_key=key))[noun] == made[noun]
        edited = await ben.ok("PUT", one, body)
        assert (edited["seq"], edited[noun]["createdBy"]) == (made["seq"] + 1, asha.user_id)
        await asha.ok("DELETE", one)
        late = await ben.rest("PUT", one, body)
        assert late.status == (409 if noun == "recurrence" else 200)
    unused = await ben.ok("PUT", f"/groups/{group_id}/recurrences/{uuid4()}", milk)
    assert unused["recurrence"]["createdBy"] == ben.user_id


async def test_what_somebody_set_up_whose_account_is_disabled_is_taken_over_by_who_lets_it_go_on(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    services = server[0].services
    asha, ben = await phones("Asha"), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    path = f"/groups/{group_id}/recurrences"
    expense = {"description": "Milk", "amount": 60, "splitType": "EQUAL"}
    start = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    daily: Json = {"schedule": {"frequency": "DAILY", "start": start, "count": 2}, "expense": expense}
    one = f"{path}/{(await asha.ok('POST', path, daily))['recurrence']['id']}"
    await ben.ok("PUT", one, daily)
    await services.administration.disable(asha.user_id, by=None)
    await services.recurring.wake()
    paused = await ben.hears("recurrence:saved", lambda it: bool(it["recurrence"]["paused"]))
    assert "disabled" in paused["recurrence"]["problem"]
    taken = await ben.ok("POST", f"{one}/pause", {"paused": False})
    assert (taken["recurrence"]["createdBy"], taken["recurrence"]["problem"]) == (ben.user_id, None)
    await services.recurring.wake()
    made = await ben.hears("expense:created")
    assert (made["by"], made["expense"]["paidBy"]) == (ben.user_id, ben.user_id)


async def test_what_rested_in_an_archived_group_goes_on_as_soon_as_it_is_back(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    recurring = server[0].services.recurring
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    expense = {"description": "Milk", "amount": 60, "splitType": "EQUAL"}
    daily: Json = {"schedule": {"frequency": "DAILY", "start": _today(), "count": 1}, "expense": expense}
    await asha.ok("POST", f"/groups/{group_id}/recurrences", daily)
    await asha.ok("POST", f"/groups/{group_id}/archive")
    (document,) = (await recurring._documents.get([group_id])).values()
    body = {"watchedAt": "2026-01-01T00:00:00.000Z", "next": "9999-12-31"}
    await recurring._documents.replace(replace(document, body=body))
    await recurring.wake()
    assert [name for name, _ in asha.broadcasts(group_id)].count("expense:created") == 0
    await asha.ok("PATCH", f"/groups/{group_id}", {"archived": False})
    await recurring.wake()
    await asha.hears("expense:created")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
