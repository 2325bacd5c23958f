"""Guests, invites, blocking, units, personal tokens and leaving for good, as people type them."""

import json
from pathlib import Path

from tests.client_cli.conftest import PASSWORD, MakePerson, Person


def test_a_guest_joins_by_a_link_and_becomes_an_account(people: MakePerson, tmp_path: Path) -> None:
    asha = people("Asha")
    asha.says("group", "create", "Goa trip")
    made = asha.gets("group", "invite", "--hours", "2", "--uses", "1")
    gita = Person(tmp_path / "gita", asha.url)
    link = f"{asha.url}/i/{made['code']}"
    joined = gita.gets("join-as-guest", link, "Gita", PERSPLIT_SERVER="http://127.0.0.1:9")
    assert joined["user"]["guestOf"] == joined["group"]
    assert "a guest" in gita.says("whoami")
    gita.says("expense", "add", "Tea", "50")
    assert asha.gets("group", "show")["group"]["balance"] == -2_500
    assert gita.fails(1, "group", "invite")["code"] == "account_needed"
    email = f"gita.{asha.email}"
    upgraded = gita.gets("upgrade", email, PERSPLIT_PASSWORD=PASSWORD)
    assert upgraded["user"]["email"] == email
    assert gita.gets("--account", "gita", "group", "show")["group"]["balance"] == 2_500
    gita.says("group", "create", "Mine")


def test_invites_are_listed_and_taken_back(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    assert asha.says("group", "invites").count("\n") > 1
    (listed,) = asha.gets("group", "invites")["invites"]
    assert listed["uses"] == 1
    assert ben.gets("group", "invites")["invites"] == []
    assert "No invites" in ben.says("group", "invites")
    assert asha.gets("group", "revoke-invite", listed["id"][:8])["revoked"] == listed["id"]
    assert asha.gets("group", "invites")["invites"] == []
    asha.says("group", "invite", "--uses", "3")
    assert "0 of 3" in asha.says("group", "invites")


def test_couples_settle_together(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("group", "add", "Chitra")
    ben.says("expense", "add", "Dinner", "90")
    assert len(asha.gets("balances")["settleUp"]) == 2
    asha.says("group", "unit", "me", "Rao family")
    assert "settles with Rao family" in asha.says("group", "unit", "Chitra", "Rao family")
    (row,) = asha.gets("balances")["settleUp"]
    assert row["amount"] == 6_000
    assert "let you settle with Rao family" in asha.says("history")
    asha.says("group", "unit", "Chitra")
    assert "let Chitra settle alone" in asha.says("history")


def test_somebody_is_put_out_for_good_and_forgiven(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    code = asha.gets("group", "invite")["code"]
    assert "Blocked: Ben" in asha.says("group", "remove", "Ben", "--block")
    assert ben.fails(1, "group", "join", code)["code"] == "blocked"
    assert "blocked Ben" in asha.says("history")
    asha.says("group", "unblock", "Ben")
    assert "unblocked Ben" in asha.says("history")
    ben.says("group", "join", code)
    ben.says("group", "leave")
    assert "Blocked: Ben" in asha.says("group", "remove", "Ben", "--block")


def test_personal_tokens(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    assert "No tokens" in asha.says("token", "list")
    made = asha.gets("token", "create", "budget script", "--group", "Goa", "--days", "7")
    assert made["scope"] == "read"
    assert made["token"].startswith("pst_")
    assert "budget script" in asha.says("token", "list")
    assert asha.gets("token", "create", "bot", "--write")["groupId"] is None
    asha.says("token", "revoke", "budget script")
    (left,) = asha.gets("token", "list")["tokens"]
    assert left["name"] == "bot"
    assert asha.fails(2, "token", "revoke", "nothing")["code"] == "unknown_name"


def test_ones_data_is_taken_along_and_the_account_given_up(
    trip: tuple[Person, Person], tmp_path: Path
) -> None:
    asha, ben = trip
    ben.says("expense", "add", "Dinner", "90")
    file = tmp_path / "mine.json"
    assert ben.gets("export-account", str(file))["bytes"] == file.stat().st_size
    assert json.loads(file.read_text())["groups"][0]["balance"] == 4_500
    assert ben.fails(1, "export-account", str(tmp_path))["code"] == "file_unwritable"
    assert ben.fails(2, "delete-account", PERSPLIT_PASSWORD=PASSWORD)["code"] == "usage"
    wrong = ben.fails(1, "delete-account", "--yes", PERSPLIT_PASSWORD="not this one")
    assert wrong["code"] == "credentials_invalid"
    ben.says("delete-account", "--yes", PERSPLIT_PASSWORD=PASSWORD)
    assert ben.fails(4, "whoami")["code"] == "not_signed_in"
    members = asha.gets("group", "members")["members"]
    assert [(it["name"], it["placeholder"], it["balance"]) for it in members] == [
        ("Asha", False, -4_500),
        ("Ben", True, 4_500),
    ]
    assert "gave their account up" in asha.says("history")
