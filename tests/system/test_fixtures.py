"""The golden fixtures for mobile teams are what this server says."""

import json
import os
from pathlib import Path

import pytest

from persplit.transport.broadcasts import BROADCASTS, PERSONAL
from persplit.transport.problems import PROBLEMS
from persplit.transport.table import COMMANDS
from tests.system.phone import Json
from tests.system.wire_session import CLOSING_CODES, REFUSED_AT_THE_DOOR, recorded

WIRE = Path(__file__).parent.parent / "fixtures" / "wire"
IS_WRITING = "PERSPLIT_WRITE_FIXTURES" in os.environ
"""Set by scripts/fixtures, which makes them anew."""


def text_of(message: Json) -> str:
    """As it is kept: the order of the keys is the server's."""
    return json.dumps(message, indent=2, ensure_ascii=False) + "\n"


def kept() -> set[str]:
    return {str(path.relative_to(WIRE).with_suffix("")) for path in WIRE.rglob("*.json")}


async def test_the_fixtures_are_what_the_server_says(tmp_path: Path) -> None:
    async with recorded(tmp_path) as taken:
        if IS_WRITING:
            write(taken)
        differing = [name for name, message in taken.items() if text_of(message) != read(name)]
        differing += sorted(kept() - taken.keys())
    assert not differing, (
        "these fixtures are missing, differ or are left over: if the change is meant, run scripts/fixtures "
        f"and tell the mobile teams: {', '.join(differing)}"
    )


def write(taken: dict[str, Json]) -> None:
    """Make the files, and remove those that are no longer said."""
    for name in kept() - taken.keys():
        (WIRE / f"{name}.json").unlink()
    for name, message in taken.items():
        path = WIRE / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(message), encoding="utf-8")


def read(name: str) -> str:
    path = WIRE / f"{name}.json"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@pytest.mark.parametrize("name", [event.name for event in (*BROADCASTS, *PERSONAL)])
def test_every_message_of_the_server_has_a_fixture(name: str) -> None:
    files = {name.replace(":", "_")}
    if name == "session:closing":
        files = {f"session_closing_{code}" for code in CLOSING_CODES}
    assert files <= {file.partition("/")[2] for file in kept() if file.startswith("broadcasts/")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_fixture_of_an_ack(name: str) -> None:
    ways = [f"acks/{name.replace(':', '_')}"]
    if name == "sync:pull":
        ways = [f"acks/sync_pull_{way}" for way in ("tail", "snapshot", "reset")]
    for file in ways:
        assert json.loads(read(file) or "{}").get("ok") is True, f"{file}: run scripts/fixtures"


@pytest.mark.parametrize("code", [error.code for error in PROBLEMS])
def test_every_code_has_a_fixture_as_an_ack_and_over_rest(code: str) -> None:
    assert json.loads(read(f"errors/{code}.ack"))["error"]["code"] == code
    assert json.loads(read(f"errors/{code}.rest"))["code"] == code


@pytest.mark.parametrize("code", REFUSED_AT_THE_DOOR)
def test_every_refusal_at_the_door_has_a_fixture(code: str) -> None:
    assert json.loads(read(f"broadcasts/connect_error_{code}"))["data"]["code"] == code
