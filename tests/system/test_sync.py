"""Catching up: the tail or a snapshot, in one go with the greeting, after a repair, and the outbox."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import socketio

from persplit import cli
from persplit.transport import sync_operations
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PATIENCE_SECONDS, Phone, key
from tests.terminal import CliRunner


async def greeted(phone: Phone, since: dict[str, Any]) -> dict[str, Any]:
    """Connect as a client that has something already, and return its entry of the only group."""
    await phone.disconnect()
    phone.heard.clear()
    phone.socket = socketio.AsyncClient(reconnection=False)
    phone.socket.on("*", phone._hear)
    auth = {"token": phone.token, "since": since}
    await phone.socket.connect(phone.url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE_SECONDS)
    (group,) = (await phone.hears("session:ready"))["groups"]
    assert isinstance(group, dict)
    return group


async def test_a_client_that_comes_back_gets_what_it_missed_in_its_greeting(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    (group,) = [await greeted(ben, {})]
    assert (group["seq"], "sync" in group) == (2, False)
    epoch = group["epoch"]
    assert "sync" not in await greeted(ben, {group_id: {"seq": 2, "epoch": epoch}})
    await ben.disconnect()
    for amount in (1, 2, 3):
        await asha.spends(group_id, amount)
    missed = (await greeted(ben, {group_id: {"seq": 2, "epoch": epoch}}))["sync"]
    assert [event["seq"] for event in missed["events"]] == [3, 4, 5]
    assert (missed["seq"], missed["more"], missed["reset"], missed["epoch"]) == (5, False, False, epoch)


@pytest.mark.parametrize(("seq", "epoch"), [(99, None), (2, "another"), (0, "another"), (99, "another")])
async def test_a_client_with_another_past_begins_anew(phones: MakePhone, seq: int, epoch: str | None) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    await asha.spends(group_id, 1)
    missed = (await greeted(asha, {group_id: {"seq": seq, "epoch": epoch}}))["sync"]
    assert missed["reset"] is True
    assert [event["seq"] for event in missed["events"]] == [1, 2]
    asked = {"groupId": group_id, "after": seq, **({"epoch": epoch} if epoch else {})}
    assert await asha.done("sync:pull", asked) == {"ok": True, **missed}
    query = f"after={seq}" + (f"&epoch={epoch}" if epoch else "")
    assert await asha.ok("GET", f"/groups/{group_id}/sync?{query}") == missed


async def test_what_a_strange_client_says_of_its_past_is_refused_with_a_code(phones: MakePhone) -> None:
    asha = await phones("Asha")
    strange: list[Any] = [
        [],
        "all",
        {"g": 7},
        {"g": {"seq": -1}},
        {"g": {"seq": 1.5}},
        {"g": {"seq": 1, "x": 2}},
    ]
    for since in strange:
        client = socketio.AsyncClient(reconnection=False)
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        client.on("connect_error", told.put_nowait)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(
                asha.url, auth={"token": asha.token, "since": since}, transports=["websocket"], wait_timeout=5
            )
        assert (await told.get())["data"]["code"] == "validation_failed"


async def test_a_restored_backup_gives_every_group_another_epoch(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with serving(settings) as (_, url), phones_of(url) as make:
        asha = await make("Asha")
        group_id = await asha.makes_group()
        before = await greeted(asha, {})
        token = asha.token
    # In a thread, because the command runs a loop of its own.
    done = await asyncio.to_thread(CliRunner().invoke, cli.app, ["new-epoch", "--data-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    async with serving(settings) as (_, url), phones_of(url) as make:
        asha = await make()
        asha.token = token
        after = await greeted(asha, {group_id: {"seq": before["seq"], "epoch": before["epoch"]}})
        assert after["epoch"] != before["epoch"]
        assert after["sync"]["reset"] is True


def expense(group_id: str, **fields: Any) -> dict[str, Any]:
    body = {"description": "Tea", "amount": 100, "splitType": "EQUAL"}
    return {"type": "expense:create", "commandId": key(), "groupId": group_id, **body, **fields}


async def test_an_outbox_is_carried_out_in_order_each_command_as_if_sent_alone(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = "0199aaaa-0000-7000-8000-000000000001"
    expense_id = "0199aaaa-0000-7000-8000-000000000002"
    commands = [
        {"type": "group:create", "commandId": key(), "groupId": group_id, "name": "Offline"},
        {"type": "member:add", "commandId": key(), "groupId": group_id, "name": "Uncle"},
        expense(group_id, id=expense_id),
        expense(group_id, amount=-5),
        {**expense(group_id, amount=300), "type": "expense:update", "expenseId": expense_id},
        {"type": "expense:explode", "commandId": key(), "groupId": group_id},
        {"commandId": key()},
        {"type": "sync:push", "commands": []},
        expense("0199aaaa-0000-7000-8000-00000000dead"),
        {"type": "expense:delete", "commandId": key(), "groupId": group_id, "expenseId": expense_id},
    ]
    pushed = await asha.done("sync:push", commands=commands)
    told = [ack["seq"] if ack["ok"] else ack["error"]["code"] for ack in pushed["results"]]
    wrong, unknown = "validation_failed", "not_found"
    assert told == [1, 2, 3, wrong, 4, unknown, wrong, unknown, unknown, 5]
    again = await asha.ok("POST", "/sync/push", {"commands": commands})
    seqs = [ack["seq"] for ack in again["results"] if ack["ok"]]
    assert seqs == [1, 2, 3, 4, 5]
    assert all(ack["replayed"] for ack in again["results"] if ack["ok"])
    events = (await asha.ok("GET", f"/groups/{group_id}/events"))["events"]
    assert [event["commandId"] for event in events] == [commands[i]["commandId"] for i in (0, 1, 2, 4, 9)]
    theirs = await ben.done("sync:push", commands=[expense(group_id)])
    assert theirs["results"][0]["error"]["code"] == "not_found"


async def test_the_same_outbox_from_two_devices_at_once_counts_once(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    tablet = await asha.another_device().connect()
    try:
        group_id = await asha.makes_group()
        commands = [expense(group_id, amount=number) for number in range(1, 51)]
        acks = await asyncio.gather(*(d.done("sync:push", commands=commands) for d in (asha, tablet, asha)))
        assert {tuple(ack["seq"] for ack in each["results"]) for each in acks} == {tuple(range(2, 52))}
        assert (await asha.ok("GET", f"/groups/{group_id}"))["seq"] == 51
    finally:
        await tablet.disconnect()


async def test_an_outbox_that_takes_too_long_is_done_in_parts(
    phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_operations, "PUSH_SECONDS_MAX", 0.0)
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    left = [expense(group_id, amount=number) for number in range(1, 4)]
    for seq in (2, 3, 4):
        acks = (await asha.done("sync:push", commands=left))["results"]
        assert acks[0]["seq"] == seq
        assert [ack["error"]["code"] for ack in acks[1:]] == ["store_unavailable"] * (len(left) - 1)
        del left[0]


@pytest.mark.parametrize("commands", [None, [], {}, [1], ["x"], [[]], [expense("g")] * 201])
async def test_an_outbox_that_is_none_is_refused(phones: MakePhone, commands: object) -> None:
    asha = await phones("Asha", online=True)
    answer = await asha.rest("POST", "/sync/push", {"commands": commands})
    assert (answer.status, answer.code) == (422, "validation_failed")
    assert answer.body["errors"][0]["path"].startswith("commands")
