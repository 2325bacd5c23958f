"""`scripts/torture disk`, shortly: each fault of a disk once, and what a person is told."""

import asyncio
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from persplit.adapters.sqlite_mark import Mark
from persplit.bootstrap import DATABASE_FILE
from tests.processes import PATIENCE_SECONDS
from tests.system.conftest import phones_of, serving, settings_for
from tests.torture import disk
from tests.torture.disk import Damage, Written, judge

SEED = 4
EXPENSES = 24


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """What a server that was killed leaves."""
    home = tmp_path_factory.mktemp("killed")
    return home, asyncio.run(disk.written_and_killed(home, EXPENSES))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    """What a server that was stopped leaves."""
    home = tmp_path_factory.mktemp("stopped")
    return home, asyncio.run(disk.written_and_stopped(home, EXPENSES))


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311 - no secret


def damaged(home: Path, tmp_path: Path, damage: Damage, chance: random.Random) -> Path:
    """A damaged copy."""
    shutil.copytree(home, tmp_path / "copy")
    damage(tmp_path / "copy", chance)
    return tmp_path / "copy"


LOST = "has lost events that were acknowledged"


@pytest.mark.parametrize(
    ("damage", "verdict"),
    [
        (disk.log_cut_short, LOST),
        (disk.log_torn, LOST),
        (disk.log_gone, LOST),
        (disk.log_with_half_a_frame_more, "whole"),
        (disk.database_gone, "is gone"),
    ],
)
async def test_a_server_that_was_killed_serves_all_that_it_acknowledged_or_refuses(
    killed: tuple[Path, Written], tmp_path: Path, chance: random.Random, damage: Damage, verdict: str
) -> None:
    home, written = killed
    assert verdict in await judge(damaged(home, tmp_path, damage, chance), written)


@pytest.mark.parametrize(
    ("damage", "verdicts"),
    [
        (disk.database_cut_short, ["is damaged: "]),
        (disk.database_emptied, [LOST]),
        (disk.last_page_torn, ["is damaged: ", "unreadable"]),
        (disk.page_torn, ["is damaged: ", "unreadable", "whole"]),
    ],
)
async def test_a_server_that_was_stopped_serves_all_that_it_acknowledged_or_refuses(
    stopped: tuple[Path, Written], tmp_path: Path, chance: random.Random, damage: Damage, verdicts: list[str]
) -> None:
    home, written = stopped
    found = await judge(damaged(home, tmp_path, damage, chance), written)
    assert any(verdict in found for verdict in verdicts), found


async def test_a_server_that_does_not_look_at_its_mark_is_caught_serving_a_shortened_ledger(
    killed: tuple[Path, Written], tmp_path: Path, chance: random.Random
) -> None:
    home, written = killed
    copy = damaged(home, tmp_path, disk.log_torn, chance)
    with mock.patch.object(Mark, "lost", return_value=None), pytest.raises(AssertionError, match="shortened"):
        await judge(copy, written)


async def test_a_full_disk_refuses_writes_and_serves_reads_until_there_is_room(tmp_path: Path) -> None:
    await disk.no_room(tmp_path, room_bytes=10_000)


@pytest.mark.parametrize("name", [DATABASE_FILE, f"{DATABASE_FILE}-wal"])
async def test_nothing_is_written_into_a_file_that_was_removed(tmp_path: Path, name: str) -> None:
    await disk.removed_while_running(tmp_path, [name])


async def test_a_corrupted_snapshot_is_passed_over(tmp_path: Path, chance: random.Random) -> None:
    await disk.snapshot_corrupted(tmp_path, chance)


async def test_a_store_that_becomes_read_only_refuses_writes_until_it_is_writable(tmp_path: Path) -> None:
    async with serving(settings_for(tmp_path)) as (node, url), phones_of(url) as phones:
        asha = await phones("Asha")
        group_id = await asha.makes_group()
        store: Any = node.services.handler._store
        connection = store._database._writing
        connection.execute("PRAGMA query_only = ON")
        answer = await asha.rest("POST", f"/groups/{group_id}/expenses", disk._DINNER)
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "store_unavailable", "2")
        assert len(await disk.ledger(asha, group_id)) == 1
        connection.execute("PRAGMA query_only = OFF")
        assert (await asha.spends(group_id, 5))["seq"] == 2


def serve(home: Path, *before: str) -> subprocess.CompletedProcess[str]:
    """`persplit serve` where it can't start."""
    return subprocess.run(  # noqa: S603 - our own command
        [*before, sys.executable, "-m", "persplit", "serve", "--port", "0", "--data-dir", str(home)],
        env={**os.environ, "PERSPLIT_LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )


def test_what_was_lost_is_said_in_plain_words_and_new_epoch_takes_what_is_left(
    killed: tuple[Path, Written], tmp_path: Path, chance: random.Random
) -> None:
    home, written = killed
    copy = damaged(home, tmp_path, disk.log_torn, chance)
    done = serve(copy)
    assert done.returncode == 1
    assert f"{LOST}: event {len(written.events)} of group {written.group_id}" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_restore_that_is_refused_leaves_the_loss_to_be_noticed(
    killed: tuple[Path, Written], tmp_path: Path, chance: random.Random
) -> None:
    home, _ = killed
    copy = damaged(home, tmp_path, disk.log_torn, chance)
    backup = tmp_path / "no backup"
    backup.write_text("nonsense")
    restore = [sys.executable, "-m", "persplit", "restore", str(backup), "--data-dir", str(copy)]
    assert subprocess.run(restore, capture_output=True, check=False).returncode == 1  # noqa: S603 - ours
    done = serve(copy)
    assert (done.returncode, LOST in done.stderr) == (1, True)


@pytest.fixture
def read_only(stopped: tuple[Path, Written], tmp_path: Path) -> Iterator[Path]:
    """A directory in which nothing may be written."""
    home = Path(shutil.copytree(stopped[0], tmp_path / "copy"))
    for path in home.iterdir():
        path.chmod(0o400)
    home.chmod(0o500)
    yield home
    home.chmod(0o700)


def test_a_read_only_directory_is_said_in_plain_words(read_only: Path) -> None:
    # The administrator may write everywhere, unless that power is given up.
    before = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    done = serve(read_only, *before)
    assert done.returncode == 1
    assert f"persplit can't start: cannot open {read_only / DATABASE_FILE}" in done.stderr
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
