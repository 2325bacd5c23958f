"""What happens to somebody's expenses when there is no network, or a bad one, or the server is not what it was."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persplit.bootstrap import Node
from persplit.client import (
    Client,
    CommandDropped,
    CommandRefused,
    GroupGone,
    MaybeSent,
    Offline,
    SignedOut,
    Status,
    UnknownCommand,
    draft_of,
)
from persplit.config import Settings
from persplit.ledger.errors import Conflict, LedgerError, NotFound
from tests.client.devices import (
    Devices,
    check_equals_fresh_fetch,
    dinner,
    drain,
    group_of,
    my_id,
    next_of,
    proxied,
    until,
)
from tests.processes import PATIENCE_SECONDS
from tests.servers import free_port
from tests.system.conftest import serving
from tests.system.phone import PASSWORD


def day_passing() -> Iterator[datetime]:
    """A clock that goes three minutes at each look."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    while True:
        yield now
        now += timedelta(minutes=3)


async def test_airplane_mode_for_a_day_with_500_queued_commands(devices: Devices) -> None:
    moments = day_passing()
    asha, ben = await devices.of("Asha", "asha@okaxis", clock=lambda: next(moments)), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    trip = (await asha.create_group("Made on the plane")).group_id
    await asha.add_placeholder(trip, "Chitra")
    for number in range(160):
        made = await asha.create_expense(group_id, dinner(1_000 + number, f"Snack {number}"))
        await asha.update_expense(group_id, made.id, dinner(2_000 + number, f"Snack {number}"))
        await asha.create_expense(trip, dinner(100 + number, f"Coffee {number}"))
    for _ in range(9):
        await asha.settle(group_id, await my_id(ben), 10)
        await asha.delete_expense(group_id, (await asha.expenses(group_id))[0].expense.id)
    assert len(await asha.pending()) == 500
    await ben.create_expense(group_id, dinner(77_777, "Meanwhile"))
    await ben.sync()
    report = await asha.sync()
    assert (report.waiting, report.refused) == (0, 0)
    for id_ in (group_id, trip):
        await check_equals_fresh_fetch(asha, id_)
    assert len(await asha.expenses(group_id)) == 152
    assert len(await asha.expenses(trip)) == 160


async def test_the_same_batch_pushed_twice_and_twice_at_once_from_two_devices(
    devices: Devices, tmp_path: Path
) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    for number in range(40):
        await asha.create_expense(group_id, dinner(100 + number))
    batch = [queued.to_wire() for queued in await asha.pending()]
    copies = []
    for name in ("phone.db", "tablet.db", "old phone.db"):
        await asha._do(asha._book.replica._database.execute, "PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(asha._book.replica.path, tmp_path / name)
        copies.append(await devices.open(tmp_path / name))
    await asyncio.gather(copies[0].sync(), copies[1].sync())
    results = await asha._signing_in.ask("POST", "/sync/push", {"commands": batch})
    assert all(ack["ok"] and ack["replayed"] for ack in results["results"])
    await copies[2].sync()
    for client in copies:
        assert await client.refused() == []
        assert len(await client.expenses(group_id)) == 40
        await check_equals_fresh_fetch(client, group_id)


async def test_a_response_lost_after_the_write_is_asked_for_again(devices: Devices) -> None:
    async with proxied(devices.url) as proxy:
        asha = await devices.of("Asha", url=proxy.url)
        group_id = (await asha.create_group("Flat")).group_id
        await asha.sync()
        made = await asha.create_expense(group_id, dinner(100))
        proxy.is_deaf = True
        with pytest.raises(Offline):
            await asha.sync()
        assert proxy.lost == 1
        server = await devices.another_of(asha)
        assert [entry.expense.id for entry in await server.expenses(group_id)] == [made.id]
        (queued,) = await asha.pending()
        with pytest.raises(MaybeSent):
            await asha.drop(queued.command_id)
        assert (await asha.balances(group_id)).pending == 1
        proxy.is_deaf = False
        await asha.sync()
        await check_equals_fresh_fetch(asha, group_id)
        assert len(await asha.expenses(group_id)) == 1


async def test_an_event_that_comes_before_its_ack_counts_once(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    await asha.sync()
    await asha.create_expense(group_id, dinner(100))
    batch = await asha._do(asha._book.to_push)
    acks = (await asha._signing_in.ask("POST", "/sync/push", {"commands": [q.to_wire() for q in batch]}))[
        "results"
    ]
    await asha._syncing.pull(group_id)
    assert await asha.pending() == []
    await check_equals_fresh_fetch(asha, group_id)
    await asha._do(asha._book.judge, batch, acks)
    await check_equals_fresh_fetch(asha, group_id)


async def test_an_ack_before_its_event_neither_hides_nor_doubles_it(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    await asha.sync()
    await asha.create_expense(group_id, dinner(100))
    batch = await asha._do(asha._book.to_push)
    acks = (await asha._signing_in.ask("POST", "/sync/push", {"commands": [q.to_wire() for q in batch]}))[
        "results"
    ]
    await asha._do(asha._book.judge, batch, acks)
    assert [queued.status for queued in await asha.pending()] == [Status.ACKED]
    assert len(await asha.expenses(group_id)) == 1
    assert await asha._do(asha._book.to_push) == []
    await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)


@pytest.mark.parametrize("years", [-1, 1])
async def test_a_clock_that_is_wrong_by_a_year_changes_no_order(devices: Devices, years: int) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=365 * years)

    asha, ben = await devices.of("Asha", clock=clock), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    changes = asha.changes()
    await asha.connect(wait_seconds=PATIENCE_SECONDS)
    for number in range(3):
        await asha.create_expense(group_id, dinner(100 + number, f"Asha {number}"))
        await ben.create_expense(group_id, dinner(200 + number, f"Ben {number}"))
        await ben.sync()

    async def is_there() -> bool:
        return (await asha.balances(group_id)).seq == 8 and await asha.pending() == []

    await until(is_there)
    await asha.disconnect()
    await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)
    for entry in await asha.expenses(group_id):
        assert abs(datetime.fromisoformat(entry.expense.created_at) - datetime.now(UTC)) < timedelta(hours=1)
    assert drain(changes)


async def test_two_devices_edit_and_delete_the_same_expense_offline(devices: Devices) -> None:
    phone = await devices.of("Asha")
    group_id = (await phone.create_group("Flat")).group_id
    await phone.add_placeholder(group_id, "Ben")
    made = await phone.create_expense(group_id, dinner(100))
    await phone.sync()
    tablet = await devices.another_of(phone)
    seen = (await phone.expense(group_id, made.id)).expense
    await phone.delete_expense(group_id, made.id)
    await tablet.update_expense(group_id, made.id, replace(draft_of(seen), amount=300))
    edit = await tablet.create_expense(group_id, dinner(5_000, "After"))
    await phone.sync()
    changes = tablet.changes()
    await tablet.sync()
    refused = await next_of(changes, CommandRefused)
    (queued,) = await tablet.refused()
    assert (queued.command_id, queued.error and queued.error.code) == (refused.command_id, "conflict")
    assert queued.error is not None
    assert queued.error.current is not None
    assert queued.error.current["deletedAt"] is not None
    assert [entry.expense.id for entry in await tablet.expenses(group_id)] == [edit.id]
    with pytest.raises(Conflict):
        await tablet.resend(queued.command_id)
    await tablet.restore_expense(group_id, made.id)
    mended = await tablet.resend(queued.command_id, draft=dinner(400))
    assert mended.id == made.id
    await tablet.sync()
    assert (await tablet.pending(), await tablet.refused()) == ([], [])
    for client in (tablet, phone, tablet):
        await client.sync()
    for client in (tablet, phone):
        assert (await client.expense(group_id, made.id)).expense.amount == 400
        await check_equals_fresh_fetch(client, group_id)


async def test_the_last_writer_wins_unless_it_says_what_it_saw(devices: Devices) -> None:
    phone = await devices.of("Asha")
    group_id = (await phone.create_group("Flat")).group_id
    made = await phone.create_expense(group_id, dinner(100))
    await phone.sync()
    tablet = await devices.another_of(phone)
    seq = (await tablet.expense(group_id, made.id)).expense.seq
    await phone.update_expense(group_id, made.id, dinner(200))
    await tablet.update_expense(group_id, made.id, dinner(300), expected_seq=seq)
    await tablet.update_expense(group_id, made.id, dinner(400))
    await phone.sync()
    await tablet.sync()
    (queued,) = await tablet.refused()
    assert queued.fields["amount"] == 300
    assert (await tablet.expense(group_id, made.id)).expense.amount == 400
    await tablet.drop(queued.command_id)
    assert await tablet.refused() == []
    await check_equals_fresh_fetch(tablet, group_id)


async def test_removed_from_the_group_while_offline(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    written = await ben.create_expense(group_id, dinner(100, "Never again"))
    await asha.remove_member(group_id, await my_id(ben))
    await asha.sync()
    changes = ben.changes()
    await ben.sync()
    assert await next_of(changes, CommandRefused)
    assert await next_of(changes, GroupGone)
    (queued,) = await ben.refused()
    assert queued.error is not None
    assert (queued.command_id, queued.error.code) == (written.command_id, "not_found")
    assert queued.fields["description"] == "Never again"
    assert await ben.groups() == []
    with pytest.raises(NotFound):
        await ben.resend(written.command_id)
    await ben.join((await asha.invite(group_id)).code)
    again = await ben.resend(written.command_id)
    await ben.sync()
    assert [entry.expense.id for entry in await ben.expenses(group_id)] == [again.id]
    await check_equals_fresh_fetch(ben, group_id)


async def test_a_command_that_no_longer_fits_is_doubted_and_the_server_judges(devices: Devices) -> None:
    phone = await devices.of("Asha")
    group_id = (await phone.create_group("Flat")).group_id
    made = await phone.create_expense(group_id, dinner(100))
    await phone.sync()
    tablet = await devices.another_of(phone)
    await tablet.delete_expense(group_id, made.id)
    await tablet.create_expense(group_id, dinner(7))
    await phone.delete_expense(group_id, made.id)
    await phone.sync()
    await tablet._syncing.pull(group_id)
    doubtful, fine = await tablet.pending()
    assert doubtful.is_doubtful
    assert "deleted already" in (doubtful.doubt or "")
    assert not fine.is_doubtful
    group = await tablet.group(group_id)
    assert (group.pending, group.doubtful) == (1, 1)
    # Never sent, so it can be dropped.
    changes = tablet.changes()
    await tablet.drop(doubtful.command_id)
    assert await next_of(changes, CommandDropped) == CommandDropped(group_id, doubtful.command_id)
    with pytest.raises(UnknownCommand):
        await tablet.drop(doubtful.command_id)
    with pytest.raises(UnknownCommand):
        await tablet.resend(fine.command_id)
    await tablet.sync()
    await check_equals_fresh_fetch(tablet, group_id)


async def test_a_refused_settlement_is_mended(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    written = await ben.settle(group_id, await my_id(asha), 100)
    await asha.update_group(group_id, archived=True)
    await asha.sync()
    await ben.sync()
    (queued,) = await ben.refused()
    assert (queued.error and queued.error.code) == "group_archived"
    await asha.update_group(group_id, archived=False)
    await asha.sync()
    await ben.sync()
    again = await ben.resend(queued.command_id, amount=200)
    assert again.id == written.id
    await ben.sync()
    await asha.sync()
    await asha.decline(group_id, written.id)
    await asha.sync()
    assert [entry.settlement.amount for entry in await asha.settlements(group_id)] == [200]
    await check_equals_fresh_fetch(asha, group_id)


async def test_dropping_a_group_that_was_never_sent(devices: Devices) -> None:
    asha = await devices.of("Asha")
    written = await asha.create_group("Mistake")
    await asha.create_expense(written.group_id, dinner())
    await asha.drop(written.command_id)
    with pytest.raises(NotFound):
        await asha.group(written.group_id)
    (orphan,) = await asha.pending()
    assert orphan.is_doubtful
    await asha.sync()
    (refused,) = await asha.refused()
    assert (refused.error and refused.error.code) == "not_found"


# --- the server is not what it was


async def test_a_token_that_ran_out_offline_and_a_refresh_whose_answer_is_lost(
    settings: Settings, tmp_path: Path
) -> None:
    async with (
        serving(settings, access_lifetime_seconds=3) as (_, url),
        proxied(url) as proxy,
        Client.open(tmp_path / "replica.db", proxy.url) as asha,
    ):
        before = await asha.register("Asha", "asha@example.org", PASSWORD)
        group_id = (await asha.create_group("Flat")).group_id
        await asyncio.sleep(3.2)
        # The first answer says that the token is over; the second, with the fresh pair, is lost.
        proxy.deaf_after(1)
        with pytest.raises(Offline):
            await asha.sync()
        assert proxy.lost == 1
        assert await asha.account() == before
        proxy.is_deaf = False
        await asyncio.gather(asha.sync(), asha.sync())
        after = await asha.account()
        assert after is not None
        assert after.refresh_token != before.refresh_token
        await check_equals_fresh_fetch(asha, group_id)


async def test_a_socket_outlives_its_token(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persplit.transport.sockets.EXPIRING_SECONDS", 2)
    async with (
        serving(settings, access_lifetime_seconds=4) as (_, url),
        Client.open(tmp_path / "replica.db", url) as asha,
    ):
        before = await asha.register("Asha", "asha@example.org", PASSWORD)
        changes = asha.changes()
        await asha.connect(wait_seconds=PATIENCE_SECONDS)
        drain(changes)
        await asyncio.sleep(4.5)
        assert drain(changes) == []
        assert asha.is_live
        after = await asha.account()
        assert after is not None
        assert after.access_token != before.access_token


async def test_a_session_that_has_ended_costs_nothing_but_signing_in(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    other = await devices.another_of(asha)
    await asha.connect(wait_seconds=PATIENCE_SECONDS)
    await other._signing_in.ask("POST", "/auth/logout-all")
    assert asha._running is not None
    with pytest.raises(SignedOut):
        await asyncio.wait_for(asyncio.shield(asha._running), PATIENCE_SECONDS)
    written = await asha.create_expense(group_id, dinner())
    with pytest.raises(SignedOut):
        await asha.sync()
    account = await asha.account()
    assert account is not None
    await asha.login(account.user["email"], PASSWORD)
    await asha.sync()
    assert [entry.expense.id for entry in await asha.expenses(group_id)] == [written.id]


async def test_the_server_is_restarted_meanwhile(settings: Settings, tmp_path: Path) -> None:
    fixed = settings.model_copy(update={"port": free_port()})
    async with Client.open(tmp_path / "replica.db", f"http://127.0.0.1:{fixed.port}") as asha:
        async with serving(fixed):
            await asha.register("Asha", "asha@example.org", PASSWORD)
            group_id = (await asha.create_group("Flat")).group_id
            assert await asha.connect(wait_seconds=PATIENCE_SECONDS)
            await asha.sync()
            monkey = asyncio.create_task(_spend(asha, group_id, 40))
            await asyncio.sleep(0.05)
        await monkey
        await asha.disconnect()
        with pytest.raises(Offline):
            await asha.sync()
        async with serving(fixed):
            assert await asha.connect(wait_seconds=PATIENCE_SECONDS)

            async def is_done() -> bool:
                return await asha.pending() == []

            await until(is_done)
            assert len(await asha.expenses(group_id)) == 40
            await check_equals_fresh_fetch(asha, group_id)


async def _spend(client: Client, group_id: str, count: int) -> None:
    for number in range(count):
        await client.create_expense(group_id, dinner(100 + number))
        await asyncio.sleep(0.002)


async def test_a_connection_that_breaks_again_and_again_misses_nothing(devices: Devices) -> None:
    ben = await devices.of("Ben")
    async with proxied(devices.url) as proxy:
        asha = await devices.of("Asha", url=proxy.url)
        group_id = await group_of(asha, ben)
        await asha.connect(wait_seconds=PATIENCE_SECONDS)
        for number in range(6):
            await asha.create_expense(group_id, dinner(100 + number))
            await ben.create_expense(group_id, dinner(500 + number))
            proxy.is_down = number % 2 == 0
            await ben.sync()
            proxy.cut()
            await asyncio.sleep(0.05)
        proxy.is_down = False

        async def is_there() -> bool:
            return (await asha.balances(group_id)).seq == 14 and await asha.pending() == []

        await until(is_there)
        await asha.disconnect()
        await check_equals_fresh_fetch(asha, group_id)


async def test_a_server_restored_from_an_old_backup_is_believed(settings: Settings, tmp_path: Path) -> None:
    data, backup = settings.data_dir, tmp_path / "backup"
    fixed = settings.model_copy(update={"port": free_port(), "data_dir": data / "data"})
    async with Client.open(tmp_path / "replica.db", f"http://127.0.0.1:{fixed.port}") as asha:
        async with serving(fixed):
            await asha.register("Asha", "asha@example.org", PASSWORD)
            group_id = (await asha.create_group("Flat")).group_id
            await asha.create_expense(group_id, dinner(1))
            await asha.sync()
        shutil.copytree(fixed.data_dir, backup)
        async with serving(fixed):
            await asha.create_expense(group_id, dinner(2))
            await asha.sync()
            await asha.create_expense(group_id, dinner(3))
            # The server has it and says so, but the event doesn't come any more.
            batch = await asha._do(asha._book.to_push)
            body = {"commands": [queued.to_wire() for queued in batch]}
            acks = (await asha._signing_in.ask("POST", "/sync/push", body))["results"]
            await asha._do(asha._book.judge, batch, acks)
        shutil.rmtree(fixed.data_dir)
        shutil.copytree(backup, fixed.data_dir)
        async with serving(fixed) as (node, _):
            await _renew_epoch(node)
            assert await asha.connect(wait_seconds=PATIENCE_SECONDS)

            async def is_done() -> bool:
                return await asha.pending() == []

            await until(is_done)
            assert [entry.expense.amount for entry in await asha.expenses(group_id)] == [3, 1]
            await check_equals_fresh_fetch(asha, group_id)


async def _renew_epoch(node: Node) -> None:
    await node.services.epochs.renew()


async def test_a_rule_of_the_ledger_is_an_error_of_the_ledger(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    await ben.create_expense(group_id, dinner(100))
    with pytest.raises(LedgerError, match="zero balance"):
        await ben.leave(group_id)
