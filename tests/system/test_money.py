"""What an expense can be beside one in the group's own currency, over REST and sockets."""

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
