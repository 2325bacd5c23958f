"""Importing twice, more, into what has changed, and taking it back."""

import json

import pytest

from persplit.exchange.rows import Status
from persplit.ledger.commands import (
    AddMember,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateSettlement,
    DeleteExpense,
    DeletePreset,
    JoinGroup,
    RemoveMember,
    SavePreset,
    SaveRecurrence,
    UpdateGroup,
)
from persplit.ledger.errors import BalanceNotZero, Forbidden, GroupArchived, LimitReached
from persplit.ledger.events import MemberJoined
from persplit.ledger.expense import Expense, SplitType
from persplit.ledger.preset import PresetDraft
from persplit.ledger.recurrence import Frequency, Schedule
from persplit.ledger.settlement import Settlement, SettlementStatus
from tests.exchange.given import Target, exported, text_of
from tests.ledger.given import ASHA, JON, RAVI, ledger_of, shared

ALL = [
    "splitwise_en.csv",
    "spliit.json",
    "tricount.json",
    "ihatemoney.csv",
    "ihatemoney_old.json",
    "cospend.csv",
]
HEADER = "Date,Description,Category,Cost,Currency,Asha,Ravi\n"
TEA = "2026-01-01,Tea,Food,10.00,EUR,5.00,-5.00\n"


def currency_of(name: str) -> str:
    return "INR" if "splitwise" in name else "EUR"


@pytest.mark.parametrize("name", ALL)
def test_the_same_file_twice_changes_nothing_the_second_time(name: str) -> None:
    target = Target.founded(currency_of(name))
    first = target.takes(text_of(name))
    before = target.ledger.seq
    again = target.takes(text_of(name))
    assert (target.ledger.seq, again.import_id) == (before, first.import_id)
    assert Status.NEW not in {row.status for row in again.rows}
    assert Status.PRESENT in {row.status for row in again.rows}


@pytest.mark.parametrize("name", ALL)
def test_what_was_taken_back_is_as_if_it_had_not_been_and_can_come_again(name: str) -> None:
    target = Target.founded(currency_of(name))
    import_id = target.takes(text_of(name)).import_id
    wanted = target.balances()
    for _ in range(2):
        target.undoes(import_id)
        assert target.balances() == {}
        assert [member.name for member in target.state.active()] == ["Asha"]
        before = target.ledger.seq
        target.undoes(import_id)
        assert target.ledger.seq == before
        import_id = target.takes(text_of(name)).import_id
        assert target.balances() == wanted


def test_a_later_export_brings_only_what_is_new_to_it() -> None:
    target = Target.founded()
    target.takes(HEADER + TEA)
    plan = target.takes(HEADER + TEA + "2026-01-02,Cake,Food,4.00,EUR,2.00,-2.00\n")
    assert [row.description for row in plan.rows if row.status is Status.NEW] == ["Cake"]
    assert target.balances() == {"Asha": 700, "Ravi": -700}


def test_of_equal_rows_each_is_imported() -> None:
    target = Target.founded()
    target.takes(HEADER + TEA * 2)
    assert target.balances() == {"Asha": 1_000, "Ravi": -1_000}
    plan = target.takes(HEADER + TEA * 3)
    assert [row.status for row in plan.rows] == [Status.PRESENT, Status.PRESENT, Status.NEW]


def test_a_row_that_has_changed_in_the_file_is_refused_unless_it_was_changed_here() -> None:
    target = Target.founded()
    target.takes(text_of("spliit.json"))
    changed = text_of("spliit.json").replace(
        '"amount": 10000, "paidById": "p2"', '"amount": 20000, "paidById": "p2"'
    )
    plan = target.looked_at(changed)
    assert [(e.path, e.message) for e in plan.refusals] == [
        ("rows.2", "it was imported before, and has changed in the file since")
    ]
    assert not target.looked_at(changed, skip=[2]).steps
    boats = next(t for t in target.things() if isinstance(t, Expense) and t.description == "Boats")
    target.ledger.do(ASHA, DeleteExpense(boats.id))
    assert not target.looked_at(changed).refusals
    assert not target.looked_at(text_of("spliit.json")).steps


def test_undoing_leaves_alone_who_has_claimed_a_place_and_what_people_have_added() -> None:
    target = Target.founded("INR")
    plan = target.takes(text_of("splitwise_en.csv"))
    ids = {match.person.name: match.user_id or "" for match in plan.people}
    target.ledger.do(RAVI, JoinGroup("Ravi", claim=ids["Ravi Iyer"]))
    target.ledger.do(ASHA, CreateExpense("own", shared(200, ASHA, ids["Meera Nair"], by=ASHA)))
    target.undoes(plan.import_id)
    assert target.balances() == {"Asha": 100, "Meera Nair": -100}
    assert {member.name for member in target.state.active()} == {"Asha", "Ravi", "Meera Nair"}


def test_an_import_is_not_taken_back_half() -> None:
    target = Target.founded("INR")
    plan = target.takes(text_of("splitwise_en.csv"))
    ids = {match.person.name: match.user_id or "" for match in plan.people}
    target.ledger.do(ASHA, CreateSettlement("s", ids["Asha Rao"], 535_250, ids["Jon Hart"]))
    target.ledger.do(ASHA, ConfirmSettlement("s"))
    target.ledger.do(ASHA, RemoveMember(ids["Jon Hart"]))
    before = target.ledger.seq
    with pytest.raises(BalanceNotZero):
        target.undoes(plan.import_id)
    assert target.ledger.seq == before


def test_a_waiting_payment_of_ours_is_cancelled_when_it_is_taken_back() -> None:
    source = ledger_of(
        CreateGroup("Asha", "Goa", currency="EUR"),
        AddMember(RAVI, "Ravi", placeholder=True),
        CreateSettlement("w", RAVI, 500),
    )
    target = Target.founded()
    plan = target.takes(json.dumps(exported(source)))
    assert len(target.state.pending) == 1
    target.undoes(plan.import_id)
    assert not target.state.pending
    (payment,) = [thing for thing in target.things() if isinstance(thing, Settlement)]
    assert payment.status is SettlementStatus.CANCELLED
    target.undoes(plan.import_id)


def test_only_an_admin_imports_and_undoes() -> None:
    target = Target.founded("INR")
    plan = target.takes(text_of("splitwise_en.csv"))
    target.ledger.do(ASHA, AddMember(JON, "Jon"))
    target.actor = JON
    with pytest.raises(Forbidden):
        target.looked_at(text_of("splitwise_en.csv"))
    with pytest.raises(Forbidden):
        target.undoes(plan.import_id)


def test_nothing_is_imported_into_an_archived_group() -> None:
    target = Target.founded("INR")
    target.ledger.do(ASHA, UpdateGroup(archived=True))
    with pytest.raises(GroupArchived):
        target.looked_at(text_of("splitwise_en.csv"))


def crowd(cells: list[str], cost: str) -> str:
    """A table with one row, and a column for each cell."""
    people = ",".join(f"P{number}" for number in range(len(cells)))
    return f"Date,Description,Category,Cost,Currency,{people}\n2026-01-01,Tea,Food,{cost},EUR,{','.join(cells)}\n"


def test_there_has_to_be_room_for_the_people() -> None:
    with pytest.raises(LimitReached):
        Target.founded().looked_at(crowd(["1.00", "-1.00", *["0.00"] * 254], "2.00"))


def test_an_expense_of_too_many_payers_is_refused() -> None:
    (error,) = Target.founded().looked_at(crowd([*["1.00"] * 34, "-10.00", "-24.00"], "34.00")).refusals
    assert "at most 32 payers" in error.message


def test_the_importer_is_behind_every_event() -> None:
    target = Target.founded("INR")
    target.takes(text_of("splitwise_en.csv"))
    imported = target.ledger.events[1:]
    assert {recorded.by for recorded in imported} == {ASHA}
    assert all(recorded.command_id.startswith("import ") for recorded in imported)
    assert sum(isinstance(recorded.event, MemberJoined) for recorded in imported) == 4


def test_presets_come_along_and_go_when_the_import_is_taken_back() -> None:
    gone = SavePreset("gone", PresetDraft("Gone", SplitType.EQUAL))
    source = ledger_of(
        CreateGroup("Asha", "Goa", currency="EUR"),
        AddMember(RAVI, "Ravi", placeholder=True),
        CreateExpense("e1", shared(200)),
        SavePreset("flat", PresetDraft("Flat", SplitType.EQUAL, participants=(ASHA, RAVI), is_default=True)),
        gone,
        DeletePreset("gone"),
        SaveRecurrence("rent", Schedule(Frequency.DAILY, "2026-03-01"), shared(900)),
    )
    document = exported(source)
    broken = next(event for event in document["events"] if event["type"] == "preset:saved")
    document["events"].append({**broken, "preset": {**broken["preset"], "id": "x", "isDefault": "yes"}})
    document["events"].append({**broken, "preset": {**broken["preset"], "id": "y", "name": ""}})
    document["events"].append({**broken, "preset": {**broken["preset"], "id": "z", "participants": ["who"]}})
    target = Target.founded()
    plan = target.takes(json.dumps(document))
    (preset,) = target.state.presets.values()
    ravi = next(member.user_id for member in target.state.active() if member.name == "Ravi")
    assert (preset.name, preset.participants, preset.is_default) == ("Flat", (ASHA, ravi), True)
    assert not target.state.recurrences
    target.undoes(plan.import_id)
    assert not target.state.presets
