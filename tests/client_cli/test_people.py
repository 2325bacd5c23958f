"""Guests, invites, blocking, units, personal tokens and leaving for good, as people type them."""

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
