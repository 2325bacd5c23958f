"""What people type, and what comes of it, against a real server."""

import json
from pathlib import Path

from tests.client_cli.conftest import NOWHERE, PASSWORD, MakePerson, Person


def test_signing_up_in_and_out(people: MakePerson) -> None:
    asha = people("Asha", "Asha@OkAxis")
    assert asha.gets("whoami")["user"]["vpa"] == "asha@okaxis"
    assert "Asha <asha" in asha.says("whoami")
    assert "signed out" in asha.says("log-out")
    assert asha.fails(4, "whoami")["code"] == "not_signed_in"
    typed = asha.types("log-in", asha.email, input=f"{PASSWORD}\n")
    assert "signed in as Asha" in typed.output
    assert PASSWORD not in typed.output
    assert (
        asha.fails(1, "log-in", asha.email, PERSPLIT_PASSWORD="wrong, quite")["code"] == "credentials_invalid"
    )
    assert asha.fails(2, "log-in", asha.email)["message"].startswith("no password")
    assert asha.fails(2, "log-in", asha.email, "--server", "nonsense")["code"] == "usage"


def test_the_profile(people: MakePerson) -> None:
    asha = people("Asha")
    assert "none; set it" in asha.says("whoami")
    assert asha.gets("profile", "--vpa", "Asha@ybl", "--name", "Asha R")["user"]["vpa"] == "asha@ybl"
    assert asha.gets("profile", "--vpa", "")["user"]["vpa"] is None
    assert asha.fails(2, "profile")["code"] == "usage"
    assert asha.fails(2, "profile", "--vpa", "asha@gmail.com")["code"] == "bad_upi_id"
    assert asha.fails(2, "sign-up", "B", "b@example.org", "--vpa", "x", PERSPLIT_PASSWORD=PASSWORD)
    refused = asha.fails(1, "sign-up", "A", asha.email, PERSPLIT_PASSWORD=PASSWORD)
    assert refused["code"] == "email_taken"


def test_two_accounts_on_one_machine(people: MakePerson) -> None:
    asha = people("Asha")
    ben = Person(asha.data, asha.url).signs_up("Ben")
    assert ben.gets("whoami")["user"]["name"] == "Ben"
    assert asha.gets("--account", asha.email, "whoami")["user"]["name"] == "Asha"
    assert asha.gets("--account", "asha", "whoami")["user"]["name"] == "Asha"
    assert asha.fails(2, "--account", "zoe", "whoami")["code"] == "unknown_name"
    mode = (asha.data / "current.json").stat().st_mode & 0o077
    assert mode == 0


def test_a_damaged_or_unwritable_data_directory_is_said_plainly(people: MakePerson, tmp_path: Path) -> None:
    asha = people("Asha")
    (asha.data / "current.json").write_text("{")
    assert asha.fails(1, "whoami")["code"] == "data_unreadable"
    (tmp_path / "file").write_text("")
    nobody = Person(tmp_path / "file", asha.url)
    assert nobody.fails(1, "log-in", asha.email, PERSPLIT_PASSWORD=PASSWORD)["code"] in (
        "replica_error",
        "data_unreadable",
    )


def test_groups(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    listed = ben.gets("group", "list")["groups"]
    assert [(g["name"], g["default"], g["pending"], g["balance"]) for g in listed] == [
        ("Goa trip", True, False, 0)
    ]
    assert "settled up" in ben.says("group", "list")
    shown = ben.says("group", "show")
    assert "Goa trip  (INR, fewest payments)" in shown
    assert "Ben (you)" in shown
    asha.says("group", "add", "Chitra")
    assert "placeholder" in asha.says("group", "members", "goa")
    names = [member["name"] for member in asha.gets("group", "members")["members"]]
    assert names == ["Asha", "Ben", "Chitra"]
    removed = asha.gets("group", "remove", "Chi")["group"]
    assert [m["name"] for m in removed["members"] if m["leftAt"] is None] == ["Asha", "Ben"]
    edited = asha.gets(
        "group", "edit", "--name", "Goa again", "--description", "sun", "--no-simplify", "--archive"
    )
    assert edited["group"]["archivedAt"]
    assert "Goa again (archived)" in asha.says("group", "list")
    assert "sun" in asha.says("group", "show")
    assert asha.fails(2, "group", "edit")["code"] == "usage"


def test_ways_into_a_group(trip: tuple[Person, Person], people: MakePerson) -> None:
    asha, ben = trip
    chitra = people("Chitra")
    assert asha.gets("group", "add", "--email", chitra.email)["group"]["members"][-1]["name"] == "Chitra"
    assert asha.fails(2, "group", "add")["code"] == "usage"
    assert asha.fails(1, "group", "add", "--email", ben.email)["code"] == "already_member"
    invited = asha.says("group", "invite")
    assert "▄▄▄" in invited
    assert "\x1b" not in invited
    asha.says(
        "group", "create", "Secret", "--password", "--no-simplify", PERSPLIT_GROUP_PASSWORD="open sesame"
    )
    url = asha.gets("group", "invite", "--no-qr")["url"]
    refused = ben.fails(1, "group", "join", url)
    assert refused["code"]
    joined = ben.gets("group", "join", url, PERSPLIT_GROUP_PASSWORD="open sesame")["group"]
    assert (joined["name"], joined["hasPassword"], joined["default"]) == ("Secret", True, True)
    assert "password" in ben.says("group", "show")
    assert "Goa trip it is" in ben.says("group", "use", "goa")
    assert ben.gets("whoami")["group"] != joined["id"]
    assert ben.gets("group", "leave", "Secret") == {"left": joined["id"], "pending": False}
    assert ben.fails(2, "group", "show", "Secret")["code"] == "unknown_name"


def test_which_group_is_asked_when_it_is_not_clear(people: MakePerson) -> None:
    asha = people("Asha")
    assert "no group yet" in asha.fails(2, "balances")["message"]
    assert "No groups yet" in asha.says("group", "list")
    asha.says("group", "create", "One")
    asha.says("group", "create", "Two", "--currency", "jpy")
    asha.says("group", "leave", "Two")
    assert asha.gets("balances")["currency"] == "INR"
    asha.says("group", "create", "Three")
    asha.says("group", "create", "Four")
    asha.says("group", "leave", "Four")
    assert asha.fails(2, "balances")["details"] == ["One", "Three"]
    assert asha.gets("balances", "-g", "thr")["balances"][0]["name"] == "Asha"
    assert asha.gets("balances", PERSPLIT_GROUP="one")["seq"] == 1


def test_an_expense_from_its_beginning_to_its_end(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    added = asha.gets("expense", "add", "Dinner", "1,200.50", "--category", "Food", "--notes", "by the sea")[
        "expense"
    ]
    assert (added["amount"], added["pending"], added["splitType"]) == (120_050, False, "EQUAL")
    assert sum(share["amount"] for share in added["shares"]) == 120_050
    shown = ben.says("expense", "show", "dinner")
    assert "Dinner, ₹1,200.50" in shown
    assert "paid by Asha" in shown
    assert "by the sea" in shown
    listed = ben.says("expense", "list")
    assert "₹1,200.50" in listed
    assert added["id"][-8:] in listed
    edited = ben.gets("expense", "edit", "Dinner", "--amount", "1k", "--paid-by", "me")["expense"]
    assert (edited["amount"], edited["paidBy"]) == (100_000, edited["createdBy"]) or edited[
        "amount"
    ] == 100_000
    assert ben.gets("expense", "delete", added["id"][-8:])["expense"]["deletedAt"]
    assert "No expenses" in asha.says("expense", "list")
    assert "Dinner (deleted)" in asha.says("expense", "list", "--deleted")
    assert asha.gets("expense", "restore", "Dinner")["expense"]["deletedAt"] is None
    assert asha.gets("expense", "list")["total"] == 1
    assert asha.fails(2, "expense", "restore", "Dinner")["code"] == "unknown_name"
    ben.says("expense", "add", "Dinner", "10")
    assert len(ben.fails(2, "expense", "show", "Dinner")["details"]) == 2
    assert "… and 1 older" in ben.says("expense", "list", "--limit", "1")


WAYS: list[tuple[list[str], list[int], str]] = [
    (["1000", "--leave-payer-out"], [100_000], "without the payer"),
    (["1000", "--among", "me"], [100_000], "equal"),
    (
        ["1000", "--split", "exact", "--part", "me=700", "--part", "Ben=300"],
        [70_000, 30_000],
        "exact (Asha ₹700.00",
    ),
    (
        ["1000", "--split", "percent", "--part", "me=60", "--part", "Ben=40%"],
        [60_000, 40_000],
        "Asha 60%",
    ),
    (
        ["1000", "--split", "shares", "--part", "me=1.5", "--part", "Ben=1"],
        [60_000, 40_000],
        "Asha 1.5, Ben 1",
    ),
    (["1000", "--split", "adjust", "--part", "Ben=-100"], [55_000, 45_000], "Ben -₹100.00"),
    (
        ["--item", "Thali=300:me,Ben", "--item", "Beer=100:Ben"],
        [15_000, 25_000],
        "Thali ₹300.00 for Asha, Ben",
    ),
    (
        ["1000", "--paid-by", "me=600", "--paid-by", "Ben"],
        [50_000, 50_000],
        "paid by you ₹600.00, Ben ₹400.00",
    ),
]


def test_every_way_to_divide(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    for number, (words, shares, says) in enumerate(WAYS):
        added = asha.gets("expense", "add", f"Meal {number}", *words)["expense"]
        assert [share["amount"] for share in added["shares"]] == shares
        assert says in asha.says("expense", "show", f"Meal {number}")


def test_what_the_rules_refuse(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    refused = asha.fails(1, "expense", "add", "Dinner", "1000", "--split", "exact", "--part", "me=700")
    assert refused["code"] == "validation_failed"
    assert "sum" in refused["message"]
    assert asha.fails(2, "expense", "add", "Dinner", "12 apples")["code"] == "bad_amount"
    assert asha.fails(2, "expense", "add", "Dinner", "12", "--among", "Zoe")["code"] == "unknown_name"
    assert asha.fails(2, "expense", "show", "Lunch")["code"] == "unknown_name"
    assert asha.types("expense", "add").exit_code == 2
    asha.says("expense", "add", "Dinner", "1000")
    assert ben.fails(1, "group", "leave")["code"] == "balance_not_zero"
    human = ben.types("group", "leave")
    assert human.exit_code == 1
    assert human.stdout == ""
    assert human.stderr.strip()


def test_paying(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Villa", "5k")
    assert "You owe" not in ben.says("debts")
    assert "you owe Asha ₹2,500.00" in ben.says("debts")
    assert ben.gets("debts")["debts"][0]["toName"] == "Asha"
    assert "you pay Asha ₹2,500.00" in ben.says("plan")
    drawn = ben.says("qr")
    assert "▄▄▄" in drawn
    assert "\x1b" not in drawn
    assert "UPI id: asha@okaxis   amount: ₹2,500.00" in drawn
    assert "at most ₹2,000.00" in drawn
    transfer = ben.gets("qr", "asha", "--amount", "2 lakh")["transfers"][0]
    assert transfer["upiLink"].startswith("upi://pay?pa=asha@okaxis&pn=Asha&am=200000.00&")
    assert any("2 parts" in words for words in transfer["warnings"])
    assert "nobody" in asha.says("qr")
    settled = ben.gets("settle", "asha", "--utr", "123456789012", "--note", "by UPI")["settlement"]
    assert (settled["amount"], settled["status"], settled["utr"]) == (250_000, "PENDING", "123456789012")
    assert "₹2,500.00" in asha.says("payments")
    assert ben.fails(2, "confirm")["message"] == "no payment waits for that"
    assert "Ben paid you ₹2,500.00: completed" in asha.says("confirm")
    assert asha.fails(1, "confirm", settled["id"])["code"] == "already_settled"
    assert "settled up" in ben.says("balances")
    assert "Nobody owes" in ben.says("debts")
    assert ben.gets("payments")["settlements"][0]["status"] == "COMPLETED"


def test_payments_that_come_to_nothing(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    assert "No payments" in ben.says("payments")
    assert "doesn't have you pay Asha" in ben.fails(2, "settle", "asha")["message"]
    assert ben.fails(1, "settle", "asha", "5", "--utr", "12")["code"] == "validation_failed"
    first = ben.gets("settle", "asha", "100")["settlement"]
    second = ben.gets("settle", "asha", "200")["settlement"]
    assert len(asha.fails(2, "confirm")["details"]) == 2
    assert asha.gets("decline", second["id"])["settlement"]["status"] == "DECLINED"
    assert ben.gets("cancel", "asha")["settlement"]["id"] == first["id"]
    by_payee = asha.gets("settle", "me", "50", "--from", "Ben")["settlement"]
    assert by_payee["amount"] == 5_000


def test_a_group_that_upi_can_not_pay(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("group", "create", "Paris", "--currency", "EUR")
    ben.says("group", "join", asha.gets("group", "invite")["code"])
    asha.says("expense", "add", "Museum", "€30")
    assert "counts in EUR" in ben.says("qr")
    assert ben.gets("qr", "--amount", "5")["transfers"][0]["upiLink"] is None
    assert ben.gets("overview")["overall"] == [
        {"currency": "EUR", "amount": -1_500},
        {"currency": "INR", "amount": 0},
    ]
    ben.says("profile", "--vpa", "")
    ben.says("expense", "add", "Cab", "60", "--leave-payer-out")
    assert "UPI pays in INR" in asha.says("qr", "Ben")


def test_somebody_without_a_upi_id(people: MakePerson) -> None:
    asha, ben = people("Asha"), people("Ben")
    asha.says("group", "create", "Goa")
    ben.says("group", "join", asha.gets("group", "invite")["code"])
    asha.says("expense", "add", "Tea", "30")
    assert "No UPI id of Asha is known" in ben.says("qr")


def test_looking(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "1000")
    ben.says("expense", "add", "Taxi", "200")
    found = ben.gets("balances")
    assert [row["amount"] for row in found["balances"]] == [40_000, -40_000]
    assert (found["optimal"], found["settleUp"][0]["amount"], found["pending"]) == (True, 40_000, False)
    shown = ben.says("balances")
    assert "+₹400.00" in shown
    assert "you pay Asha ₹400.00" in shown
    before = ben.gets("balances", "--at", "3")
    assert [row["amount"] for row in before["balances"]] == [50_000, -50_000]
    assert before["settleUp"] is None
    assert "after #4" in ben.says("balances", "--at", "today")
    assert ben.fails(1, "balances", "--at", "99")["code"] == "not_found"
    assert ben.fails(2, "balances", "--at", "Tuesday")["code"] == "bad_day"
    assert ben.gets("friends")["friends"][0]["balances"] == [{"currency": "INR", "amount": -40_000}]
    assert "you owe" in ben.says("friends")
    assert "owes you" in asha.says("friends")
    assert "Overall: you owe ₹400.00." in ben.says("overview")
    why = ben.gets("explain", "me", "asha")
    assert [cause["description"] for cause in why["debts"][0]["causes"]] == ["Dinner", "Taxi"]
    assert "The plan: you pay Asha ₹400.00." in ben.says("explain", "me", "asha")


def test_history(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "1000")
    asha.says("expense", "edit", "Dinner", "--amount", "800")
    asha.says("expense", "edit", "Dinner", "--description", "Supper")
    asha.says("expense", "edit", "Supper", "--category", "Food")
    asha.says("expense", "delete", "Supper")
    asha.says("expense", "restore", "Supper")
    asha.says("group", "edit", "--name", "Goa again")
    asha.says("group", "edit", "--archive")
    asha.says("group", "edit", "--bring-back")
    asha.says("group", "edit", "--no-simplify")
    asha.says("group", "add", "Chitra")
    asha.says("group", "remove", "Chitra")
    ben.says("settle", "asha")
    asha.says("confirm")
    ben.says("group", "leave")
    shown = asha.says("history")
    for words in (
        "you made the group Goa trip",
        "Ben joined",
        "you added Dinner, ₹1,000.00",
        "you changed Dinner, ₹800.00 (was ₹1,000.00)",
        "you changed Supper, ₹800.00 (was Dinner)",
        "you changed Supper, ₹800.00\n",
        "you deleted Supper",
        "you restored Supper",
        "you renamed the group to Goa again",
        "you archived the group",
        "you brought the group back",
        "you changed the group's settings",
        "you added Chitra",
        "you removed Chitra",
        "Ben noted that Ben paid you ₹400.00",
        "you confirmed that Ben paid you ₹400.00",
        "Ben left",
    ):
        assert words in "\n".join(line.rstrip() for line in shown.splitlines()) + "\n", words
    assert "… 16 before these" in asha.says("history", "--limit", "1")
    events = asha.gets("history", "--limit", "2")["events"]
    assert [event["type"] for event in events] == ["settlement:completed", "member:left"]
    assert events[0]["pending"] is False


def test_nothing_open(people: MakePerson) -> None:
    asha = people("Asha")
    assert "Nothing is open" in asha.says("friends")
    assert "no groups yet" in asha.says("overview")
    assert asha.gets("pending") == {"pending": []}
    assert "Nothing." in asha.says("refused")


def test_names_can_not_play_with_the_terminal(people: MakePerson) -> None:
    asha = people("Asha")
    asha.says("group", "create", "[bold]Goa[/bold] :smile:")
    assert "[bold]Goa[/bold] :smile:" in asha.says("group", "list")


def test_no_server(people: MakePerson) -> None:
    nobody = people(url=NOWHERE)
    error = nobody.fails(3, "log-in", "a@example.org", PERSPLIT_PASSWORD=PASSWORD)
    assert error["code"] == "offline"
    assert json.dumps(error)
