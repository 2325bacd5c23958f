"""Presets, default weights and recurring expenses: only ever a start, frozen into what comes of them."""

from dataclasses import replace

import pytest

from persplit.ledger.commands import (
    BecomePlaceholder,
    ChangeRole,
    ChangeWeight,
    Command,
    CreateExpense,
    DeletePreset,
    JoinGroup,
    LeaveGroup,
    MakeInstance,
    PauseRecurrence,
    RemoveMember,
    SavePreset,
    SaveRecurrence,
    StopRecurrence,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LedgerError,
    LimitReached,
    NotFound,
    RateUnknown,
)
from persplit.ledger.events import ExpenseCreated
from persplit.ledger.expense import VALUE_SCALE, ExpenseDraft, SplitType
from persplit.ledger.group import Role
from persplit.ledger.preset import PRESETS_MAX, PresetDraft
from persplit.ledger.recurrence import RECURRENCES_MAX, Frequency, Recurrence, Schedule, due_day, next_day
from persplit.ledger.snapshot import state_from_json, state_to_json
from persplit.ledger.state import apply
from tests.ledger.given import (
    ASHA,
    JON,
    MEERA,
    RAVI,
    TRIP,
    Ledger,
    as_recorded,
    divided,
    instant,
    ledger_of,
    shared,
    shares,
    values,
)

FLAT = PresetDraft("Flat", SplitType.PERCENTAGE, splits=values({ASHA: 60, RAVI: 40}, VALUE_SCALE))
TODAY = instant(1)[:10]
MONTHLY = Schedule(Frequency.MONTHLY, TODAY)
RENT = ExpenseDraft("Rent", 900, SplitType.EQUAL)


def by_preset(amount: int, preset_id: str = "flat") -> ExpenseDraft:
    return replace(shared(amount), preset_id=preset_id)


def flat(*, rent: bool = False) -> Ledger:
    last: Command = SaveRecurrence("rent", MONTHLY, RENT) if rent else SavePreset("flat", FLAT)
    return ledger_of(*TRIP, last)


def refused(ledger: Ledger, actor: str, command: Command, error: type[LedgerError], path: str = "") -> None:
    refusal = ledger.try_to(actor, command)
    assert type(refusal) is error
    if path:
        assert [bad.path for bad in refusal.errors] == [path]


# --- presets


def test_a_preset_is_frozen_into_the_expense() -> None:
    ledger = flat()
    ledger.do(RAVI, CreateExpense("e1", by_preset(100)))
    assert shares(ledger.expenses["e1"]) == {ASHA: 60, RAVI: 40}
    halves = replace(FLAT, splits=values({ASHA: 50, RAVI: 50}, VALUE_SCALE))
    ledger.do(RAVI, SavePreset("flat", halves))
    assert shares(ledger.expenses["e1"]) == {ASHA: 60, RAVI: 40}
    ledger.do(RAVI, UpdateExpense("e1", by_preset(100)))
    assert shares(ledger.expenses["e1"]) == {ASHA: 50, RAVI: 50}
    ledger.do(MEERA, DeletePreset("flat"))
    before = ledger.expenses["e1"]
    ledger.do(MEERA, UpdateExpense("e1", as_recorded(before)))
    assert ledger.expenses["e1"].shares == before.shares
    refused(ledger, MEERA, CreateExpense("e2", by_preset(1)), Invalid, "presetId")


def test_a_group_has_one_default_preset_at_most() -> None:
    ledger = flat()
    everybody = PresetDraft("All", SplitType.EQUAL, is_default=True)
    for id_ in ("all", "all again"):
        ledger.do(ASHA, SavePreset(id_, everybody))
    assert [preset.id for preset in ledger.group.presets.values() if preset.is_default] == ["all again"]


def test_what_a_preset_may_not_be() -> None:
    ledger = flat()
    refused(ledger, ASHA, SavePreset("p", replace(FLAT, split_type=SplitType.EXACT)), Invalid, "splitType")
    refused(ledger, ASHA, SavePreset("p", replace(FLAT, splits=FLAT.splits[:1])), Invalid, "splits")
    stranger = PresetDraft("Jon", SplitType.EQUAL, participants=(JON,))
    refused(ledger, ASHA, SavePreset("p", stranger), Invalid, "participants.0")
    refused(
        ledger, ASHA, CreateExpense("e", replace(by_preset(9), participants=(ASHA,))), Invalid, "presetId"
    )
    refused(ledger, JON, SavePreset("p", FLAT), NotFound)
    refused(ledger, ASHA, DeletePreset("p"), NotFound)
    refused(ledger, ASHA, DeletePreset("flat", expected_seq=1), Conflict)
    refused(ledger, ASHA, SavePreset("flat", FLAT, expected_seq=1), Conflict)
    for number in range(1, PRESETS_MAX):
        ledger.do(ASHA, SavePreset(str(number), FLAT))
    refused(ledger, ASHA, SavePreset("p", FLAT), LimitReached)


# --- weights


def test_a_weight_is_only_a_default_and_never_retroactive() -> None:
    ledger = ledger_of(*TRIP, ChangeWeight(RAVI, 2 * VALUE_SCALE))
    by_weight = ExpenseDraft("Dinner", 400, SplitType.SHARES)
    ledger.do(ASHA, CreateExpense("e1", by_weight))
    assert shares(ledger.expenses["e1"]) == {ASHA: 100, RAVI: 200, MEERA: 100}
    ledger.do(RAVI, ChangeWeight(RAVI, 6 * VALUE_SCALE))
    assert ledger.group.balances[RAVI] == -200
    ledger.do(ASHA, UpdateExpense("e1", as_recorded(ledger.expenses["e1"])))
    assert ledger.group.balances[RAVI] == -200
    ledger.do(ASHA, CreateExpense("e2", replace(by_weight, participants=(RAVI, MEERA), amount=700)))
    assert shares(ledger.expenses["e2"]) == {RAVI: 600, MEERA: 100}
    told = divided(SplitType.SHARES, 400, {ASHA: 1, RAVI: 1}, scale=VALUE_SCALE)
    ledger.do(ASHA, CreateExpense("e3", told))
    assert shares(ledger.expenses["e3"]) == {ASHA: 200, RAVI: 200}
    refused(
        ledger, ASHA, CreateExpense("e4", replace(by_weight, participants=(JON,))), Invalid, "participants.0"
    )
    refused(ledger, ASHA, CreateExpense("e4", replace(by_weight, participants=())), Invalid, "participants")


def test_whose_weight_one_may_change() -> None:
    ledger = ledger_of(*TRIP)
    refused(ledger, RAVI, ChangeWeight(MEERA, 1), Forbidden)
    refused(ledger, ASHA, ChangeWeight(JON, 1), NotFound)


def test_who_takes_a_placeholder_over_has_its_weight() -> None:
    ledger = ledger_of(*TRIP, ChangeWeight(RAVI, 2 * VALUE_SCALE))
    ledger.do(RAVI, BecomePlaceholder("Ravi"))
    ledger.do(JON, JoinGroup("Jon", claim=RAVI))
    assert ledger.group.members[JON].weight == 2 * VALUE_SCALE


# --- recurring expenses


def made(ledger: Ledger, day: str, actor: str = ASHA) -> LedgerError | None:
    return ledger.try_to(actor, MakeInstance("rent", day, f"rent {day}"))


def rent(ledger: Ledger) -> Recurrence:
    return ledger.group.recurrences["rent"]


def test_the_templates_of_who_gave_their_account_up_go_on_and_over_to_who_takes_their_place() -> None:
    ledger = ledger_of(*TRIP)
    ledger.do(RAVI, SaveRecurrence("rent", MONTHLY, RENT))
    ledger.do(RAVI, BecomePlaceholder("Ravi"))
    assert ledger.group.is_member(rent(ledger).created_by)
    ledger.do(JON, JoinGroup("Jon", claim=RAVI))
    assert rent(ledger).created_by == JON
    assert made(ledger, TODAY, JON) is None
    assert ledger.expenses[f"rent {TODAY}"].created_by == JON


def test_a_template_makes_one_expense_a_day_that_is_due() -> None:
    ledger = flat(rent=True)
    assert due_day(rent(ledger), TODAY) == TODAY
    assert made(ledger, TODAY) is None
    expense = ledger.expenses[f"rent {TODAY}"]
    assert (expense.date, expense.recurrence_id, expense.created_by) == (TODAY, "rent", ASHA)
    assert shares(expense) == {ASHA: 300, RAVI: 300, MEERA: 300}
    assert isinstance(made(ledger, TODAY), Conflict)
    assert due_day(rent(ledger), TODAY) is None
    # Editing what was made changes nothing of what comes.
    ledger.do(RAVI, UpdateExpense(expense.id, replace(as_recorded(expense), date="2020-01-01")))
    assert rent(ledger).made_through == TODAY
    assert ledger.expenses[expense.id].recurrence_id == "rent"
    assert state_from_json(state_to_json(ledger.group)) == ledger.group


def test_an_expense_of_a_template_that_isnt_there_moves_none() -> None:
    ledger = flat(rent=True)
    made(ledger, TODAY)
    last = ledger.events[-1]
    assert isinstance(last.event, ExpenseCreated)
    of_another = ExpenseCreated(replace(last.event.expense, recurrence_id="another"))
    recorded = replace(last, seq=ledger.seq + 1, event=of_another)
    assert apply(ledger.group, recorded).recurrences == ledger.group.recurrences


def test_a_template_is_changed_paused_and_stopped() -> None:
    ledger = flat(rent=True)
    made(ledger, TODAY)
    daily = Schedule(Frequency.DAILY, TODAY)
    ledger.do(RAVI, SaveRecurrence("rent", daily, replace(RENT, amount=600)))
    assert (rent(ledger).created_by, rent(ledger).made_through) == (ASHA, TODAY)
    ledger.do(RAVI, PauseRecurrence("rent", paused=True))
    assert due_day(rent(ledger), "9999-12-31") is None
    assert isinstance(made(ledger, next_day(daily, TODAY) or ""), Conflict)
    refused(ledger, RAVI, PauseRecurrence("rent", paused=True), Conflict)
    ledger.do(RAVI, PauseRecurrence("rent", paused=False))
    assert rent(ledger).made_through == TODAY  # today's was made, and yesterday is before it
    refused(ledger, RAVI, PauseRecurrence("rent", paused=False), Conflict)
    ledger.do(RAVI, StopRecurrence("rent"))
    assert not ledger.group.recurrences
    assert f"rent {TODAY}" in ledger.expenses
    refused(ledger, RAVI, StopRecurrence("rent"), NotFound)


def test_a_late_edit_of_what_was_stopped_makes_nothing_a_second_time() -> None:
    ledger = flat(rent=True)
    made(ledger, TODAY)
    seen = ledger.seq
    ledger.do(ASHA, StopRecurrence("rent"))
    refused(ledger, RAVI, SaveRecurrence("rent", MONTHLY, RENT, expected_seq=seen), NotFound)
    assert not ledger.group.recurrences


def test_what_was_stopped_is_never_remade_under_its_id_which_would_make_its_expenses_a_second_time() -> None:
    ledger = flat(rent=True)
    made(ledger, TODAY)
    ledger.do(RAVI, SaveRecurrence("rent", MONTHLY, replace(RENT, amount=600)))
    assert rent(ledger).made_through == TODAY  # editing needs no seq, and makes nothing anew
    ledger.do(ASHA, StopRecurrence("rent"))
    refused(ledger, RAVI, SaveRecurrence("rent", MONTHLY, RENT), Conflict)
    refused(ledger, RAVI, SaveRecurrence("rent", MONTHLY, RENT, is_new=True), Conflict)
    assert not ledger.group.recurrences


def test_what_is_new_takes_nothings_place() -> None:
    ledger = flat(rent=True)
    ledger.do(ASHA, SavePreset("flat", FLAT, is_new=True))
    refused(ledger, RAVI, SavePreset("flat", FLAT, is_new=True), Conflict)
    refused(ledger, RAVI, SaveRecurrence("rent", MONTHLY, RENT, is_new=True), Conflict)
    ledger.do(ASHA, DeletePreset("flat"))
    ledger.do(ASHA, SavePreset("flat", FLAT, is_new=True))


def test_what_falls_into_a_pause_is_not_made_up_for() -> None:
    ledger = ledger_of(*TRIP)
    start = "2026-02-20"
    ledger.do(ASHA, SaveRecurrence("rent", Schedule(Frequency.DAILY, start), RENT))
    ledger.do(ASHA, PauseRecurrence("rent", paused=True, problem="x"))
    ledger.do(ASHA, SaveRecurrence("rent", Schedule(Frequency.DAILY, start), RENT))
    assert (rent(ledger).paused, rent(ledger).problem) == (True, "x")
    ledger.do(ASHA, PauseRecurrence("rent", paused=False))
    assert (due_day(rent(ledger), TODAY), rent(ledger).problem) == (TODAY, None)


@pytest.mark.parametrize(
    ("schedule", "path"),
    [
        (Schedule(Frequency.DAILY, "2001-01-01"), "schedule.start"),
        (Schedule(Frequency.DAILY, "2199-01-01"), "schedule.start"),
        (Schedule(Frequency.DAILY, TODAY, end="2001-01-01"), "schedule.end"),
        (Schedule(Frequency.DAILY, TODAY, end=TODAY, count=1), "schedule.count"),
    ],
)
def test_a_bad_schedule_names_its_field(schedule: Schedule, path: str) -> None:
    refused(flat(), ASHA, SaveRecurrence("rent", schedule, RENT), Invalid, path)


def test_what_a_template_may_not_be() -> None:
    ledger = flat(rent=True)
    refused(ledger, ASHA, SaveRecurrence("x", MONTHLY, replace(RENT, participants=(JON,))), Invalid)
    refused(ledger, ASHA, SaveRecurrence("x", MONTHLY, replace(RENT, currency="EUR")), RateUnknown)
    refused(ledger, ASHA, SaveRecurrence("rent", MONTHLY, RENT, expected_seq=1), Conflict)
    for number in range(1, RECURRENCES_MAX):
        ledger.do(ASHA, SaveRecurrence(str(number), MONTHLY, RENT))
    refused(ledger, ASHA, SaveRecurrence("x", MONTHLY, RENT), LimitReached)


def test_a_rate_of_the_table_is_that_of_each_day() -> None:
    ledger = ledger_of(*TRIP)
    euros = replace(RENT, currency="EUR", table_rate="90")
    ledger.do(ASHA, SaveRecurrence("rent", MONTHLY, euros))
    ledger.do(ASHA, MakeInstance("rent", TODAY, "e1", table_rate="91"))
    assert ledger.expenses["e1"].amount == 900 * 91


def test_whose_maker_has_left_goes_over_to_who_changes_it() -> None:
    ledger = ledger_of(*TRIP)
    ledger.do(RAVI, SaveRecurrence("rent", MONTHLY, RENT))
    ledger.do(RAVI, LeaveGroup())
    assert isinstance(made(ledger, TODAY, RAVI), NotFound)
    ledger.do(MEERA, PauseRecurrence("rent", paused=True))
    assert rent(ledger).created_by == MEERA
    ledger.do(ASHA, ChangeRole(MEERA, Role.ADMIN))
    ledger.do(ASHA, RemoveMember(MEERA))
    ledger.do(ASHA, SaveRecurrence("rent", MONTHLY, RENT))
    assert rent(ledger).created_by == ASHA


def test_the_groups_time_zone_says_what_day_it_is() -> None:
    ledger = ledger_of(*TRIP, UpdateGroup(time_zone="Asia/Kolkata"))
    assert ledger.group.settings.time_zone == "Asia/Kolkata"
    ledger.do(ASHA, UpdateGroup(name="Goa 2"))
    assert ledger.group.settings.time_zone == "Asia/Kolkata"
