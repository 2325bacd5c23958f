"""The benchmark itself, with tiny numbers, against servers as they are measured."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from persplit.bootstrap import open_stores
from persplit.config import Settings
from persplit.service import snapshots
from scripts.benchmarks import crowd
from scripts.benchmarks.__main__ import main
from scripts.benchmarks.bench import STOCK_SERVER, Bench
from scripts.benchmarks.closed_loop import ClosedLoop
from scripts.benchmarks.histories import copied, lengthen
from scripts.benchmarks.joining import joined
from scripts.benchmarks.rows import OURS
from scripts.benchmarks.servers import Floor, Ours
from scripts.benchmarks.steady import OpenLoop, Turns
from scripts.benchmarks.world import Size, seeded

TINY = Bench(repetitions=1, warm_seconds=0.2, seconds=0.3, is_quick=True)
MEMBERS = 3
NODE_PEER = Path(__file__).parents[2] / "scripts/benchmarks/node_peer"


def test_devices_of_several_groups_get_every_broadcast_in_order_from_the_stock_library(
    tmp_path: Path,
) -> None:
    with STOCK_SERVER.running(tmp_path, Size(groups=2, members=MEMBERS)) as running:
        devices = joined(running, 10)
        ClosedLoop(running, devices, devices[:4]).run(1, TINY.warm_seconds, TINY.seconds)
        assert {device.group for device in devices} == {0, 1}
        assert sum(device.acks for device in devices[:4]) >= 4
        crowd.leave(devices)


def test_the_loads_are_put_to_our_server(tmp_path: Path) -> None:
    with Ours().running(tmp_path, Size(groups=1, members=MEMBERS)) as running:
        devices = joined(running, 6)
        loop = ClosedLoop(running, devices, devices[:MEMBERS])
        for outstanding in (1, 3):
            loop.run(outstanding, TINY.warm_seconds, TINY.seconds)
        assert sum(device.acks for device in devices) >= MEMBERS * (1 + 3)
        assert loop.frame_bytes > 500
        crowd.leave(devices)

        devices = joined(running, 6)
        sizes = Turns(running, devices).run(4)
        assert len(sizes) == 4
        assert min(sizes) > 500
        seconds = OpenLoop(running, devices, devices[:MEMBERS], per_second=20).run(0.1, 0.5)
        assert len(seconds) == 10
        assert min(seconds) > 0
        assert running.memory_bytes() > 1_000_000
        assert running.cpu_seconds() > 0
        crowd.leave(devices)


def test_the_command_writes_results_and_a_chart_and_prints_the_table_again(tmp_path: Path) -> None:
    done = command("bytes", "--quick", "--only", OURS, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "a broadcast to 8 members" in done.stdout
    (mean, _) = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert mean["figures"][OURS]["middle"] > 1_000
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    again = command("--table", str(tmp_path))
    assert again.stdout.startswith("Measured on processor: ")
    assert done.stdout.strip() in again.stdout


def test_a_copied_data_directory_is_on_the_disk_before_a_server_has_to_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, synced, sync = tmp_path / "source", dict[int, int](), os.fsync
    (source / "attachments").mkdir(parents=True)
    for name, size in (("persplit.sqlite3", 300_000), ("attachments/receipt", 5_000)):
        (source / name).write_bytes(bytes(size))

    def noted(file: int) -> None:
        sync(file)
        synced[os.fstat(file).st_ino] = os.fstat(file).st_size

    monkeypatch.setattr(os, "fsync", noted)
    copied(source, tmp_path / "copy")
    files = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert len(files) == 2
    assert synced == {path.stat().st_ino: path.stat().st_size for path in files}


def test_a_part_that_there_is_not_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "nonsense", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        main()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    words = [sys.executable, "-m", "scripts.benchmarks", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


@pytest.mark.parametrize("how", ["send", "uvloop"])
def test_the_floor_writes_until_it_is_stopped(how: str) -> None:
    assert crowd.run_floor(TINY, Floor(how, 4_000), devices=5)["deliveries"] > 0


async def test_a_group_gets_a_long_history(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    world = await seeded(settings, Size(1, MEMBERS))
    group_id = world.groups[0].id
    async with open_stores(settings) as stores:
        await lengthen(stores.events, group_id, 1_200)
        state = await snapshots.load(stores.events, group_id)
        assert state is not None
        assert state.seq == MEMBERS + 1_200
        assert [each.seq for each in await stores.events.snapshots(group_id, 0, 10)] == [500, 1_000]


def test_repetitions_take_turns() -> None:
    turns: list[str] = []

    def case(name: str) -> dict[str, float]:
        turns.append(name)
        return {"rate": len(turns)}

    bench = Bench(repetitions=2, warm_seconds=0, seconds=0, is_quick=True)
    found = bench.interleaved({"a": lambda: case("a"), "b": lambda: case("b")})
    assert turns == ["a", "b", "a", "b"]
    assert (found["rate"]["a"].low, found["rate"]["a"].high) == (1, 3)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_the_node_peer_is_a_program() -> None:
    checked = subprocess.run(  # noqa: S603 - our own file
        ["node", "--check", str(NODE_PEER / "server.mjs")],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
