"""Who may do what to a group, and what comes of it."""

import dataclasses

import pytest

from persplit.ledger.commands import (
    AddMember,
    CancelSettlement,
    ChangeRole,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    JoinGroup,
    LeaveGroup,
    RemoveMember,
    RestoreExpense,
    SaveRecurrence,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.errors import Conflict, Forbidden, GroupArchived, Invalid, NotFound
from persplit.ledger.events import GroupCreated, GroupUpdated, MemberJoined, MemberLeft, MemberUpdated
from persplit.ledger.group import GroupSettings, Role
from persplit.ledger.recurrence import Frequency, Schedule
from tests.ledger.given import (
    ARCHIVED,
    ASHA,
    FOUNDED,
    JON,
    MEERA,
    RAVI,
    TRIP,
    given,
    instant,
    member,
    shared,
    spent,
)

INSIDE: list[Command] = [
    UpdateGroup(name="Mine"),
    AddMember(JON, "Jon"),
    ChangeRole(JON, Role.ADMIN),
    RemoveMember(RAVI),
    LeaveGroup(),
    CreateExpense("e1", shared(100)),
    UpdateExpense("e1", shared(100)),
    DeleteExpense("e1"),
    RestoreExpense("e1"),
    CreateSettlement("s1", RAVI, 100),
    ConfirmSettlement("s1"),
    DeclineSettlement("s1"),
    CancelSettlement("s1"),
]
"""Every command that takes a member."""

SETTINGS = GroupSettings(
    name="Goa", description=None, currency="INR", simplify=True, has_password=False, archived_at=None, seq=1
)


def changed(**fields: object) -> GroupUpdated:
    """The settings as founded, changed so by event 4."""
    return GroupUpdated(SETTINGS, dataclasses.replace(SETTINGS, seq=4, **fields))  # type: ignore[arg-type]


def test_who_founds_a_group_is_its_admin() -> None:
    founder = member(ASHA, "Asha", 1, role=Role.ADMIN)
    given().when(ASHA, FOUNDED).then(GroupCreated(SETTINGS, founder))


def test_a_group_is_founded_with_its_settings() -> None:
    wanted = CreateGroup("Asha", "Goa", "Beach", "EUR", simplify=False, has_password=True)
    settings = given().when(ASHA, wanted).made(GroupCreated).settings
    assert settings == GroupSettings("Goa", "Beach", "EUR", False, True, None, 1)  # noqa: FBT003 - in order of the fields


def test_an_id_founds_one_group_only() -> None:
    given(*TRIP).when(ASHA, FOUNDED).refused(Conflict, says="exists")


@pytest.mark.parametrize("command", INSIDE, ids=lambda command: type(command).__name__)
def test_strangers_learn_nothing_of_a_group(command: Command) -> None:
    given(*TRIP, spent("e1", shared(100))).when(JON, command).refused(NotFound, says="no such group")


@pytest.mark.parametrize("command", INSIDE, ids=lambda command: type(command).__name__)
def test_former_members_learn_nothing_of_a_group(command: Command) -> None:
    given(*TRIP, (RAVI, LeaveGroup())).when(RAVI, command).refused(NotFound, says="no such group")


@pytest.mark.parametrize("command", [*INSIDE, JoinGroup("Jon")], ids=lambda command: type(command).__name__)
def test_a_group_that_was_never_founded_answers_like_one_that_is_not_yours(command: Command) -> None:
    given().when(JON, command).refused(NotFound, says="no such group")


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (UpdateGroup(name="Kerala"), changed(name="Kerala")),
        (UpdateGroup(description="Beach"), changed(description="Beach")),
        (UpdateGroup(currency="EUR"), changed(currency="EUR")),
        (UpdateGroup(simplify=False), changed(simplify=False)),
        (UpdateGroup(has_password=True), changed(has_password=True)),
        (UpdateGroup(archived=True), changed(archived_at=instant(4))),
        (UpdateGroup(archived=False), changed()),
        (UpdateGroup(), changed()),
    ],
)
def test_an_admin_changes_one_setting_and_the_others_stay(command: UpdateGroup, event: GroupUpdated) -> None:
    given(*TRIP).when(ASHA, command).then(event)


def test_an_empty_description_removes_it() -> None:
    described = UpdateGroup(description="Beach")
    assert (
        given(*TRIP, described).when(ASHA, UpdateGroup(name="Goa")).made(GroupUpdated).after.description
        == "Beach"
    )
    assert (
        given(*TRIP, described).when(ASHA, UpdateGroup(description="")).made(GroupUpdated).after.description
        is None
    )


def test_settings_that_were_switched_on_can_be_switched_off() -> None:
    on = UpdateGroup(has_password=True, simplify=False)
    after = (
        given(*TRIP, on).when(ASHA, UpdateGroup(has_password=False, simplify=True)).made(GroupUpdated).after
    )
    assert (after.has_password, after.simplify) == (False, True)


@pytest.mark.parametrize("command", [UpdateGroup(name="Mine"), ARCHIVED])
def test_only_an_admin_changes_settings(command: UpdateGroup) -> None:
    given(*TRIP).when(RAVI, command).refused(Forbidden)


def test_settings_changed_since_they_were_seen_stay_as_they_are() -> None:
    ledger = given(*TRIP, UpdateGroup(name="Kerala"))
    refusal = ledger.when(ASHA, UpdateGroup(name="Goa 2", expected_seq=3)).refused(
        Conflict, says="since seq 3"
    )
    assert refusal.current == ledger.ledger.group.settings
    ledger.when(ASHA, UpdateGroup(name="Goa 2", expected_seq=4)).made(GroupUpdated)


def test_what_happens_to_other_things_does_not_count_as_a_change_of_the_settings() -> None:
    happened = given(*TRIP, spent("e1", shared(100)))
    happened.when(ASHA, UpdateGroup(name="Kerala", expected_seq=1)).made(GroupUpdated)


@pytest.mark.parametrize(
    "step",
    [
        spent("e1", shared(100)),
        CreateSettlement("s1", RAVI, 100),
        SaveRecurrence("rent", Schedule(Frequency.DAILY, instant(9)[:10]), shared(100)),
    ],
)
def test_the_currency_is_fixed_by_the_first_amount(step: Command) -> None:
    booked = given(*TRIP, step)
    booked.when(ASHA, UpdateGroup(currency="EUR")).refused(Invalid, path="currency")
    booked.when(ASHA, UpdateGroup(currency="INR", name="Goa")).made(GroupUpdated)


def test_the_currency_stays_fixed_when_the_expense_is_deleted() -> None:
    # It can be restored, and then its amount would mean something else.
    deleted = given(*TRIP, spent("e1", shared(100)), DeleteExpense("e1"))
    deleted.when(ASHA, UpdateGroup(currency="EUR")).refused(Invalid, path="currency")


@pytest.mark.parametrize(
    "command",
    [c for c in INSIDE if not isinstance(c, UpdateGroup | LeaveGroup | ChangeRole)],
    ids=lambda command: type(command).__name__,
)
def test_an_archived_group_is_only_read(command: Command) -> None:
    given(*TRIP, ARCHIVED).when(ASHA, command).refused(GroupArchived)


def test_nobody_joins_an_archived_group() -> None:
    given(*TRIP, ARCHIVED).when(JON, JoinGroup("Jon")).refused(GroupArchived)


def test_who_manages_an_archived_group_can_change() -> None:
    given(*TRIP, ARCHIVED).when(ASHA, ChangeRole(RAVI, Role.ADMIN)).made(MemberUpdated)
    given(*TRIP, ARCHIVED).when(RAVI, ChangeRole(RAVI, Role.ADMIN)).refused(Forbidden)


def test_an_archived_group_is_left_like_any_other() -> None:
    left = given(*TRIP, ARCHIVED).when(RAVI, LeaveGroup()).made(MemberLeft)
    assert left.member.user_id == RAVI


def test_an_archived_group_is_brought_back_before_it_is_changed() -> None:
    given(*TRIP, ARCHIVED).when(ASHA, UpdateGroup(name="Kerala")).refused(GroupArchived)
    given(*TRIP, ARCHIVED).when(ASHA, ARCHIVED).refused(GroupArchived)
    given(*TRIP, ARCHIVED).when(RAVI, UpdateGroup(archived=False)).refused(Forbidden)
    back = given(*TRIP, ARCHIVED).when(ASHA, UpdateGroup(archived=False, name="Kerala")).made(GroupUpdated)
    assert (back.after.archived_at, back.after.name) == (None, "Kerala")
    given(*TRIP, ARCHIVED, UpdateGroup(archived=False)).when(JON, JoinGroup("Jon")).made(MemberJoined)


def test_the_members_of_another_admin_s_making_may_do_what_admins_may() -> None:
    promoted = given(*TRIP, ChangeRole(RAVI, Role.ADMIN))
    promoted.when(RAVI, UpdateGroup(name="Kerala")).made(GroupUpdated)
    promoted.when(MEERA, UpdateGroup(name="Kerala")).refused(Forbidden)
