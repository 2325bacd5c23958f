"""The menus: in a real terminal, and with answers from a file."""

from tests.client_cli.conftest import NOWHERE, PASSWORD, MakePerson, Person
from tests.client_cli.test_watching import Typed


def answers(person: Person, *lines: str, exit_code: int = 0, **variables: str) -> str:
    result = person.types("interactive", input="".join(f"{line}\n" for line in lines), **variables)
    assert result.exit_code == exit_code, result.output
    return result.stdout


def test_from_nothing_to_a_group(people: MakePerson) -> None:
    asha = people()
    said = answers(
        asha, "1", "", "Asha", "asha-menus@example.org", PASSWORD, "Make", "Goa trip", "", "Invite", "Quit"
    )
    assert "You are signed in as Asha." in said
    assert "Asha, you are in no group yet." in said
    assert "Made Goa trip." in said
    assert "Goa trip: you are settled up" in said
    assert "Link: http" in said
    assert PASSWORD not in said
    assert asha.gets("whoami")["user"]["name"] == "Asha"


def test_a_wrong_password_is_asked_again(people: MakePerson) -> None:
    asha = people("Asha")
    asha.says("log-out")
    said = answers(asha, "Log in", "", asha.email, "not this one", "2", "", asha.email, PASSWORD)
    assert "You are signed in as Asha." in said
    assert said.rstrip().endswith("Goodbye.")
    assert answers(people(), "1", "").rstrip().endswith("Goodbye.")
    assert "no answer" in answers(people(), "2", NOWHERE, "a@example.org", "x" * 12)


WAYS: tuple[tuple[str, list[str]], ...] = (
    ("1", []),
    ("2", ["Ben"]),
    ("3", ["300", "700"]),
    ("4", ["", "100"]),
    ("By shares", ["1", "1"]),
)


def test_adding_expenses(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    typed = [line for way, more in WAYS for line in ("1", f"Way {way}", "1k", "", way, *more)]
    said = answers(asha, *typed, "Quit")
    assert said.count("₹1,000.00.") == len(WAYS)
    shares = {e["description"]: e["shares"][-1]["amount"] for e in ben.gets("expense", "list")["expenses"]}
    assert shares == {
        "Way 1": 50_000,
        "Way 2": 100_000,
        "Way 3": 70_000,
        "Way 4": 100_000,
        "Way By shares": 50_000,
    }


def test_paying_and_confirming(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "1000")
    said = answers(ben, "Balances", "Friends", "What", "Pay", "1", "y", "Pay", "1", "", "Confirm", "Quit")
    assert "To settle up:" in said
    assert "you owe" in said
    assert "Asha added Dinner" in said
    assert "▄▄▄" in said
    assert "Noted. Asha has to confirm it." in said
    assert "No payment waits for you." in said
    said = answers(asha, "Confirm", "1", "1", "Pay", "Quit")
    assert "Confirmed." in said
    assert "You have nobody to pay here." in said
    ben.says("settle", "asha", "5")
    assert "Declined." in answers(asha, "Confirm", "1", "No", "Quit")


def test_expenses_and_groups(trip: tuple[Person, Person], people: MakePerson) -> None:
    asha, ben = trip
    said = answers(
        asha, "Expenses", "1", "Tea", "20", "", "1", "Expenses", "Tea", "y", "Expenses", "Expenses", "Quit"
    )
    assert "No expenses." in said
    assert "Deleted." in said
    asha.says("group", "create", "Two")
    code = asha.gets("group", "invite")["code"]
    said = answers(ben, "Join", code, "", "Another group", "1", "99", "nonsense", "", "Quit")
    assert "You are in Two." in said
    assert "Type a number from 1 to" in said
    said = answers(
        people("Chitra"), "Join", code, "", "1", "Tea", "12 apples", "1", "Tea", "5", "Zoe", "1", "Quit"
    )
    assert "isn't an amount" in said
    assert "there is no member 'Zoe'" in said


def test_offline_menus(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    result = asha.types("--offline", "interactive", input="1\nTea\n20\n\n1\nInvite\nQuit\n")
    assert "(1 waiting)" in result.stdout
    assert "needs the server" in result.stdout


def test_news_of_others_come_while_a_question_is_open(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    menus = Typed(ben, "interactive", terminal=True)
    try:
        menus.shows("Goa trip: ", "What next: ")
        asha.says("expense", "add", "Dinner", "1000")
        menus.shows("» Goa trip #3: Asha added Dinner, ₹1,000.00; you owe ₹500.00.")
        menus.types("Quit")
        menus.shows("Goodbye.")
        menus.ends()
    finally:
        menus.process.kill()
        menus.process.wait()


def test_the_password_is_not_shown_in_a_terminal(people: MakePerson) -> None:
    asha = people("Asha")
    asha.says("log-out")
    menus = Typed(asha, "interactive", terminal=True)
    try:
        for question, answer in (("Welcome: ", "2"), ("Server", ""), ("E-mail address", asha.email)):
            menus.shows(question)
            menus.types(answer)
        menus.shows("Password: ")
        menus.types(PASSWORD)
        menus.shows("You are signed in as Asha.")
        menus.types("Quit")
        menus.ends()
        assert PASSWORD not in menus.printed
    finally:
        menus.process.kill()
        menus.process.wait()
