"""No network: everything can be read, expenses and payments can be written, and it all arrives later."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client_cli.conftest import MakePerson, Person, free_port
from tests.processes import ServerProcess


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test may stop and start."""
    server = ServerProcess(tmp_path / "server", port=free_port())
    server.start()
    yield server
    if server.is_running:
        server.stop()


def test_a_day_without_the_server(own_server: ServerProcess, people: MakePerson) -> None:
    asha = people("Asha", "asha@okaxis", url=own_server.url)
    asha.says("group", "create", "Goa trip")
    asha.says("group", "add", "Ben")
    asha.says("expense", "add", "Dinner", "1000")
    own_server.kill()

    typed = asha.types("expense", "add", "Taxi", "300")
    assert typed.exit_code == 0
    assert "waiting" in typed.stdout
    assert "Offline: this is what this device knows." in typed.stderr
    assert "the server gets it with the next command" in typed.stderr
    listed = asha.gets("expense", "list")["expenses"]
    assert [(e["description"], e["pending"]) for e in listed] == [("Taxi", True), ("Dinner", False)]
    assert "waiting" in asha.says("expense", "list")
    assert "With what waits" in asha.says("balances")
    assert asha.gets("balances")["balances"][0]["amount"] == 65_000
    assert asha.gets("settle", "me", "100", "--from", "Ben")["settlement"]["pending"] is True
    assert asha.gets("group", "create", "Later")["group"]["pending"] is True
    asha.says("group", "use", "Goa")
    assert [e["pending"] for e in asha.gets("history", "--limit", "2")["events"]] == [True, True]
    pending = asha.gets("pending")["pending"]
    assert [c["type"] for c in pending] == ["expense:create", "settlement:create", "group:create"]
    assert "expense:create Taxi" in asha.says("pending")
    for words in (["sync"], ["group", "invite"], ["profile", "--name", "A"], ["group", "join", "x"]):
        assert asha.fails(3, *words)["code"] == "offline", words
    assert asha.fails(1, "log-out")["code"] == "unsent_commands"

    own_server.start()
    assert asha.gets("sync") == {"waiting": 0, "refused": 0}
    assert "In sync" in asha.says("sync")
    assert [e["pending"] for e in asha.gets("expense", "list")["expenses"]] == [False, False]


def test_the_network_can_be_left_alone(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    asha.says("expense", "add", "Dinner", "1000")
    assert asha.fails(3, "--offline", "sync")["code"] == "offline"
    assert asha.fails(3, "--offline", "watch")["code"] == "offline"
    offline = asha.gets("expense", "add", "Tea", "20", PERSPLIT_OFFLINE="1")["expense"]
    assert offline["pending"] is True
    dropped = asha.gets("pending")["pending"][0]["commandId"]
    assert asha.gets("drop", dropped[-8:]) == {"dropped": dropped}
    assert asha.gets("expense", "list")["total"] == 1
    assert asha.fails(2, "drop", "nonsense")["code"] == "unknown_name"


def test_what_the_server_refuses_is_kept_mended_or_dropped(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "1000")
    ben.says("sync")
    asha.says("expense", "edit", "Dinner", "--amount", "900")
    ben.says("--offline", "expense", "edit", "Dinner", "--amount", "800")
    assert ben.gets("sync") == {"waiting": 0, "refused": 1}
    refused = ben.gets("refused")["refused"][0]
    assert refused["error"]["code"] == "conflict"
    assert "conflict" in ben.says("refused")
    assert ben.gets("resend", refused["commandId"], "--amount", "850")["pending"] is False
    assert asha.gets("expense", "show", "Dinner")["expense"]["amount"] == 85_000
    assert ben.gets("refused") == {"refused": []}

    asha.says("expense", "edit", "Dinner", "--amount", "700")
    ben.says("--offline", "expense", "edit", "Dinner", "--amount", "600")
    error = ben.fails(2, "expense", "edit", "Nothing")
    assert error["code"] == "unknown_name"
    command = ben.gets("refused")["refused"][0]["commandId"]
    assert "Dropped" in ben.says("drop", command)


def test_a_refusal_of_what_was_just_typed_is_said_at_once(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "1000")
    settled = ben.gets("settle", "asha")["settlement"]
    asha.says("sync")
    ben.says("cancel")
    asha.says("--offline", "confirm", settled["id"])
    assert asha.gets("sync")["refused"] == 1
    command = asha.gets("refused")["refused"][0]["commandId"]
    again = asha.types("resend", command)
    assert again.exit_code == 1
    assert "cancelled" in again.stderr.lower() or "settled" in again.stderr.lower()
    assert asha.fails(2, "resend", command, "--amount", "5")["message"].endswith("has no amount")


def test_signing_out_on_another_device_is_noticed(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    asha.says("log-out", "--discard")
    assert asha.fails(4, "balances")["code"] == "not_signed_in"
