"""The commands as processes, on a store that a real server is serving from at the same time."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from persplit import admin, bootstrap
from persplit.bootstrap import DATABASE_FILE, open_stores
from persplit.cli import app
from persplit.config import Settings
from persplit.service import session_sweep
from persplit.service.errors import RestoreUnfinished
from persplit.service.migrations import Migrations
from persplit.service.people import DELETED_PERSON
from tests.keeping.conftest import SqliteDamage, sqlite_settings
from tests.keeping.given import a_store, contents, findings
from tests.processes import PATIENCE_SECONDS
from tests.servers import free_port
from tests.system.conftest import MakePhone, phones_of, serving
from tests.system.phone import Phone
from tests.terminal import CliRunner

WRITERS = 3
PROCESS_SECONDS_MAX = 180.0
"""For a command to start, do its work and end, on a busy machine."""


def words(settings: Settings, *command: str) -> list[str]:
    """A command on the store of the settings."""
    where = ["--data-dir", str(settings.data_dir)]
    if settings.mongodb_uri is not None:
        where = ["--mongodb-uri", settings.mongodb_uri.get_secret_value()]
    return [sys.executable, "-m", "persplit", *command, *where]


async def run(settings: Settings, *command: str, says: str = "") -> tuple[int, str, str]:
    """The exit code of the command, and what it printed: in this process, in a thread of its own."""
    arguments = words(settings, *command)[3:]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=says)
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    return done.exit_code, done.stdout, done.stderr


async def run_process(settings: Settings, *command: str) -> tuple[int, str, str]:
    """The same in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *words(settings, *command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), PROCESS_SECONDS_MAX)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture(autouse=True)
def _quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_sweep, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr("persplit.service.follower.SWEEP_SECONDS", 0.2)


@pytest.fixture
async def phones(store_settings: Settings) -> AsyncIterator[MakePhone]:
    """Phones of a server on the store."""
    async with serving(store_settings) as (_, url), phones_of(url) as make:
        yield make


async def writes_on(phone: Phone, group_id: str, count: list[int]) -> None:
    while True:
        spent = {"description": "Tea", "amount": 101, "splitType": "EQUAL"}
        await phone.ok("POST", f"/groups/{group_id}/expenses", spent)
        count[0] += 1
        await asyncio.sleep(0.2)  # two other processes have to start meanwhile


async def test_a_store_is_checked_and_backed_up_while_people_write_and_the_backup_is_sound(
    phones: MakePhone, store_settings: Settings, tmp_path: Path
) -> None:
    asha = await phones("Asha")
    groups = [await asha.makes_group() for _ in range(3)]
    count = [0]
    writing = [asyncio.create_task(writes_on(asha, groups[number % 3], count)) for number in range(WRITERS)]
    code, out, err = await run_process(store_settings, "check")
    assert (code, "Sound: 3 groups" in out) == (0, True), out + err
    code, out, err = await run_process(store_settings, "backup", str(tmp_path / "kept"))
    assert code == 0, out + err
    at_the_backup = count[0]
    for task in writing:
        assert not task.done()
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)
    assert at_the_backup > WRITERS
    fresh = sqlite_settings(tmp_path / "fresh")
    code, out, err = await run(fresh, "restore", str(tmp_path / "kept"))
    assert code == 0, out + err
    async with open_stores(store_settings) as old, open_stores(fresh) as new:
        for group_id in groups:
            kept = list(await new.events.read(group_id, 0, 1_000))
            assert kept == list(await old.events.read(group_id, 0, len(kept)))
        assert await findings(new) == []


async def test_what_was_restored_is_served_and_everybody_signs_in_again(
    tmp_path: Path, store_settings: Settings
) -> None:
    async with serving(sqlite_settings(tmp_path / "old")) as (_, url), phones_of(url) as make:
        asha = await make("Asha")
        group_id = await asha.makes_group()
        me = await asha.ok("GET", "/auth/me")
        code, _, err = await run(sqlite_settings(tmp_path / "old"), "backup", str(tmp_path / "kept"))
        assert code == 0, err
    assert (await run(store_settings, "restore", str(tmp_path / "kept")))[0] == 0
    async with serving(store_settings) as (_, url), phones_of(url) as make:
        asha.url = url
        again = await make()
        login = {"email": me["email"], "password": "a long walk by the sea"}
        again.token = (await again.ok("POST", "/auth/login", login))["accessToken"]
        groups = await again.ok("GET", "/groups")
        assert [group["id"] for group in groups["groups"]] == [group_id]
        code, _, err = await run(store_settings, "restore", str(tmp_path / "kept"))
        assert (code, "isn't empty" in err) == (1, True)


async def test_faults_are_an_exit_code_a_line_each_or_json(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path / "data")
    async with open_stores(settings) as stores:
        await a_store(stores)
    file = settings.data_dir / DATABASE_FILE
    damage = SqliteDamage(file)
    damage.snapshot(6, b"")
    code, out, _ = await run(settings, "check")
    assert (code, out.count("warning goa, seq 6")) == (0, 1)
    damage.remove(4)
    code, out, _ = await run(settings, "check")
    assert code == 1
    assert "fault   goa, seq 5: before event 5 the ledger lacks 4 [seq_hole]" in out
    assert "NOT SOUND: 2 groups, 17 events" in out
    code, out, _ = await run(settings, "check", "--json")
    report = json.loads(out)
    assert (code, report["sound"], report["faults"], report["warnings"]) == (1, False, 1, 1)
    assert {finding["rule"] for finding in report["findings"]} == {"seq_hole", "snapshot_damaged"}
    code, _, err = await run(settings, "backup", str(tmp_path / "kept"))
    assert (code, "[seq_hole]" in err, (tmp_path / "kept").exists()) == (1, True, False)


@pytest.mark.parametrize("size", [0, 100, 4096, 5000, 20_000])
async def test_a_truncated_file_is_a_fault_that_names_it(tmp_path: Path, size: int) -> None:
    settings = sqlite_settings(tmp_path / "data")
    async with open_stores(settings) as stores:
        await a_store(stores)
    file = settings.data_dir / DATABASE_FILE
    with file.open("r+b") as opened:
        opened.truncate(size)
    code, out, _ = await run(settings, "check")
    assert code == 1
    assert DATABASE_FILE in out
    assert "NOT SOUND" in out


async def test_what_cannot_be_done_is_said_with_another_exit_code(tmp_path: Path) -> None:
    nowhere = sqlite_settings(tmp_path / "nowhere")
    for command in (["check"], ["backup", str(tmp_path / "kept")], ["erase", "--account", "a", "--yes"]):
        code, _, err = await run(nowhere, *command)
        assert (code, "persplit can't do this" in err) == (2, True)
    assert not nowhere.data_dir.exists()
    code, _, err = await run(nowhere, "restore", str(tmp_path / "missing"))
    assert (code, "No such file" in err) == (2, True)
    code, _, err = await run(nowhere, "check", "--mongodb-uri", "http://wrong")
    assert (code, "PERSPLIT_MONGODB_URI" in err) == (2, True)
    (tmp_path / "nonsense").write_bytes(b"hello")
    code, _, err = await run(sqlite_settings(tmp_path / "new"), "restore", str(tmp_path / "nonsense"))
    assert (code, "Nothing was done: the file is" in err) == (1, True)


async def test_migrate_says_what_it_does(store_settings: Settings) -> None:
    async with open_stores(store_settings) as stores:
        await a_store(stores)
        await Migrations(stores, bootstrap.utc_now).begin_at(1)
    code, out, _ = await run(store_settings, "migrate")
    assert code == 0
    assert out == (
        "Migrating: invites are found by who made them\n1 steps taken: the store's data has schema 2.\n"
    )
    code, out, _ = await run(store_settings, "migrate")
    assert (code, out) == (0, "0 steps taken: the store's data has schema 2.\n")


async def test_a_server_says_why_it_does_not_start_on_a_store_that_is_not_ready(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path / "data")
    async with open_stores(settings) as stores:
        await Migrations(stores, bootstrap.utc_now).begin_at(99)
    code, _, err = await run_process(settings, "serve", "--port", "0")
    assert (code, err) == (
        2,
        "persplit can't start: the store's data has schema 99; this release knows up to 2\n",
    )


@pytest.mark.parametrize("kind", ["mongodb"], indirect=True)
async def test_workers_are_not_started_on_a_store_that_is_not_ready(
    store_settings: Settings, tmp_path: Path
) -> None:
    async with open_stores(store_settings) as stores:
        await Migrations(stores, bootstrap.utc_now).begin_at(99)
    uri = store_settings.mongodb_uri
    assert uri is not None
    done = await asyncio.to_thread(
        subprocess.run,
        [*words(store_settings, "serve", "--workers", "2"), "--port", str(free_port())],
        env={**os.environ, "PERSPLIT_JWT_SECRET": "x" * 40},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, "knows up to 2" in done.stderr) == (2, True)


async def test_a_restore_that_is_killed_leaves_nothing_to_serve_and_can_be_done_again(tmp_path: Path) -> None:
    old = sqlite_settings(tmp_path / "old")
    async with open_stores(old) as stores:
        await a_store(stores)
        recorded = list(await stores.events.read("goa", 0, 10))
        for number in range(300):
            copies = [_copy(event, f"group-{number:03d}") for event in recorded]
            await stores.events.put(copies)
        before = await contents(stores)
    await admin.make_backup(old, tmp_path / "kept", lambda _: None)
    new = sqlite_settings(tmp_path / "new")
    file = new.data_dir / DATABASE_FILE
    restoring = subprocess.Popen(words(new, "restore", str(tmp_path / "kept")))  # noqa: ASYNC220, S603 - our own words
    async with asyncio.timeout(60):
        while not _has_events(file):
            assert restoring.poll() is None
            await asyncio.sleep(0.001)
    restoring.send_signal(signal.SIGKILL)
    restoring.wait()
    async with open_stores(new) as stores:
        assert len(await stores.events.groups("", 1_000)) < 302
        with pytest.raises(RestoreUnfinished):
            await bootstrap.prepare(stores)
    code, _, err = await run_process(new, "serve", "--port", "0")
    assert (code, "run `persplit restore` with it again" in err) == (2, True)
    code, out, err = await run(new, "restore", str(tmp_path / "kept"))
    assert code == 0, out + err
    async with open_stores(new) as stores:
        assert await contents(stores) == before
        await bootstrap.prepare(stores)


def _copy(event: Any, group_id: str) -> Any:
    return type(event)(
        group_id, event.seq, event.at, event.by, event.command_id, event.content_hash, event.event
    )


def _has_events(file: Path) -> bool:
    if not file.exists():
        return False
    try:
        return bool(SqliteDamage(file).run("SELECT 1 FROM events LIMIT 1"))
    except Exception:  # noqa: BLE001 - its tables are just being made
        return False


# --- erasing


async def test_an_account_that_is_erased_is_signed_out_and_nameless_and_its_address_is_free(
    phones: MakePhone, store_settings: Settings
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    spent = {"description": "Dinner", "amount": 1000, "splitType": "EQUAL"}
    await asha.ok("POST", f"/groups/{group_id}/expenses", spent)
    before = await asha.ok("GET", f"/groups/{group_id}/balances")
    email = (await ben.ok("GET", "/auth/me"))["email"]
    code, out, err = await run(store_settings, "erase", "--account", email, "--yes")
    assert (code, out) == (0, f"Erased the account {email}.\n"), err
    assert (await ben.hears("session:closing"))["code"] == "signed_out"
    assert (await ben.rest("GET", "/auth/me")).code == "token_invalid"
    login = {"email": email, "password": "a long walk by the sea"}
    assert (await ben.rest("POST", "/auth/login", login)).code == "credentials_invalid"
    assert await asha.ok("GET", f"/groups/{group_id}/balances") == before
    async with asyncio.timeout(PATIENCE_SECONDS):
        while DELETED_PERSON not in await _names(asha, group_id):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.1)  # a profile is remembered for some seconds
    assert await _names(asha, group_id) == {"Asha", DELETED_PERSON}
    friends = (await asha.ok("GET", "/balances/friends"))["friends"]
    assert [friend["name"] for friend in friends] == [DELETED_PERSON]
    for path in (f"/groups/{group_id}/events", f"/groups/{group_id}/sync?after=0"):
        assert "Ben" not in json.dumps(await asha.ok("GET", path))
    await ben.rest("POST", "/auth/register", {**login, "name": "Ben"})
    assert (await run(store_settings, "check"))[0] == 0
    code, _, err = await run(store_settings, "erase", "--account", "nobody@example.org", "--yes")
    assert (code, err) == (1, "Nothing was done: there is no such account\n")


async def _names(phone: Phone, group_id: str) -> set[str]:
    group = await phone.ok("GET", f"/groups/{group_id}")
    return {member["name"] for member in group["members"]}


async def test_a_group_that_is_erased_is_gone_for_its_members_within_seconds(
    phones: MakePhone, store_settings: Settings
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id, other = await asha.makes_group(ben), await asha.makes_group(ben)
    await asha.ok("POST", f"/groups/{group_id}/invites")
    code, out, err = await run(store_settings, "erase", "--group", group_id, says="n\n")
    assert (code, "Erased" in out, "Nothing was done" in err) == (1, False, True)
    assert (await asha.ok("GET", f"/groups/{group_id}"))["id"] == group_id
    code, out, err = await run(store_settings, "erase", "--group", group_id, says="y\n")
    assert (code, "Erased the group" in out) == (0, True), err
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await asha.rest("GET", f"/groups/{group_id}")).code != "not_found":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    spent = {"description": "Dinner", "amount": 1000, "splitType": "EQUAL"}
    assert (await ben.rest("POST", f"/groups/{group_id}/expenses", spent)).code == "not_found"
    assert (await ben.rest("GET", f"/groups/{group_id}/sync?after=0")).code == "not_found"
    assert (await ben.rest("POST", "/groups", {"name": "Again", "id": group_id})).code == "not_found"
    assert [group["id"] for group in (await ben.ok("GET", "/groups"))["groups"]] == [other]
    await asha.ok("POST", f"/groups/{other}/expenses", spent)
    assert (await ben.hears("expense:created", lambda it: it["groupId"] == other))["expense"][
        "amount"
    ] == 1000
    assert (await run(store_settings, "check"))[0] == 0


async def test_erase_asks_for_one_thing(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    for given in ([], ["--account", "a", "--group", "b"]):
        code, _, err = await run(settings, "erase", "--yes", *given)
        assert (code, err) == (2, "Say either --account or --group.\n")


async def test_a_new_epoch_is_given(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path / "data")
    code, out, _ = await run(settings, "new-epoch")
    assert (code, out) == (0, "Every group has a new epoch. Start the server again.\n")


async def test_rates_are_taken_in_whole_or_not_at_all(store_settings: Settings, tmp_path: Path) -> None:
    table = tmp_path / "rates.csv"
    table.write_text("date,currency,into,rate\n2026-11-25,EUR,INR,97.25\n")
    async with serving(store_settings) as (_, url), phones_of(url) as make:
        asha = await make("Asha")
        code, out, err = await run(store_settings, "rates", "import", str(table))
        assert (code, out) == (0, "1 rates of 1 pairs of currencies are known from now on.\n"), err
        table.write_text("date,currency,into,rate\n2026-11-26,EUR,INR,98\n2026-11-26,EUR,INR,\n")
        code, _, err = await run(store_settings, "rates", "import", str(table))
        assert (code, "row 3" in err) == (1, True)
        assert (await run(store_settings, "rates", "import", str(tmp_path / "none")))[0] == 1
        (rate,) = (await asha.ok("GET", "/rates?into=INR"))["rates"]
        assert rate["rate"] == "97.25"
    async with open_stores(store_settings) as stores:
        assert await findings(stores) == []
