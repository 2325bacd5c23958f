"""Two nodes over one MongoDB: to clients they are one server, with Redis between them or without."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from persplit.adapters import mongo_store
from persplit.service import follower
from tests.servers import with_database
from tests.system.conftest import SECRET, MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone, key

HEARD_SECONDS_MAX = 30.0
"""On a slow machine, and still less than the time between two sweeps where there are hints."""


@dataclass
class Nodes:
    """Two nodes, and makers of phones that use the one or the other."""

    make_here: MakePhone
    url_there: str
    there: list[Phone]

    async def here(self, name: str) -> Phone:
        """A new person, connected to the first node."""
        return await self.make_here(name, online=True)

    async def there_too(self, phone: Phone) -> Phone:
        """The same person's device at the second node."""
        device = phone.another_device()
        device.url = self.url_there
        self.there.append(device)
        return await device.connect()

    async def only_there(self, name: str) -> Phone:
        """A new person, connected to the second node only."""
        return await self.there_too(await self.make_here(name))


@pytest.fixture(params=["with Redis", "without Redis"])
async def nodes(
    request: pytest.FixtureRequest, mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Nodes]:
    shared: dict[str, Any] = {
        "mongodb_uri": SecretStr(with_database(mongodb_uri, f"nodes-{uuid.uuid4().hex}")),
        "jwt_secret": SECRET,
    }
    if cast("str", request.param) == "with Redis":
        # A minute between sweeps: what is heard in time came by a hint.
        monkeypatch.setattr(follower, "SWEEP_SECONDS", 60.0)
        shared["redis_url"] = SecretStr(request.getfixturevalue("redis_url"))
    else:
        monkeypatch.setattr(follower, "SWEEP_SECONDS", 0.1)
    async with AsyncExitStack() as stack:
        _, here = await stack.enter_async_context(serving(settings_for(tmp_path / "one", **shared)))
        _, there = await stack.enter_async_context(serving(settings_for(tmp_path / "two", **shared)))
        both = Nodes(await stack.enter_async_context(phones_of(here)), there, [])
        yield both
        for phone in both.there:
            await phone.disconnect()
    client = mongo_store.connect(shared["mongodb_uri"].get_secret_value())
    await client.drop_database(mongo_store.database_of(client).name)
    await mongo_store.close(client)


def from_seq(phone: Phone, group_id: str, seq: int) -> list[tuple[str, Json]]:
    """What the phone heard of the group from this seq on."""
    return [(name, payload) for name, payload in phone.broadcasts(group_id) if payload["seq"] >= seq]


async def test_what_is_committed_through_one_node_reaches_clients_of_the_other_in_order_and_alike(
    nodes: Nodes,
) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    ben = await nodes.make_here("Ben")
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    await ben.ok("POST", "/groups/join", {"code": invite["code"]})
    there = await nodes.there_too(ben)
    for number in range(10):
        await asha.spends(group_id, 1_000 + number)
    await there.hears_seq(12)
    await asha.hears_seq(12)
    assert [payload["seq"] for _, payload in from_seq(there, group_id, 3)] == list(range(3, 13))
    assert from_seq(there, group_id, 3) == from_seq(asha, group_id, 3)


async def test_a_key_used_at_one_node_is_known_at_the_other(nodes: Nodes) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    there = await nodes.there_too(asha)
    command = {
        "commandId": key(),
        "groupId": group_id,
        "description": "Tea",
        "amount": 100,
        "splitType": "EQUAL",
    }
    first = await asha.done("expense:create", command)
    again = await there.done("expense:create", command)
    assert (again["seq"], again["replayed"], again["expense"]) == (first["seq"], True, first["expense"])


async def test_commands_on_one_group_through_both_nodes_at_once_make_one_ledger_that_all_hear_in_order(
    nodes: Nodes,
) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    there = await nodes.there_too(asha)
    spent: Json = {"groupId": group_id, "description": "Tea", "amount": 100, "splitType": "EQUAL"}
    phones = [asha, there] * 10
    acks = await asyncio.gather(*(_until_done(phone, spent) for phone in phones))
    assert sorted(ack["seq"] for ack in acks) == list(range(2, 22))
    for phone in (asha, there):
        await phone.hears_seq(21)
        assert [payload["seq"] for _, payload in from_seq(phone, group_id, 2)] == list(range(2, 22))
    assert from_seq(asha, group_id, 2) == from_seq(there, group_id, 2)
    ledger = await there.ok("GET", f"/groups/{group_id}/events?limit=200")
    assert [event["seq"] for event in ledger["events"]] == list(range(1, 22))


async def _until_done(phone: Phone, body: Json) -> Json:
    """As a client does it: what is unknown or crowded out is sent again under the same key."""
    command = {**body, "commandId": key()}
    while True:
        ack = await phone.send("expense:create", command)
        if ack["ok"] or ack["error"]["code"] != "store_unavailable":
            assert ack["ok"], ack
            return ack


async def test_who_is_added_at_one_node_while_connected_to_the_other_hears_it_and_all_that_follows(
    nodes: Nodes,
) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    ben = await nodes.only_there("Ben")
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    # Ben joins by another device, at the first node.
    away = Phone(asha.url, asha.http, ben.name, ben.user_id, ben.token)
    async with asyncio.timeout(HEARD_SECONDS_MAX):
        await away.ok("POST", "/groups/join", {"code": invite["code"]})
        await ben.hears("member:joined", lambda payload: payload["groupId"] == group_id)
        await asha.spends(group_id, 1_000)
        await ben.hears_seq(3)
    assert [payload["seq"] for _, payload in ben.broadcasts(group_id)] == [2, 3]


async def test_all_devices_of_two_who_get_a_ledger_hear_it_wherever_they_are(nodes: Nodes) -> None:
    asha = await nodes.here("Asha")
    tablet = await nodes.there_too(asha)
    ben = await nodes.only_there("Ben")
    await asha.makes_group(ben)
    terms: Json = {"principal": 5_000, "borrowerId": ben.user_id}
    ledger_id = (await asha.ok("POST", "/loans", terms))["loan"]["groupId"]
    back = await ben.ok("POST", "/loans", {"principal": 70, "borrowerId": asha.user_id})
    all_of_it = [("group:created", 1), ("member:joined", 2), ("loan:created", 3), ("loan:created", 4)]
    for device in (asha, tablet, ben):
        await device.hears("loan:created", lambda it: it["loan"]["principal"] == 70)
        heard = [(name, payload["seq"]) for name, payload in device.broadcasts(ledger_id)]
        # From when its node heard of it, and no gap after that: what was before is asked for.
        assert heard == all_of_it[-len(heard) :]
    assert (back["loan"]["groupId"], back["seq"]) == (ledger_id, 4)


async def test_who_leaves_at_one_node_hears_nothing_more_at_the_other(nodes: Nodes) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    ben = await nodes.make_here("Ben")
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    await ben.ok("POST", "/groups/join", {"code": invite["code"]})
    there, asha_there = await nodes.there_too(ben), await nodes.there_too(asha)
    await ben.ok("DELETE", f"/groups/{group_id}/leave")
    await asha.spends(group_id, 1_000)
    await asha_there.hears_seq(4)
    assert from_seq(there, group_id, 3) == []
    assert (await there.rest("GET", f"/groups/{group_id}")).status == 404


async def test_what_was_acknowledged_at_one_node_is_read_at_the_other_from_then_on(nodes: Nodes) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    there = await nodes.there_too(asha)
    for seq in range(2, 12):
        await asha.spends(group_id, 1_000)
        assert (await there.ok("GET", f"/groups/{group_id}/balances"))["seq"] == seq


async def test_a_node_that_stops_leaves_everything_to_the_other(nodes: Nodes) -> None:
    asha = await nodes.here("Asha")
    group_id = await asha.makes_group()
    there = await nodes.there_too(asha)
    await asha.spends(group_id, 500)
    await asha.disconnect()
    pulled = await there.done("sync:pull", groupId=group_id, after=0)
    assert [event["seq"] for event in pulled["events"]] == [1, 2]
