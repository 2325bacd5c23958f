"""Rare answers of a server, and the bounds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from persplit.client import (
    Busy,
    CommandDoubted,
    GroupRead,
    Missed,
    Offline,
    Pending,
    Posting,
    Refused,
    Status,
    client,
    connection,
)
from persplit.client.changes import CHANGES_MAX, Hub
from persplit.client.connection import _refusal, _Socket, backoff_seconds
from persplit.client.errors import Json, SignedOut, error_of
from persplit.ledger.errors import Invalid
from persplit.service import history, sync
from persplit.transport import sockets
from tests.client.devices import (
    Devices,
    check_equals_fresh_fetch,
    dinner,
    drain,
    group_of,
    my_id,
    next_of,
    until,
)
from tests.system.phone import PATIENCE_SECONDS


class Answers:
    """Stands in the way of requests to a path: an error is raised, a value is the answer; then the way is free."""

    def __init__(self, client: Any, path: str, *answers: Any) -> None:
        self._ask, self._path, self._answers = client._rest.ask, path, list(answers)
        client._rest.ask = self

    async def __call__(self, method: str, path: str, *arguments: Any, **options: Any) -> Json:
        if path == self._path and self._answers:
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)
        found: Json = await self._ask(method, path, *arguments, **options)
        return found


async def test_a_server_that_is_busy_is_asked_again_later(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    busy = {"code": "store_unavailable", "detail": "a moment", "retryAfterMs": 10}
    Answers(asha, "/sync/push", {"results": [{"ok": False, "error": busy}]}, Offline("gone"))
    with pytest.raises(Busy) as refused:
        await asha.sync()
    assert refused.value.retry_after_ms == 10
    assert [queued.status for queued in await asha.pending()] == [Status.PENDING]
    # The lasting connection overcomes the next failure by itself.
    await asha.connect(wait_seconds=PATIENCE_SECONDS)

    async def is_done() -> bool:
        return await asha.pending() == []

    await until(is_done)
    await asha.disconnect()
    await check_equals_fresh_fetch(asha, group_id)


async def test_a_connection_that_never_ends_is_left_behind(
    devices: Devices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CANCEL_AGAIN_SECONDS", 0.01)
    asha = await devices.of("Asha")
    refused, has_begun, may_end = list[None](), asyncio.Event(), asyncio.Event()

    async def go_on() -> None:
        has_begun.set()
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                refused.append(None)

    stubborn = asha._running = asyncio.create_task(go_on())
    await has_begun.wait()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asha.disconnect()
    assert len(refused) == client.CANCELS_MAX
    may_end.set()
    await stubborn


async def test_a_push_that_the_server_does_not_read_at_all_is_taken_apart(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    await asha.sync()
    bad = await asha.create_expense(group_id, dinner(1))
    good = await asha.create_expense(group_id, dinner(2))
    unreadable = Refused("too_large", "no")
    Answers(asha, "/sync/push", unreadable, unreadable)
    await asha.sync()
    assert [queued.command_id for queued in await asha.refused()] == [bad.command_id]
    assert [entry.expense.id for entry in await asha.expenses(group_id)] == [good.id]


async def test_answers_that_a_server_never_gives_are_no_answers(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    Answers(asha, "/sync/push", Refused("not_found", "no such path"), {"results": []})
    for _ in range(2):
        with pytest.raises(Offline):
            await asha.sync()
    assert len(await asha.pending()) == 1
    await asha.sync()
    path = f"/groups/{group_id}/sync"
    have = await asha._do(asha._book.position, group_id)
    hole = {"events": [], "seq": 9, "more": True, "epoch": have.epoch, "reset": False}
    Answers(asha, path, hole, Refused("forbidden", "no"))
    for _ in range(2):
        with pytest.raises(Offline):
            await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)


async def test_a_past_that_does_not_fit_is_said(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    await asha._do(asha._book.replica._database.execute, "DELETE FROM events WHERE seq = 1")
    path = f"/groups/{group_id}/events"
    Answers(asha, path, {"events": []}, Refused("not_found", "no such group"), Offline("gone"))
    with pytest.raises(Offline):
        await asha.balances_as_of(group_id, 1)
    with pytest.raises(Exception, match="no such group"):
        await asha.explain(group_id, await my_id(asha), await my_id(ben))
    history = await asha.history(group_id)
    assert (len(history.entries), history.missing) == (1, 1)


async def test_links_that_are_not_to_be_had_are_done_without(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    Answers(asha, f"/groups/{group_id}/balances", Refused("not_found", "just left"))
    await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)


async def test_who_is_put_out_while_connected_finds_out_at_the_next_sweep(
    devices: Devices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SWEEP_SECONDS", 0.3)
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    await ben.connect(wait_seconds=PATIENCE_SECONDS)
    await asha.remove_member(group_id, await my_id(ben))
    await asha.sync()

    async def is_out() -> bool:
        return await ben.groups() == []

    await until(is_out)
    assert ben.is_live


async def test_what_was_missed_comes_with_the_welcome_however_long(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id, other = await group_of(asha, ben), await group_of(asha, ben)
    for number in range(230):
        await ben.create_expense(group_id, dinner(100 + number))
    await ben.sync()
    await ben.leave(other)
    await ben.sync()
    tablet = await devices.another_of(asha)
    await asha.connect(wait_seconds=PATIENCE_SECONDS)

    async def is_there() -> bool:
        return (await asha.balances(group_id)).seq == 232

    await until(is_there)
    await asha.disconnect()
    for device in (asha, tablet):
        await check_equals_fresh_fetch(device, group_id)


async def test_pages_and_a_welcome_that_end_early_are_gone_on_from(
    devices: Devices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_BYTES_MAX", 1)
    monkeypatch.setattr(sync, "SNAPSHOT_BYTES_MAX", 1)
    monkeypatch.setattr(sockets, "CATCH_UP_BYTES_MAX", 1)
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_ids = [await group_of(asha, ben) for _ in range(2)]
    for number in range(12):
        await ben.create_expense(group_ids[number % 2], dinner(100 + number))
    await ben.sync()
    await asha.connect(wait_seconds=PATIENCE_SECONDS)

    async def is_there() -> bool:
        return [(await asha.balances(group_id)).seq for group_id in group_ids] == [8, 8]

    await until(is_there)
    await asha.disconnect()
    for group_id in group_ids:
        await check_equals_fresh_fetch(asha, group_id)
        assert (await asha.history(group_id)).missing == 0


async def test_what_another_device_has_read_is_told(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    tablet = await devices.another_of(asha)
    await ben.create_expense(group_id, dinner(100))
    await ben.sync()
    await tablet.sync()
    changes = asha.changes()
    await asha.connect(wait_seconds=PATIENCE_SECONDS)
    assert [it.unread for it in await asha.unread()] == [2]
    await tablet.mark_read(group_id)
    assert await next_of(changes, GroupRead) == GroupRead(group_id, 3)
    assert [it.unread for it in await asha.unread()] == [0]
    changes.close()


async def test_a_doubt_is_told_and_taken_back(devices: Devices) -> None:
    phone = await devices.of("Asha")
    group_id = (await phone.create_group("Flat")).group_id
    made = await phone.create_expense(group_id, dinner(100))
    await phone.sync()
    tablet = await devices.another_of(phone)
    edit = await tablet.update_expense(group_id, made.id, dinner(200))
    changes = tablet.changes()
    doubts = []
    for write in (phone.delete_expense, phone.restore_expense):
        await write(group_id, made.id)
        await phone.sync()
        await tablet._syncing.pull(group_id)
        doubts += [change for change in drain(changes) if isinstance(change, CommandDoubted)]
    assert [(doubt.command_id, doubt.doubt is None) for doubt in doubts] == [
        (edit.command_id, False),
        (edit.command_id, True),
    ]
    changes.close()
    assert [change async for change in changes] == []


async def test_who_reads_changes_too_slowly_is_told_that_some_are_missing() -> None:
    hub = Hub()
    slow = hub.subscribe()
    hub.publish(Pending("group", str(number)) for number in range(CHANGES_MAX + 1))
    assert await anext(slow) == Missed()
    assert await anext(slow) == Pending("group", str(CHANGES_MAX))
    waiting = asyncio.create_task(_next(slow))
    await asyncio.sleep(0)
    slow.close()
    slow.close()
    assert await waiting is None


async def _next(changes: AsyncIterator[Any]) -> Any:
    return await anext(changes, None)


async def test_several_payers_and_a_payer_who_paid_too_little(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    me = await my_id(asha)
    ben = (await asha.add_placeholder(group_id, "Ben")).id
    with pytest.raises(Invalid, match="the payers paid 50"):
        await asha.create_expense(group_id, dinner(100, payers=(Posting(me, 50),)))
    await asha.create_expense(group_id, dinner(100, payers=(Posting(me, 50), Posting(ben, 50))))
    await asha.create_expense(group_id, dinner(100, payers=(Posting(ben, 100),)))
    await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)


def test_coming_back_is_spread_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BACKOFF_SECONDS_FIRST", 0.5)
    monkeypatch.setattr(connection, "BACKOFF_SECONDS_MAX", 60.0)
    assert all(0 <= backoff_seconds(attempt) <= 60 for attempt in range(0, 10_000, 100))
    assert len({backoff_seconds(3) for _ in range(20)}) > 10


def test_refusals_of_a_connection() -> None:
    assert isinstance(_refusal([{"data": {"code": "token_expired"}}]), SignedOut)
    busy = _refusal([{"data": {"code": "server_restarting", "retryAfterMs": 5}}])
    assert isinstance(busy, Busy)
    assert isinstance(_refusal([{"data": {"code": "forbidden"}}]), Offline)
    assert _refusal(["a network error", {"message": "unknown"}]) is None
    assert isinstance(error_of({}), Refused)


async def test_a_socket_that_says_nothing_or_breaks_too_soon_is_offline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.01)
    silent = _Socket("http://127.0.0.1:9", asyncio.Event())
    with pytest.raises(Offline, match="said nothing"):
        await silent.ready()
    broken = _Socket("http://127.0.0.1:9", asyncio.Event())
    broken._hear_end()
    with pytest.raises(Offline, match="broke"):
        await broken.ready()
    broken.hear({"groupId": "g", "seq": 3})
    broken.hear({"groupId": "g", "seq": 2})
    assert broken.heard["g"]["seq"] == 3
    broken._hear_closing({"retryAfterMs": 7})
    broken._hear_ready({})
    assert broken.retry_after_ms == 7
