"""From words to an expense."""

from collections.abc import Callable
from datetime import date

import pytest

from persplit.client_cli.errors import UsageFault
from persplit.client_cli.splitting import WORDS, Split, Words, drafted, parse_day, redrafted
from persplit.ledger.expense import ExpenseDraft, Item, Posting, SplitType, SplitValue

TODAY = date(2026, 11, 21)


def person(name: str) -> str:
    return name.strip().lower()


def draft(**said: object) -> ExpenseDraft:
    words = {"description": "Dinner", "amount": "1200", **said}
    return drafted(Words(**words), person, "INR", TODAY)  # type: ignore[arg-type]


def redraft(before: ExpenseDraft, **said: object) -> ExpenseDraft:
    return redrafted(before, Words(**said), person, "INR", TODAY)  # type: ignore[arg-type]


def test_the_least_that_can_be_said() -> None:
    assert draft() == ExpenseDraft("Dinner", 120_000, SplitType.EQUAL, date="2026-11-21")


def test_everything_else_that_can_be_said() -> None:
    said = draft(
        among=["Asha, Ben", "Chitra"],
        paid_by=["Ben"],
        include_payer=False,
        date="yesterday",
        category="Food",
        notes="by the sea",
    )
    assert said.participants == ("asha", "ben", "chitra")
    assert said.payers == (Posting("ben", 120_000),)
    assert not said.include_payer
    assert (said.date, said.category, said.notes) == ("2026-11-20", "Food", "by the sea")


def test_several_payers_one_of_whom_paid_the_rest() -> None:
    assert draft(paid_by=["Asha=700", "Ben"]).payers == (Posting("asha", 70_000), Posting("ben", 50_000))


@pytest.mark.parametrize(
    ("split", "parts", "values"),
    [
        (Split.EXACT, ["Asha=700", "Ben=500"], [70_000, 50_000]),
        (Split.PERCENT, ["Asha=33.3333%", "Ben=66.6667"], [333_333, 666_667]),
        (Split.SHARES, ["Asha=1", "Ben=2.5"], [10_000, 25_000]),
        (Split.ADJUST, ["Asha=+50", "Ben=-50"], [5_000, -5_000]),
    ],
)
def test_parts(split: Split, parts: list[str], values: list[int]) -> None:
    said = draft(split=split, parts=parts)
    assert WORDS[said.split_type] is split
    assert said.splits == (SplitValue("asha", values[0]), SplitValue("ben", values[1]))


def test_items_add_up_unless_the_amount_is_told() -> None:
    said = draft(amount=None, items=["Thali=300:Asha,Ben", "Beer = 1k : Ben"])
    assert said.split_type is SplitType.ITEMIZED
    assert said.amount == 130_000
    assert said.items == (Item("Thali", 30_000, ("asha", "ben")), Item("Beer", 100_000, ("ben",)))
    assert draft(items=["Thali=300:Asha"]).amount == 120_000


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"description": None}, "what it was for"),
        ({"amount": None}, "how much"),
        ({"parts": ["Asha=5"]}, "say with --split"),
        ({"split": Split.EXACT, "parts": ["Asha"]}, "lacks a value"),
        ({"paid_by": ["Asha", "Ben"]}, "what each payer paid"),
        ({"paid_by": ["Asha=1200", "Ben"]}, "more than the amount"),
        ({"items": ["Thali"]}, "isn't an item"),
        ({"items": ["Thali=300"]}, "isn't an item"),
        ({"date": "Tuesday"}, "isn't a day"),
    ],
)
def test_what_makes_no_sense(said: dict[str, object], why: str) -> None:
    with pytest.raises(UsageFault, match=why):
        draft(**said)


def test_an_edit_changes_what_it_says() -> None:
    before = draft(paid_by=["Asha"], among=["Asha", "Ben"], category="Food", notes="x")
    assert redraft(before) == before
    after = redraft(before, description="Lunch", amount="500", category="", notes="", date="2026-01-02")
    assert after.payers == (Posting("asha", 50_000),)
    assert (after.description, after.category, after.notes, after.date) == ("Lunch", None, None, "2026-01-02")
    assert after.participants == ("asha", "ben")
    assert redraft(before, paid_by=["Ben"]).payers == (Posting("ben", 120_000),)
    assert redraft(before, among=["Chitra"], include_payer=False).participants == ("chitra",)


def test_an_edit_of_how_it_is_divided_starts_afresh() -> None:
    exact = draft(split=Split.EXACT, parts=["Asha=700", "Ben=500"])
    shares = redraft(exact, split=Split.SHARES, parts=["Asha=1", "Chitra=1"])
    assert [split.user_id for split in shares.splits] == ["asha", "chitra"]
    equal = redraft(shares, split=Split.EQUAL, among=["Asha"])
    assert (equal.splits, equal.participants) == ((), ("asha",))
    items = redraft(equal, items=["Thali=1200:Ben"])
    assert (items.split_type, items.participants) == (SplitType.ITEMIZED, None)


def test_adjustments_keep_who_takes_part() -> None:
    equal = draft(among=["Asha", "Ben"])
    adjusted = redraft(equal, split=Split.ADJUST, parts=["Asha=50"])
    assert adjusted.participants == ("asha", "ben")


def test_another_amount_asks_several_payers_again() -> None:
    before = draft(paid_by=["Asha=700", "Ben=500"])
    with pytest.raises(UsageFault, match="several people paid"):
        redraft(before, amount="1300")
    after = redraft(before, amount="1300", paid_by=["Asha=700", "Ben"])
    assert after.payers == (Posting("asha", 70_000), Posting("ben", 60_000))


def test_days() -> None:
    read: Callable[[str], str] = lambda text: parse_day(text, TODAY)  # noqa: E731 - said often
    assert [read("today"), read("Yesterday"), read("2026-02-28")] == [
        "2026-11-21",
        "2026-11-20",
        "2026-02-28",
    ]
