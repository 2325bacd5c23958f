"""Socket.IO as the contract has it: signing in, commands and acks, who hears what, and how a socket ends."""

import asyncio
import base64
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import socketio

from persplit.bootstrap import Node
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PATIENCE_SECONDS, Phone, key


async def refused_connection(phone: Phone, auth: object) -> dict[str, object]:
    """What `connect_error` says."""
    client = socketio.AsyncClient(reconnection=False)
    told: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()

    def tell(data: dict[str, object]) -> None:
        if not told.done():
            told.set_result(data)

    client.on("connect_error", tell)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(phone.url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE_SECONDS)
    async with asyncio.timeout(PATIENCE_SECONDS):
        data = (await told)["data"]
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "token_missing"),
        ({}, "token_missing"),
        ({"token": ""}, "token_missing"),
        ({"token": 7}, "token_missing"),
        (["token"], "token_missing"),
        ({"token": "nonsense"}, "token_invalid"),
    ],
)
async def test_connecting_without_a_good_token_is_refused_with_a_code(
    phones: MakePhone, auth: object, code: str
) -> None:
    assert (await refused_connection(await phones(), auth))["code"] == code


async def test_connecting_with_an_expired_token_says_so(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with serving(settings_for(tmp_path), clock=lambda: now) as (_, url), phones_of(url) as make:
        asha = await make("Asha")
        now += timedelta(minutes=11)
        assert (await refused_connection(asha, {"token": asha.token}))["code"] == "token_expired"


async def test_ready_tells_who_i_am_and_where_each_of_my_groups_stands(phones: MakePhone) -> None:
    asha = await phones("Asha", "asha@okaxis")
    group_id = await asha.makes_group()
    await asha.spends(group_id, 500)
    await asha.connect()
    ready = await asha.hears("session:ready")
    assert ready["user"]["id"] == asha.user_id
    assert ready["user"]["vpa"] == "asha@okaxis"
    (group,) = ready["groups"]
    assert (group["id"], group["name"], group["seq"]) == (group_id, "Goa trip", 2)
    assert ready["serverTime"].endswith("Z")


async def test_every_device_of_every_member_hears_a_change_and_no_one_else(phones: MakePhone) -> None:
    asha, ben, stranger = (
        await phones("Asha"),
        await phones("Ben", online=True),
        await phones("Mallory", online=True),
    )
    group_id = await asha.makes_group(ben)
    other_id = await stranger.makes_group()
    await asha.connect()
    tablet = await asha.another_device().connect()
    try:
        made = await asha.done(
            "expense:create", groupId=group_id, description="Tea", amount=4000, splitType="EQUAL"
        )
        for device in (asha, tablet, ben):
            told = await device.hears("expense:created")
            assert told["seq"] == made["seq"]
            assert told["expense"] == made["expense"]
            assert told["by"] == asha.user_id
        await stranger.spends(other_id, 100)
        await stranger.hears("expense:created")
        assert stranger.broadcasts(group_id) == []
    finally:
        await tablet.disconnect()


async def test_somebody_added_while_online_hears_their_own_joining_and_what_follows(
    phones: MakePhone,
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group()
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    await ben.done("group:join", code=invite["code"])
    joined = await ben.hears("member:joined")
    assert joined["member"]["userId"] == ben.user_id
    assert await asha.hears("member:joined") == joined
    await asha.spends(group_id, 1000)
    assert (await ben.hears("expense:created"))["seq"] == 3


async def test_who_was_removed_hears_nothing_more_and_finds_no_such_group(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    await ben.hears("member:joined")
    await asha.done("member:remove", groupId=group_id, userId=ben.user_id)
    left = await asha.hears("member:left")
    assert left["member"]["userId"] == ben.user_id
    assert left["member"]["leftAt"] is not None
    await asha.spends(group_id, 1000)
    await asha.hears("expense:created")
    # An ack comes after everything that was queued for this socket before it.
    assert (await ben.refused("balances:get", groupId=group_id))["code"] == "not_found"
    assert [name for name, _ in ben.broadcasts(group_id)] == ["member:joined"]


async def test_a_role_change_is_told_as_a_group_update(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await asha.ok("PATCH", f"/groups/{group_id}/members/{ben.user_id}", {"role": "ADMIN"})
    told = await asha.hears("group:updated")
    roles = {member["userId"]: member["role"] for member in told["group"]["members"]}
    assert roles == {asha.user_id: "ADMIN", ben.user_id: "ADMIN"}


async def test_the_same_command_again_answers_the_first_outcome_and_announces_nothing(
    phones: MakePhone,
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben")
    group_id = await asha.makes_group(ben)
    tea = {
        "groupId": group_id,
        "description": "Tea",
        "amount": 4000,
        "splitType": "EQUAL",
        "commandId": key(),
    }
    first = await asha.done("expense:create", tea)
    second = await asha.done("expense:create", tea)
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert {**first, "replayed": True} == second
    error = await asha.refused("expense:create", {**tea, "amount": 4001})
    assert (error["status"], error["code"]) == (422, "idempotency_key_reused")
    # Over REST it is the same command.
    body = {name: value for name, value in tea.items() if name not in ("groupId", "commandId")}
    over_rest = await asha.rest(
        "POST", f"/groups/{group_id}/expenses", body, idempotency_key=str(tea["commandId"])
    )
    assert over_rest.body["replayed"] is True
    assert over_rest.headers["Idempotency-Replayed"] == "true"
    await asha.spends(group_id, 100)
    await asha.hears_seq(first["seq"] + 1)
    assert [payload["seq"] for name, payload in asha.heard if name == "expense:created"] == [3, 4]


async def test_a_retry_of_leaving_a_group_is_answered_although_the_caller_is_no_longer_in_it(
    phones: MakePhone,
) -> None:
    asha, ben = await phones("Asha"), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    command_id = key()
    first = await ben.done("group:leave", groupId=group_id, commandId=command_id)
    again = await ben.done("group:leave", groupId=group_id, commandId=command_id)
    assert (first["seq"], first["replayed"]) == (3, False)
    assert (again["seq"], again["replayed"]) == (3, True)


async def test_two_devices_editing_at_once_one_is_told_the_present_version(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    made = await asha.done(
        "expense:create", groupId=group_id, description="Tea", amount=4000, splitType="EQUAL"
    )
    edit = {
        "groupId": group_id,
        "expenseId": made["expense"]["id"],
        "splitType": "EQUAL",
        "expectedSeq": made["seq"],
    }
    acks = await asyncio.gather(
        asha.send("expense:update", edit, description="Chai", amount=5000),
        ben.send("expense:update", edit, description="Coffee", amount=6000),
    )
    (won,) = [ack for ack in acks if ack["ok"]]
    (lost,) = [ack for ack in acks if not ack["ok"]]
    assert (lost["error"]["status"], lost["error"]["code"]) == (409, "conflict")
    assert lost["error"]["current"] == won["expense"]
    assert won["expense"]["paidBy"] == asha.user_id


async def test_every_kind_of_change_has_its_broadcast(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    made = await asha.done("group:create", name="Flat")
    group_id = made["group"]["id"]
    assert made["seq"] == 1
    in_group = {"groupId": group_id}
    await asha.done("group:update", in_group, name="The flat")
    added = await asha.done("member:add", in_group, name="Uncle")
    assert added["member"]["placeholder"] is True
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    await ben.done("group:join", code=invite["code"])
    expense = (
        await ben.done("expense:create", in_group, description="Rent", amount=9999, splitType="EQUAL")
    )["expense"]
    named = {**in_group, "expenseId": expense["id"]}
    await ben.done("expense:update", named, description="Rent", amount=9000, splitType="EQUAL")
    await asha.done("expense:delete", named)
    await asha.done("expense:restore", named)
    for answer, teller in (("confirm", ben), ("decline", ben), ("cancel", asha)):
        paid = await asha.done("settlement:create", in_group, toUserId=ben.user_id, amount=1000)
        await teller.done(f"settlement:{answer}", in_group, settlementId=paid["settlement"]["id"])
    await asha.done("expense:delete", named)
    await asha.done("settlement:create", in_group, toUserId=ben.user_id, fromUserId=asha.user_id, amount=1)
    last = await asha.hears_seq(16)
    assert last["settlement"]["status"] == "PENDING"
    assert [(name, payload["seq"]) for name, payload in asha.broadcasts(group_id)] == [
        ("group:created", 1),
        ("group:updated", 2),
        ("member:joined", 3),
        ("member:joined", 4),
        ("expense:created", 5),
        ("expense:updated", 6),
        ("expense:deleted", 7),
        ("expense:restored", 8),
        ("settlement:created", 9),
        ("settlement:completed", 10),
        ("settlement:created", 11),
        ("settlement:declined", 12),
        ("settlement:created", 13),
        ("settlement:cancelled", 14),
        ("expense:deleted", 15),
        ("settlement:created", 16),
    ]
    for _, payload in asha.broadcasts(group_id):
        assert sum(row["amount"] for row in payload["updatedBalances"]) == 0
        assert {"at", "by", "commandId", "settleUp"} <= payload.keys()


async def test_pulling_gives_the_tail_in_pages(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    for amount in (1, 2, 3, 4):
        await asha.spends(group_id, amount)
    page = await asha.done("sync:pull", groupId=group_id, after=2, limit=2)
    assert ([event["seq"] for event in page["events"]], page["seq"], page["more"]) == ([3, 4], 5, True)
    rest = await asha.done("sync:pull", groupId=group_id, after=4)
    assert ([event["seq"] for event in rest["events"]], rest["seq"], rest["more"]) == ([5], 5, False)
    nothing = await asha.done("sync:pull", groupId=group_id, after=5)
    assert (nothing["events"], nothing["more"]) == ([], False)


async def test_pulling_gives_a_snapshot_where_that_is_shorter(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    made = await asha.spends(group_id, 1000)
    expense_id = made["expense"]["id"]
    for amount in range(1001, 1009):
        await asha.ok(
            "PUT",
            f"/groups/{group_id}/expenses/{expense_id}",
            {"description": "Tea", "amount": amount, "splitType": "EQUAL"},
        )
    whole = await asha.done("sync:pull", groupId=group_id, after=0, limit=5)
    snapshot = whole["snapshot"]
    assert whole["seq"] == 10
    assert "events" not in whole
    assert [(expense["id"], expense["amount"]) for expense in snapshot["expenses"]] == [(expense_id, 1008)]
    assert snapshot["group"]["seq"] == 10
    ahead = await asha.done("sync:pull", groupId=group_id, after=999, limit=5)
    assert (ahead["seq"], ahead["reset"]) == (10, True)
    assert "snapshot" in ahead


async def test_a_socket_outlives_its_first_token_by_renewing_and_ends_without(tmp_path: Path) -> None:
    async with (
        serving(settings_for(tmp_path), access_lifetime_seconds=4) as (_, url),
        phones_of(url) as make,
    ):
        asha, ben = await make("Asha", online=True), await make("Ben", online=True)
        await asha.hears("auth:expiring")
        # The token says when it was made in whole seconds: a later one is another one.
        await asyncio.sleep(1)
        refreshed = await asha.ok("POST", "/auth/refresh", {"refreshToken": asha.refresh_token})
        renewed = await asha.done("auth:renew", token=refreshed["accessToken"])
        assert renewed["expiresAt"].endswith("Z")
        closing = await ben.hears("session:closing")
        assert closing == {"code": "token_expired", "retryAfterMs": 0}
        assert asha.socket is not None
        assert asha.socket.connected
        await asha.hears("session:closing")


async def test_renewing_with_somebody_elses_token_is_refused(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben")
    assert asha.socket is not None
    for token, code in ((ben.token, "token_invalid"), ("nonsense", "token_invalid")):
        ack = await asha.socket.call("auth:renew", {"token": token}, timeout=PATIENCE_SECONDS)
        assert (ack["ok"], ack["error"]["code"]) == (False, code)


async def test_signing_out_closes_that_devices_sockets_and_says_why(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    await asha.ok("POST", "/auth/logout")
    assert (await asha.hears("session:closing"))["code"] == "signed_out"
    assert (await asha.rest("GET", "/auth/me")).code == "token_invalid"


async def test_a_server_that_stops_tells_everybody_when_to_come_back(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha", online=True)
    await server[0].drain()
    closing = await asha.hears("session:closing")
    assert closing["code"] == "server_restarting"
    assert 0 <= closing["retryAfterMs"] < 5000
    assert (await asha.rest("POST", "/groups", {"name": "Late"})).code == "server_restarting"
    async with asha.http.get(f"{asha.url}/readyz") as response:
        assert response.status == 503


async def test_asking_for_a_qr_without_a_upi_id_or_outside_inr_gives_nulls(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", "asha@okaxis", online=True), await phones("Ben", online=True)
    rupees = await asha.makes_group(ben)
    euros = await asha.makes_group(ben, currency="EUR")
    for group_id, payee in ((rupees, ben), (euros, asha)):
        asked = await ben.done(
            "settlement:qr",
            groupId=group_id,
            fromUserId=asha.user_id if payee is ben else ben.user_id,
            toUserId=payee.user_id,
            amount=500,
        )
        assert (asked["upiLink"], asked["qr"]) == (None, None)
    asked = await ben.done("settlement:qr", groupId=rupees, toUserId=asha.user_id, amount=12345)
    assert "am=123.45" in asked["upiLink"]
    assert base64.b64decode(asked["qr"].split(",")[1]).startswith(b"\x89PNG")
    error = await ben.refused("settlement:qr", groupId=rupees, toUserId=asha.user_id)
    assert error["errors"][0]["path"] == "amount"


async def test_commands_that_are_sent_without_waiting_are_done_in_order_and_what_follows_sees_them(
    phones: MakePhone,
) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await asha.connect()
    await ben.connect()
    in_group = {"groupId": group_id}
    tea = {**in_group, "description": "Tea", "splitType": "EQUAL", "amount": 100}
    id_, again = str(uuid.uuid4()), key()
    acks = await asyncio.gather(
        asha.send("expense:create", tea, id=id_),
        asha.send("expense:update", tea, expenseId=id_, amount=200),
        asha.send("expense:delete", in_group, expenseId=str(uuid.uuid4())),
        asha.send("expense:create", tea, commandId=again),
        asha.send("expense:delete", in_group, expenseId=id_),
        asha.send("expense:create", tea, commandId=again),
        asha.send("settlement:create", in_group, toUserId=ben.user_id, amount=50),
        asha.send("sync:pull", in_group, after=2),
    )
    assert [ack["ok"] for ack in acks] == [True, True, False, True, True, True, True, True]
    assert [ack["seq"] for ack in acks[:-1] if ack["ok"]] == [3, 4, 5, 6, 5, 7]
    assert [event["seq"] for event in acks[-1]["events"]] == [3, 4, 5, 6, 7]
    await ben.hears_seq(7)
    assert [payload["seq"] for _, payload in ben.broadcasts(group_id)] == [3, 4, 5, 6, 7]
