"""What the audit of the pinned packages finds, and that it never says more than it knows."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

ROOT = Path(__file__).parent.parent


def load(path: Path) -> Any:
    """A script as a module: `scripts` is no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


audit_pins = load(ROOT / "scripts/audit_pins.py")
FLOORS, LOCK, pins = audit_pins.FLOORS, audit_pins.LOCK, audit_pins.pins
below_floor, holes = audit_pins.below_floor, audit_pins.holes
not_asked, read_report = audit_pins.not_asked, audit_pins.read_report


def test_no_pin_is_below_its_floor() -> None:
    pinned = pins(LOCK.read_text())
    assert list(below_floor(pinned)) == []
    assert set(FLOORS) <= set(pinned), "a floor of what isn't there any more can go"


@pytest.mark.parametrize("name", FLOORS)
def test_a_pin_below_a_floor_is_found(name: str) -> None:
    pinned = {**pins(LOCK.read_text()), name: Version("0.1")}
    (sentence,) = below_floor(pinned)
    assert name in sentence
    assert FLOORS[name].reason in sentence


def test_what_pip_audit_finds_is_told_and_what_it_skips_does_not_pass_as_good(tmp_path: Path) -> None:
    bad = {"name": "pyjwt", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
    good = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
    skipped = {"name": "redis", "skip_reason": "Dependency not found on PyPI"}
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"dependencies": [bad, good, skipped], "fixes": []}))
    report = read_report(path)
    assert report is not None
    assert list(holes(report)) == ["pyjwt 2.0: CVE-1, fixed in 2.1"]
    pinned = {name: Version("1") for name in ("pyjwt", "aiohttp", "redis", "orjson")}
    assert not_asked(report, pinned) == {"redis", "orjson"}
    assert not_asked(None, pinned) == set(pinned)


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}"])
def test_a_report_that_is_none_counts_as_nothing_asked(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    assert read_report(path) is None
    assert read_report(tmp_path / "absent") is None


def test_it_says_aloud_what_it_could_not_look_up(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/audit_pins.py"), str(tmp_path / "absent")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert ran.returncode == 0
    pinned = pins(LOCK.read_text())
    assert f"NOT LOOKED UP, {len(pinned)} of {len(pinned)}" in ran.stdout
    for name, floor in FLOORS.items():
        assert f"{name} {pinned[name]} (at least {floor.version})" in ran.stdout


def test_a_hole_makes_it_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock"
    lock.write_text("# by a script\npyjwt==2.12.0\naiohttp==3.14.5; sys_platform != 'x'\n")
    monkeypatch.setattr(audit_pins, "LOCK", lock)
    assert audit_pins.main(None) == 1
    assert "HOLE: pyjwt 2.12.0 is older than 2.13.0" in capsys.readouterr().out
