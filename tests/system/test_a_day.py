"""The whole story, over real sockets: three friends, two expenses at once, one payment."""

import asyncio
import base64
import io
from urllib.parse import parse_qs, urlsplit

import zxingcpp
from PIL import Image

from tests.system.conftest import MakePhone
from tests.system.phone import Phone


def read_qr(png: bytes) -> str:
    """What an independent reader sees in the image."""
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    return str(found.text)


async def three_friends(phones: MakePhone) -> tuple[Phone, Phone, Phone, str]:
    asha = await phones("Asha", "asha@okaxis")
    ben = await phones("Ben", "ben@ybl")
    chitra = await phones("Chitra", "chitra@kotak811")
    group_id = await asha.makes_group(ben, chitra)
    for phone in (asha, ben, chitra):
        await phone.connect()
    return asha, ben, chitra, group_id


async def test_everybody_receives_the_same_balances_and_plan_in_the_same_order(phones: MakePhone) -> None:
    asha, ben, chitra, group_id = await three_friends(phones)
    dinner = {"groupId": group_id, "description": "Dinner", "amount": 90_000, "splitType": "EQUAL"}
    taxi = {"groupId": group_id, "description": "Taxi", "amount": 30_000, "splitType": "EQUAL"}
    one, two = await asyncio.gather(asha.done("expense:create", dinner), ben.done("expense:create", taxi))
    assert sorted((one["seq"], two["seq"])) == [4, 5]
    for phone in (asha, ben, chitra):
        await phone.hears_seq(5)
        seqs = [payload["seq"] for _, payload in phone.broadcasts(group_id)]
        assert seqs == [4, 5]
    told = [phone.broadcasts(group_id) for phone in (asha, ben, chitra)]
    assert told[0] == told[1] == told[2]
    last = told[0][-1][1]
    assert {row["userId"]: row["amount"] for row in last["updatedBalances"]} == {
        asha.user_id: 50_000,
        ben.user_id: -10_000,
        chitra.user_id: -40_000,
    }
    assert sum(row["amount"] for row in last["settleUp"]) == 50_000
    assert {row["to"] for row in last["settleUp"]} == {asha.user_id}
    link = last["settleUp"][0]["upiLink"]
    assert parse_qs(urlsplit(link).query)["pa"] == ["asha@okaxis"]


async def test_who_owes_gets_a_qr_that_a_phone_can_read_and_the_image_url_shows_the_same(
    phones: MakePhone,
) -> None:
    asha, ben, chitra, group_id = await three_friends(phones)
    await asha.spends(group_id, 90_000)
    due = await chitra.hears("settlement:due")
    (row,) = due["settleUp"]
    assert (row["from"], row["to"], row["amount"]) == (chitra.user_id, asha.user_id, 30_000)
    assert row["upiLink"] == "upi://pay?pa=asha@okaxis&pn=Asha&am=300.00&cu=INR&tn=Goa%20trip"
    drawn = base64.b64decode(row["qr"].removeprefix("data:image/png;base64,"))
    assert read_qr(drawn) == row["upiLink"]
    async with asha.http.get(asha.url + row["qrUrl"]) as response:
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert read_qr(await response.read()) == row["upiLink"]
    assert not [name for name, _ in asha.heard if name == "settlement:due"]
    asked = await ben.done("settlement:qr", groupId=group_id, toUserId=asha.user_id)
    assert asked["upiLink"] == row["upiLink"]


async def test_balances_move_only_when_the_receiver_confirms(phones: MakePhone) -> None:
    asha, ben, chitra, group_id = await three_friends(phones)
    await asha.spends(group_id, 90_000)
    paid = await ben.done("settlement:create", groupId=group_id, toUserId=asha.user_id, amount=30_000)
    assert paid["settlement"]["status"] == "PENDING"
    created = await chitra.hears("settlement:created")
    assert {row["userId"]: row["amount"] for row in created["updatedBalances"]}[ben.user_id] == -30_000
    settlement_id = paid["settlement"]["id"]
    assert (await ben.refused("settlement:confirm", groupId=group_id, settlementId=settlement_id))[
        "code"
    ] == "forbidden"
    await asha.done("settlement:confirm", groupId=group_id, settlementId=settlement_id)
    completed = await chitra.hears("settlement:completed")
    assert {row["userId"]: row["amount"] for row in completed["updatedBalances"]}[ben.user_id] == 0
    assert [row["from"] for row in completed["settleUp"]] == [chitra.user_id]
    again = await asha.refused("settlement:confirm", groupId=group_id, settlementId=settlement_id)
    assert again["code"] == "already_settled"
    ledger = await chitra.ok("GET", f"/groups/{group_id}/events")
    assert [event["type"] for event in ledger["events"]] == [
        "group:created",
        "member:joined",
        "member:joined",
        "expense:created",
        "settlement:created",
        "settlement:completed",
    ]
