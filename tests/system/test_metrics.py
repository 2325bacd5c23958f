"""Each metric moves when the thing happens, as somebody sees it who scrapes `/metrics`."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import pytest
import socketio.exceptions
from prometheus_client.parser import text_string_to_metric_families

from persplit.bootstrap import Node
from persplit.service import snapshots
from persplit.service.errors import StoreUnavailable
from persplit.service.readiness import Readiness
from tests.processes import PATIENCE_SECONDS, ServerProcess
from tests.servers import free_port, with_database
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.test_serve import SECRET
from tests.torture.disk import _DINNER as DINNER

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(url: str) -> Series:
    """What `/metrics` says now."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as response:
        assert response.status == 200
        families = text_string_to_metric_families(await response.text())
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }


def value(series: Series, name: str, **labels: str) -> float:
    """The sum of the series with these labels."""
    wanted = set(labels.items())
    return sum(number for (found, of), number in series.items() if found == name and wanted <= of)


async def until_shown(url: str, holds: Callable[[Series], bool]) -> None:
    """Wait until `/metrics` shows it: some things are counted a moment after everybody knows of them."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds(await scraped(url)):  # noqa: ASYNC110 - it is for scraping
            await asyncio.sleep(0.05)


class Moves:
    """How far counters have come since the beginning of the block: others count in this process, too."""

    def __init__(self, before: Series, after: Series) -> None:
        self._before, self._after = before, after

    def by(self, name: str, **labels: str) -> float:
        return value(self._after, name, **labels) - value(self._before, name, **labels)

    def now(self, name: str, **labels: str) -> float:
        return value(self._after, name, **labels)


@contextlib.asynccontextmanager
async def watched(url: str) -> AsyncIterator[list[Moves]]:
    """Scrape before and after; the list then has what moved."""
    moves: list[Moves] = []
    before = await scraped(url)
    yield moves
    moves.append(Moves(before, await scraped(url)))


async def until_followed(node: Node, group_id: str) -> None:
    """Wait until the analytics have all of the group."""
    analytics = node.services.analytics
    head = (await node.services.handler._store.heads([group_id]))[group_id]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            generation, _ = await analytics.as_of()
            if (await analytics._tallies.seqs(generation, [group_id])).get(group_id) == head:
                break
            await asyncio.sleep(0.05)


async def test_writes_and_what_is_sent_are_counted_and_timed(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", "ben@okaxis", online=True)
    group_id = await asha.makes_group(ben)
    async with watched(server[1]) as moves:
        sent = await asha.done("expense:create", DINNER, groupId=group_id, commandId="once")
        await ben.hears_seq(sent["seq"])
        assert (await asha.done("expense:create", DINNER, groupId=group_id, commandId="once"))["replayed"]
        await asha.refused(
            "expense:delete", groupId=group_id, expenseId="0193e1c0-0000-7000-8000-000000000000"
        )
        await asha.spends(group_id, 900)
        assert (await asha.rest("GET", "/groups/nothing/balances")).status == 404
    (moved,) = moves
    assert moved.by("persplit_commands_total", event="expense:create", code="ok") == 2
    assert moved.by("persplit_commands_total", event="expense:delete", code="not_found") == 1
    assert moved.by("persplit_command_seconds_count", event="expense:create") == 2
    assert moved.by("persplit_ledger_commands_total", type="CreateExpense", code="ok") == 2
    assert moved.by("persplit_ledger_commands_total", type="CreateExpense", code="replayed") == 1
    assert moved.by("persplit_ledger_commands_total", type="DeleteExpense", code="not_found") == 1
    route = "/api/v1/groups/{groupId}"
    assert moved.by("persplit_requests_total", method="POST", route=f"{route}/expenses", code="ok") == 1
    assert moved.by("persplit_requests_total", method="GET", route=f"{route}/balances", code="not_found") == 1
    assert moved.by("persplit_request_seconds_count", route=f"{route}/expenses") == 1
    assert moved.by("persplit_append_seconds_count", outcome="ok") == 2
    assert moved.by("persplit_append_seconds_count", outcome="replayed") == 1
    assert moved.by("persplit_fanout_seconds_count") == 2
    assert moved.by("persplit_fanout_recipients_total") == 4
    assert moved.by("persplit_events_announced_total", event="expense:created") == 2
    assert moved.by("persplit_sent_packets_total") >= 4 + 3
    assert moved.by("persplit_sent_bytes_total") > 1_000
    assert moved.by("persplit_plan_seconds_count") == moved.by("persplit_plans_total", optimal="true") >= 2
    assert (
        moved.by("persplit_store_batch_writes_count") == moved.by("persplit_store_commit_seconds_count") >= 3
    )
    assert moved.by("persplit_event_lag_seconds_count") == 0, "no other node wrote"


async def test_who_is_connected_is_shown_and_who_is_refused_or_closed_is_counted(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha", online=True)
    await asha.another_device().connect()
    await asha.makes_group()
    async with watched(server[1]) as moves:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await asha.another_device().connect("nonsense")
        ben = await phones("Ben", online=True)
        await ben.ok("POST", "/auth/logout")
        await ben.hears("session:closing")
        await asyncio.to_thread(_send_garbage, server[1])
        await until_shown(server[1], lambda now: value(now, "persplit_sockets") == 2)
    (moved,) = moves
    assert moved.now("persplit_sockets") == 2
    assert moved.now("persplit_connections") >= 2
    assert moved.now("persplit_users_connected") == 1
    assert moved.now("persplit_groups_heard") == 1
    assert moved.now("persplit_groups_held") == 1
    assert moved.now("persplit_buffered_bytes_largest") <= moved.now("persplit_buffered_bytes") < 10_000
    assert moved.now("persplit_buffered_packets") < 100
    assert moved.by("persplit_connections_refused_total", code="token_invalid") == 1
    assert moved.by("persplit_sockets_closed_total", code="signed_out") == 1
    assert moved.by("persplit_cut_offs_total", reason="not_a_frame") == 1


def _send_garbage(url: str) -> None:
    async def send() -> None:
        async with aiohttp.ClientSession() as http:
            address = f"{url}/socket.io/?transport=websocket&EIO=4"
            async with http.ws_connect(address) as socket:
                await socket.receive()
                await socket.send_str("garbage")
                while not (await socket.receive()).type.name.startswith("CLOS"):
                    pass

    asyncio.run(send())


async def test_sign_ins_passwords_and_budgets_are_counted(tmp_path: Path) -> None:
    async with serving(settings_for(tmp_path, rate_limits=True)) as (_, url), phones_of(url) as phones:
        async with watched(url) as moves:
            asha = await phones("Asha")
            wrong = {"email": "nobody@example.org", "password": "a wrong one of eight"}
            answers = [await asha.rest("POST", "/auth/login", wrong) for _ in range(8)]
            await asha.ok("POST", "/auth/refresh", {"refreshToken": asha.refresh_token})
            joining = [await asha.rest("POST", "/groups/join", {"code": "nothing"}) for _ in range(100)]
        (moved,) = moves
    limited = sum(answer.code == "rate_limited" for answer in answers)
    assert limited
    refused_joins = sum(answer.code == "rate_limited" for answer in joining)
    assert refused_joins
    assert moved.by("persplit_sign_ins_total", kind="register", code="ok") == 1
    assert moved.by("persplit_sign_ins_total", kind="login", code="credentials_invalid") == 8 - limited
    assert moved.by("persplit_sign_ins_total", kind="login", code="rate_limited") == limited
    assert moved.by("persplit_sign_ins_total", kind="refresh", code="ok") == 1
    assert moved.by("persplit_rate_limited_total", budget="account") == limited
    assert moved.by("persplit_rate_limited_total", budget="joins") == refused_joins
    assert moved.by("persplit_password_seconds_count") == 1 + 8 - limited
    assert moved.now("persplit_passwords_waiting") == 0


async def test_snapshots_and_qr_images_are_counted(server: tuple[Node, str], phones: MakePhone) -> None:
    asha, ben = await phones("Asha", "asha@okaxis"), await phones("Ben")
    group_id = await asha.makes_group(ben)

    def saved(shown: Series) -> float:
        return value(shown, "persplit_snapshots_total", outcome="saved")

    saved_before = saved(await scraped(server[1]))
    with mock.patch.object(snapshots, "SNAPSHOT_EVERY", 4):
        async with watched(server[1]) as moves:
            for amount in (100, 200):
                await asha.spends(group_id, amount)
            # A snapshot is saved when everybody has been answered and told.
            await until_shown(server[1], lambda now: saved(now) == saved_before + 1)
            row = (await ben.ok("GET", f"/groups/{group_id}/balances"))["settleUp"][0]
            for _ in range(2):
                async with asha.http.get(asha.url + row["qrUrl"]) as image:
                    assert image.status == 200
        (moved,) = moves
    assert moved.by("persplit_snapshots_total", outcome="saved") == 1
    assert moved.by("persplit_qr_images_total", source="made") == moved.by("persplit_qr_seconds_count") == 1
    assert moved.by("persplit_qr_images_total", source="cached") == 1


async def test_up_to_when_the_analytics_are_is_shown(server: tuple[Node, str], phones: MakePhone) -> None:
    node, url = server
    await until_followed(node, await (await phones("Asha")).makes_group())
    await until_shown(url, lambda now: value(now, "persplit_tallies_as_of_timestamp_seconds") > 0)
    now = await scraped(url)
    assert value(now, "persplit_tallies_as_of_timestamp_seconds") <= time.time()
    assert value(now, "persplit_tallies_failing") == 0


async def test_a_store_that_fails_is_shown_by_kind_and_readiness_says_so(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    node, url = server
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    store: Any = node.services.handler._store
    await until_followed(node, group_id)  # else the analytics meet the fault as well
    async with watched(url) as moves:
        store._database._writing.execute("PRAGMA query_only = ON")
        assert (await asha.rest("POST", f"/groups/{group_id}/expenses", DINNER)).status == 503
        store._database._writing.execute("PRAGMA query_only = OFF")
    (moved,) = moves
    assert moved.by("persplit_store_errors_total", kind="readonly") == 1
    assert moved.by("persplit_append_seconds_count", outcome="failed") == 1
    assert moved.now("persplit_store_up") == 1
    with mock.patch.object(type(store), "ping", side_effect=StoreUnavailable("away")):
        body = await until_ready_says(url, 503)
    assert body["code"] == "store_unavailable"
    assert body["checks"] == {"store": "failing", "hints": "unused", "draining": False}
    assert value(await scraped(url), "persplit_store_up") == 0
    body = await until_ready_says(url, 200)
    assert body == {"status": "ready", "checks": {"store": "ok", "hints": "unused", "draining": False}}
    node.leave()
    body = await until_ready_says(url, 503)
    assert (body["code"], body["checks"]["draining"]) == ("server_restarting", True)
    assert value(await scraped(url), "persplit_draining") == 1


async def until_ready_says(url: str, status: int) -> dict[str, Any]:
    """What `/readyz` says once it answers with the status: it remembers for a second."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with http.get(f"{url}/readyz") as response:
                if response.status == status:
                    found: dict[str, Any] = await response.json(content_type=None)
                    return found
            await asyncio.sleep(0.1)


async def test_a_store_that_hangs_is_not_ready_within_seconds_and_is_asked_once_for_all_who_want_to_know() -> (
    None
):
    asked = 0

    class Hanging:
        async def ping(self) -> None:
            nonlocal asked
            asked += 1
            await asyncio.Event().wait()

    class Alone:
        def are_connected(self) -> bool | None:
            return False

    store: Any = Hanging()
    hints: Any = Alone()
    with mock.patch("persplit.service.readiness.STORE_SECONDS_MAX", 0.05):
        readiness = Readiness(store, hints, lambda: False)
        checks = await asyncio.gather(*(readiness.checks() for _ in range(10)))
        assert not any(check.is_ready or check.store_answers for check in checks)
        assert asked == 1
        assert not (await readiness.checks()).is_ready
        assert asked == 1, "remembered for a second"


async def test_the_process_and_its_event_loop_are_shown(server: tuple[Node, str]) -> None:
    url = server[1]
    async with watched(url) as moves:
        before = value(await scraped(url), "persplit_loop_lag_seconds_count")
        await until_shown(url, lambda now: value(now, "persplit_loop_lag_seconds_count") > before)
    (moved,) = moves
    assert moved.by("persplit_loop_lag_seconds_count") >= 1
    assert moved.by("persplit_cpu_seconds_total") > 0
    assert moved.now("persplit_build_info", store="sqlite") == 1
    assert moved.now("persplit_processes") == 1
    assert moved.now("persplit_resident_memory_bytes") > 10_000_000
    assert 3 < moved.now("persplit_open_fds") < moved.now("persplit_max_fds")
    assert time.time() - 86_400 < moved.now("persplit_start_timestamp_seconds") < time.time()
    assert moved.now("persplit_store_check_seconds_count") >= 1


async def test_a_method_that_no_route_takes_makes_no_label(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha")
    async with watched(server[1]) as moves:
        for method in ("PROPFIND", "MKCOL"):
            assert (await asha.rest(method, "/groups")).status == 405
    (moved,) = moves
    assert moved.by("persplit_requests_total", method="other", code="method_not_allowed") == 2
    assert moved.now("persplit_requests_total", method="PROPFIND") == 0


@pytest.mark.parametrize(
    ("settings_of", "forwarded", "status"),
    [
        ({}, None, 200),
        ({}, "203.0.113.9", 403),
        ({"trusted_proxies": "127.0.0.1"}, "203.0.113.9", 403),
        ({"trusted_proxies": "127.0.0.1"}, "10.1.2.3", 200),
        ({"metrics_from": "10.9.9.9"}, None, 403),
        ({"metrics_from": "0.0.0.0/0,::/0"}, "203.0.113.9", 200),
    ],
)
async def test_metrics_are_for_those_who_are_named(
    tmp_path: Path, settings_of: dict[str, str], forwarded: str | None, status: int
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    async with (
        serving(settings_for(tmp_path, **settings_of)) as (_, url),
        aiohttp.ClientSession() as http,
        http.get(f"{url}/metrics", headers=headers) as response,
    ):
        assert response.status == status
        text = await response.text()
    assert ("persplit_sockets" in text) == (status == 200)
    assert ("PERSPLIT_METRICS_FROM" in text) == (status == 403)


async def test_any_of_several_workers_answers_for_all_and_one_that_dies_is_replaced_and_its_counters_stay(
    tmp_path: Path, mongodb_uri: str, redis_url: str
) -> None:
    uri = with_database(mongodb_uri, f"metrics{os.urandom(4).hex()}")
    options = ("--workers", "2", "--mongodb-uri", uri, "--redis-url", redis_url)
    server = ServerProcess(tmp_path, *options, port=free_port(), is_measured=True, PERSPLIT_JWT_SECRET=SECRET)
    await asyncio.to_thread(server.start)
    try:
        async with phones_of(server.url) as phones:
            made = [await phones(f"Person{number}", online=True) for number in range(6)]
            group_id = await made[0].makes_group(*made[1:])
            await made[1].spends(group_id, 600)
            for phone in made:
                await phone.hears("expense:created")
            found = await agreed(server.url, 6)
            assert value(found, "persplit_events_announced_total", event="expense:created") in (1, 2)
            assert value(found, "persplit_fanout_recipients_total") >= 6
            assert value(found, "persplit_sign_ins_total", kind="register", code="ok") == 6
            assert value(found, "persplit_hints_connected", through="redis") == 1
            assert value(found, "persplit_hints_subscriptions_total") == 2
            assert value(found, "persplit_hints_published_total") >= 7
            assert value(found, "persplit_hints_heard_total") >= 14
            assert time.time() - value(found, "persplit_hints_last_heard_timestamp_seconds") < 60
            assert value(found, "persplit_hints_lost_total") == 0
            assert value(found, "persplit_sweep_seconds_count") >= 2
            assert value(found, "persplit_store_up") == 1
            assert value(found, "persplit_processes") == 2
            body = await until_ready_says(server.url, 200)
            assert body["checks"]["hints"] == "ok"
        directory = directory_of(server.workers()[0])
        assert len(list(directory.glob("counter_*.db"))) == 2
        os.kill(server.workers()[0], signal.SIGKILL)
        found = await agreed(server.url, 0)
        assert value(found, "persplit_sign_ins_total", kind="register", code="ok") == 6
        assert value(found, "persplit_processes") == 2
        assert len(list(directory.glob("counter_*.db"))) == 2, "the new worker took the dead one's place"
        async with phones_of(server.url) as phones:
            late = await phones("Late")
            for number in range(8):
                await late.ok("POST", "/groups", {"name": f"Group {number}"})
        assert await asyncio.to_thread(server.stop) == 0
        assert not directory.exists()
    finally:
        if server.is_running:
            server.kill()


def directory_of(worker: int) -> Path:
    """Where the worker keeps its metrics."""
    variables = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
    found = next(it for it in variables if it.startswith(b"PROMETHEUS_MULTIPROC_DIR="))
    return Path(found.partition(b"=")[2].decode())


async def agreed(url: str, sockets: int) -> Series:
    """What `/metrics` says when several scrapes in a row, of whichever worker, know of so many sockets and of two workers."""
    in_a_row = 0
    async with asyncio.timeout(2 * PATIENCE_SECONDS):
        while True:
            try:
                found = await scraped(url)
            except aiohttp.ClientError:
                continue  # the worker that was killed had taken the connection
            right = (value(found, "persplit_sockets"), value(found, "persplit_processes")) == (sockets, 2)
            in_a_row = in_a_row + 1 if right else 0
            if in_a_row == 5:
                return found
            await asyncio.sleep(0.1)
