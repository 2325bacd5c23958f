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


def test_presets_and_weights(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    assert "No presets." in asha.says("preset", "list")
    asha.says("preset", "save", "Flat", "--split", "percent", "--part", "me=60", "--part", "Ben=40")
    said = asha.says("preset", "save", "Family", "--split", "shares", "--default")
    assert "Family  shares   everybody" in said
    assert "Flat" in said
    shares = ben.gets("expense", "add", "Gas", "10", "--preset", "flat")["expense"]["shares"]
    assert [share["amount"] for share in shares] == [600, 400]
    weights = [
        member.get("weight", 1) for member in ben.gets("group", "weight", "me", "2")["group"]["members"]
    ]
    assert weights == [1, 2]
    assert "changed the weight of Ben to 2" in asha.says("history")
    asha.says("preset", "delete", "Flat")
    assert [one["name"] for one in ben.gets("preset", "list")["presets"]] == ["Family"]


def test_recurring_expenses(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    assert "No recurring expenses." in ben.says("recurring", "list")
    asha.says("group", "edit", "--time-zone", "Asia/Kolkata")
    added = asha.says("recurring", "add", "Rent", "30k", "--start", "2031-01-31", "--interval", "2")
    assert "monthly, every 2" in added
    assert "2031-01-31" in added
    assert "paused" in ben.says("recurring", "pause", "Rent")
    resumed = ben.gets("recurring", "resume", "rent")["recurrences"]
    assert [one["nextDate"] for one in resumed] == ["2031-01-31"]
    assert ben.gets("recurring", "stop", "Rent")["recurrences"] == []
    history = asha.says("history")
    for done in ("saved the recurring Rent", "paused the recurring Rent", "stopped the recurring Rent"):
        assert done in history
