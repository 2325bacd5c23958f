"""Other currencies, refunds and income at a terminal."""

from tests.client_cli.conftest import Person


def test_an_expense_in_another_currency(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    said = asha.says("expense", "add", "Museum", "45", "--currency", "EUR", "--rate", "97.25")
    assert "Museum, ₹4,376.25" in said
    assert "typed as €45.00, at 97.25" in said
    edited = ben.gets("expense", "edit", "Museum", "--amount", "50")["expense"]
    assert (edited["amount"], edited["original"]["amount"]) == (486_250, 5_000)
    at_another = ben.gets("expense", "edit", "Museum", "--rate", "100")["expense"]
    assert (at_another["amount"], at_another["original"]["rate"]) == (500_000, "100")
    in_yen = ben.gets("expense", "edit", "Museum", "--currency", "JPY", "--amount", "5000", "--rate", "0.55")
    assert in_yen["expense"]["original"]["amount"] == 5_000
    assert asha.fails(1, "expense", "add", "Tea", "3", "--currency", "KWD")["code"] == "rate_unknown"


def test_money_that_came_in(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    assert "refund, received by you" in asha.says("expense", "add", "Deposit", "5k", "--kind", "refund")
    assert asha.gets("expense", "edit", "Deposit", "--kind", "income")["expense"]["kind"] == "INCOME"
