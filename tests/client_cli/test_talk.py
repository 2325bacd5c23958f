"""Comments, reminders and categories from a terminal."""

from tests.client_cli.conftest import Person


def test_comments(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "900", "--category", "food")
    assert "🍽️ food" in asha.says("expense", "show", "Dinner")
    assert "Nobody has said" in ben.says("comment", "list", "Dinner")
    (said,) = ben.gets("comment", "add", "Dinner", "Was the wine in it?")["comments"]
    assert (said["text"], said["pending"]) == ("Was the wine in it?", False)
    assert "Was the wine in it?" in asha.says("comment", "list", "Dinner")
    assert "said: Was the wine" in asha.says("history")
    assert asha.gets("comment", "delete", "Dinner", "Was the wine")["comments"] == []
    assert "deleted a comment" in asha.says("history")


def test_reminding(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("expense", "add", "Dinner", "900")
    assert "was reminded to pay ₹450.00" in asha.says("remind", "Ben")
    assert asha.fails(1, "remind", "Ben")["code"] == "reminded_recently"
    assert "reminded you to pay ₹450.00" in ben.says("history")
    assert asha.fails(3, "--offline", "remind", "Ben")["code"] == "offline"


def test_categories(trip: tuple[Person, Person]) -> None:
    found = trip[0].gets("categories")["categories"]
    assert {"key": "food", "name": "Food and drink", "icon": "🍽️"} in found
    assert "🛒" in trip[0].says("categories")
