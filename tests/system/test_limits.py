"""Each limit, over REST and on a socket: refused with a time to wait, and nobody else is."""

import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from persplit.bootstrap import Node
from persplit.config import Settings
from persplit.transport import limits, limits_table
from persplit.transport.limits import RATES, Budget
from tests.system.attacker import SOCKET_PATH
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PASSWORD, PATIENCE_SECONDS, Answer, Json, Phone, key

TEA: Json = {"description": "Tea", "amount": 1000, "splitType": "EQUAL"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path, rate_limits=True, trusted_proxies=("127.0.0.1",))


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set a budget to a few at once, and next to nothing afterwards."""

    def lower(budget: Budget, burst: int) -> None:
        monkeypatch.setitem(RATES, budget, dataclasses.replace(RATES[budget], burst=burst, per_minute=1))

    return lower


def check_refused(answer: Answer) -> None:
    """429 as the contract has it."""
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == str(-(-answer.body["retryAfterMs"] // 1000))
    check_waits(answer.body)


def check_waits(problem: Json) -> None:
    assert problem["code"] == "rate_limited"
    assert problem["status"] == 429
    assert problem["retryAfterMs"] > 0


async def test_requests_and_commands_of_one_person_share_a_budget(phones: MakePhone, lowered: Any) -> None:
    lowered(Budget.REQUESTS, 4)
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group()
    await asha.ok("GET", f"/groups/{group_id}")
    for _ in range(2):
        await asha.done("balances:get", groupId=group_id)
    check_refused(await asha.rest("GET", "/groups"))
    check_waits(await asha.refused("balances:get", groupId=group_id))
    await ben.makes_group()


async def test_commands_of_an_outbox_count_one_by_one_and_the_rest_is_held_back(
    phones: MakePhone, lowered: Any
) -> None:
    lowered(Budget.REQUESTS, 5)
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    commands = [{"type": "expense:create", "commandId": key(), "groupId": group_id, **TEA} for _ in range(6)]
    results = (await asha.done("sync:push", commands=commands))["results"]
    assert [ack["ok"] for ack in results] == [True] * 3 + [False] * 3
    check_waits(results[3]["error"])
    assert results[3] == results[4] == results[5]


async def test_a_group_has_a_budget_that_strangers_cannot_use_up_and_the_way_out_stays_open(
    phones: MakePhone, lowered: Any
) -> None:
    asha, ben, eve = await phones("Asha", online=True), await phones("Ben"), await phones("Eve", online=True)
    group_id = await asha.makes_group(ben)
    lowered(Budget.GROUP_WRITES, 3)
    for _ in range(6):
        error = await eve.refused("expense:create", TEA, groupId=group_id)
        assert error["code"] == "not_found"
    for _ in range(2):
        await asha.done("expense:create", {**TEA, "participants": [asha.user_id]}, groupId=group_id)
    await ben.spends(group_id, 500, participants=[ben.user_id])
    check_refused(await ben.rest("POST", f"/groups/{group_id}/expenses", TEA))
    check_waits(await asha.refused("expense:create", TEA, groupId=group_id))
    await asha.ok("GET", f"/groups/{group_id}/balances")
    await eve.makes_group()
    await asha.done("member:remove", groupId=group_id, userId=ben.user_id)


def test_one_member_alone_cannot_use_up_a_groups_budget() -> None:
    person, group = RATES[Budget.REQUESTS], RATES[Budget.GROUP_WRITES]
    assert group.burst >= 3 * person.burst
    assert group.per_minute >= 3 * person.per_minute


async def test_pulls_and_pages_of_events_have_a_budget(phones: MakePhone, lowered: Any) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    lowered(Budget.SYNC_PAGES, 3)
    await asha.done("sync:pull", groupId=group_id, after=0)
    await asha.ok("GET", f"/groups/{group_id}/sync?after=0")
    await asha.ok("GET", f"/groups/{group_id}/events")
    check_waits(await asha.refused("sync:pull", groupId=group_id, after=0))
    check_refused(await asha.rest("GET", f"/groups/{group_id}/events"))
    await asha.done("expense:create", TEA, groupId=group_id)


async def test_attempts_to_join_have_a_budget(phones: MakePhone, lowered: Any) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben")
    group_id = await ben.makes_group()
    code = (await ben.ok("POST", f"/groups/{group_id}/invites"))["code"]
    lowered(Budget.JOINS, 2)
    assert (await asha.rest("POST", "/groups/join", {"code": "x" * 22})).code == "not_found"
    assert (await asha.refused("group:join", code="y" * 22))["code"] == "not_found"
    check_refused(await asha.rest("POST", "/groups/join", {"code": code}))
    check_waits(await asha.refused("group:join", code=code))
    chitra = await phones("Chitra")
    await chitra.ok("POST", "/groups/join", {"code": code})


def from_address(address: str) -> dict[str, Any]:
    return {"headers": {"X-Forwarded-For": address}}


async def test_sign_ins_are_counted_by_address_and_not_against_the_account(
    phones: MakePhone, lowered: Any
) -> None:
    asha, stranger = await phones("Asha"), await phones()
    email = (await asha.ok("GET", "/auth/me"))["email"]
    good = {"email": email, "password": PASSWORD}
    lowered(Budget.SIGN_INS, 3)
    for _ in range(3):
        answer = await stranger.rest(
            "POST", "/auth/login", {**good, "password": "x" * 12}, **from_address("192.0.2.9")
        )
        assert answer.status == 401
    check_refused(await stranger.rest("POST", "/auth/login", good, **from_address("192.0.2.9")))
    check_refused(
        await stranger.rest("POST", "/auth/register", {**good, "name": "X"}, **from_address("192.0.2.9"))
    )
    await stranger.ok("POST", "/auth/login", good, **from_address("192.0.2.10"))


async def test_refreshes_have_a_budget_of_their_own(phones: MakePhone, lowered: Any) -> None:
    asha = await phones("Asha")
    lowered(Budget.REFRESHES, 2)
    for _ in range(2):
        asha.take(await asha.ok("POST", "/auth/refresh", {"refreshToken": asha.refresh_token}))
    check_refused(await asha.rest("POST", "/auth/refresh", {"refreshToken": asha.refresh_token}))
    asha.take(
        await asha.ok(
            "POST", "/auth/refresh", {"refreshToken": asha.refresh_token}, **from_address("192.0.2.9")
        )
    )


async def test_images_and_invite_pages_have_a_budget(
    phones: MakePhone, server: tuple[Node, str], lowered: Any
) -> None:
    asha = await phones("Asha")
    invite = await asha.ok("POST", f"/groups/{await asha.makes_group()}/invites")
    lowered(Budget.LOOK_UPS, 2)
    statuses = []
    for path in (invite["qrUrl"], f"/i/{invite['code']}", invite["qrUrl"], f"/i/{invite['code']}"):
        async with asha.http.get(server[1] + path) as response:
            statuses.append(response.status)
            if response.status == 429:
                assert int(response.headers["Retry-After"]) > 0
    assert statuses == [200, 200, 429, 429]


# --- connections


async def refusal(url: str, token: str, **headers: str) -> Json | None:
    """Connect by the library; why that was refused, or None."""
    told: list[Any] = []
    client = socketio.AsyncClient(reconnection=False)
    client.on("connect_error", told.append)
    try:
        await client.connect(
            url,
            auth={"token": token},
            headers=headers,
            transports=["websocket"],
            wait_timeout=PATIENCE_SECONDS,
        )
    except socketio.exceptions.ConnectionError:
        (error,) = [it for it in told if isinstance(it, dict)]
        data: Json = error["data"]
        return data
    finally:
        await client.disconnect()
    return None


async def test_new_sockets_of_an_address_have_a_budget(
    phones: MakePhone, server: tuple[Node, str], lowered: Any
) -> None:
    asha = await phones("Asha")
    lowered(Budget.CONNECTIONS, 2)
    told = [await refusal(server[1], asha.token, **{"X-Forwarded-For": "192.0.2.9"}) for _ in range(3)]
    assert told[:2] == [None, None]
    assert told[2] is not None
    check_waits(told[2])
    assert await refusal(server[1], asha.token, **{"X-Forwarded-For": "192.0.2.10"}) is None


async def test_open_sockets_of_a_person_are_counted_until_they_close(
    phones: MakePhone, server: tuple[Node, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPEN_BY_USER_MAX", 2)
    asha, ben = await phones("Asha", online=True), await phones("Ben")
    other = await asha.another_device().connect()
    told = await refusal(server[1], asha.token)
    assert told is not None
    check_waits(told)
    assert await refusal(server[1], ben.token) is None
    await other.disconnect()
    for _ in range(100):
        if await refusal(server[1], asha.token) is None:
            break
    else:
        raise AssertionError("what has closed still counts")


async def test_open_sockets_of_an_address_are_counted_whether_they_sign_in_or_not(
    phones: MakePhone, server: tuple[Node, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPEN_BY_ADDRESS_MAX", 2)
    asha = await phones("Asha")
    held = [await asha.http.ws_connect(server[1] + SOCKET_PATH) for _ in range(2)]
    told = await refusal(server[1], asha.token)
    assert told is not None
    check_waits(told)
    held += [await asha.http.ws_connect(server[1] + SOCKET_PATH) for _ in range(2)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as turned_away:
        await asha.http.ws_connect(server[1] + SOCKET_PATH)
    assert turned_away.value.status == 429
    assert turned_away.value.headers is not None
    assert int(turned_away.value.headers["Retry-After"]) > 0
    await asha.ok("GET", "/auth/me")
    for each in held:
        await each.close()


@pytest.fixture
async def unlimited(tmp_path: Path) -> AsyncIterator[Phone]:
    async with serving(settings_for(tmp_path)) as (_, url), phones_of(url) as make:
        yield await make("Asha", online=True)


async def test_without_rate_limits_sizes_stay_bounded(unlimited: Phone, lowered: Any) -> None:
    for budget in Budget:
        lowered(budget, 1)
    group_id = await unlimited.makes_group()
    for _ in range(3):
        await unlimited.done("balances:get", groupId=group_id)
    answer = await unlimited.rest("POST", f"/groups/{group_id}/expenses", {**TEA, "notes": "x" * 300_000})
    assert answer.code == "too_large"
    body: Any = {}
    for _ in range(40):
        body = {"a": body}
    assert (await unlimited.refused("balances:get", {"deep": body}, groupId=group_id))["code"] == "malformed"


# --- the documents


async def test_the_reference_has_every_limit_with_its_number(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    phone = await phones()
    async with phone.http.get(f"{server[1]}/docs") as response:
        text = re.sub(r"<[^>]+>", "", await response.text())
    for row in (*limits_table.SIZES, *limits_table.RATE_ROWS):
        for cell in row:
            assert cell.replace("`", "").replace("'", "&#x27;") in text
    for rate in RATES.values():
        assert f"{rate.burst:,} at once, then {rate.per_minute:,} a minute" in text
