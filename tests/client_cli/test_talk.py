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


def test_looking_for_expenses_and_adding_them_up(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    asha.says("expense", "add", "Dinner", "900", "--category", "food", "--date", "2026-02-28")
    asha.says("expense", "add", "Taxi", "120", "--notes", "after dinner", "--date", "2026-03-01")

    def found(*words: str) -> list[str]:
        return [it["description"] for it in asha.gets("expense", "list", *words)["expenses"]]

    assert found("--text", "dinner") == ["Taxi", "Dinner"]
    assert (
        found("--category", "food") == found("--at-least", "200") == found("--to", "2026-02-28") == ["Dinner"]
    )
    assert found("--at-most", "120", "--payer", "me", "--member", "Ben", "--from", "2026-03-01") == ["Taxi"]
    told = asha.gets("stats", "--from", "2026-02-01", "--to", "2026-02-28")
    assert (told["count"], told["amount"], told["paid"], told["share"]) == (1, 900_00, 900_00, 450_00)
    assert "🍽️ food" in asha.says("stats")
    assert "Nothing was spent" in asha.says("stats", "--to", "2020-01-01")


def test_the_feed_and_what_is_new(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    assert "Nothing has happened" not in asha.says("activity")
    asha.says("expense", "add", "Dinner", "900")
    shown = ben.says("activity", "--limit", "1")
    assert "New to you: Goa trip 1" in shown
    assert "Asha added Dinner" in shown
    told = ben.gets("activity", "--limit", "1")
    assert (told["unread"], told["entries"][0]["event"]["type"]) == (1, "expense:created")
    assert ben.gets("read")["seq"] == told["entries"][0]["event"]["seq"]
    assert ben.gets("activity")["unread"] == 0
    assert "New to you" not in ben.says("activity")
    ben.says("--offline", "expense", "add", "Tea", "10")
    offline = ben.gets("--offline", "activity", "--limit", "1")
    assert offline["unread"] is None
    assert offline["entries"][0]["pending"]
    assert ben.fails(3, "--offline", "read")["code"] == "offline"


def test_where_one_is_told(trip: tuple[Person, Person]) -> None:
    asha, _ = trip
    assert "e-mail: not sent by this server" in asha.says("notify", "show")
    assert asha.fails(1, "notify", "email", "on")["code"] == "mail_unavailable"
    assert not asha.gets("notify", "email", "off")["email"]
    made = asha.gets("notify", "add-webhook", "https://example.org/hook")
    assert made["secret"]
    assert asha.gets("notify", "show")["webhooks"] == [{key: made[key] for key in ("id", "url", "createdAt")}]
    assert "shown this once" in asha.says(
        "notify", "add-webhook", "https://example.org/goa", "--group", "Goa"
    )
    assert "https://example.org/goa" in asha.says("notify", "webhooks", "--group", "Goa")
    assert asha.gets("notify", "remove-webhook", "https://example.org/hook")["removed"] == made["id"]
    asha.says("notify", "remove-webhook", "https://example.org/goa", "--group", "Goa trip")
    assert asha.gets("notify", "webhooks", "--group", "Goa trip")["webhooks"] == []
    assert "No webhooks." in asha.says("notify", "show")
