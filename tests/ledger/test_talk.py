"""What is said: comments on expenses, and reminders. None of it moves money."""

import dataclasses

import pytest

from persplit.ledger.commands import AddComment, ChangeRole, DeleteComment, DeleteExpense, SendReminder
from persplit.ledger.comment import COMMENTS_MAX, Comment, Thread
from persplit.ledger.errors import (
    Conflict,
    Forbidden,
    GroupArchived,
    Invalid,
    LimitReached,
    NotFound,
    NothingOwed,
    RemindedRecently,
)
from persplit.ledger.events import CommentAdded, CommentDeleted, ReminderSent, is_creation
from persplit.ledger.group import Role
from persplit.ledger.reminder import Reminder
from tests.ledger.given import (
    ARCHIVED,
    ASHA,
    GUEST,
    JON,
    MEERA,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    given,
    instant,
    ledger_of,
    shared,
    spent,
)

DINNER = spent("e1", shared(900))
"""Asha paid; event 4."""
SAID = (RAVI, AddComment("c1", "e1", "Was the wine in it?"))
"""Event 5."""
COMMENT = Comment("c1", "e1", 5, "Was the wine in it?", RAVI, instant(5))


def test_any_member_says_something_about_an_expense_and_no_balance_moves() -> None:
    ledger = given(*TRIP, DINNER).when(*SAID).then(CommentAdded(COMMENT))
    before = ledger_of(*TRIP, DINNER).group
    assert ledger.group == dataclasses.replace(before, seq=5, at=instant(5))
    assert not is_creation(CommentAdded(COMMENT))


def test_an_expense_that_was_deleted_can_be_talked_about() -> None:
    given(*TRIP, DINNER, DeleteExpense("e1")).when(RAVI, AddComment("c1", "e1", "Why?")).made(CommentAdded)


def test_there_is_nothing_to_say_about_what_is_not_there() -> None:
    given(*TRIP).when(*SAID).refused(NotFound)
    given(*TRIP, DINNER).when(JON, AddComment("c1", "e1", "Hello")).refused(NotFound)
    given(*TRIP, DINNER, ARCHIVED).when(*SAID).refused(GroupArchived)


def test_the_id_of_a_comment_is_new_to_its_expense() -> None:
    given(*TRIP, DINNER, SAID).when(ASHA, AddComment("c1", "e1", "Yes")).refused(Conflict)
    elsewhere = (RAVI, AddComment("c1", "e2", "No"))
    given(*TRIP, DINNER, SAID, spent("e2", shared(90))).when(*elsewhere).made(CommentAdded)


def test_who_wrote_a_comment_or_an_admin_deletes_it_once() -> None:
    for actor in (RAVI, ASHA):
        gone = dataclasses.replace(COMMENT, seq=6, deleted_at=instant(6))
        ledger = given(*TRIP, DINNER, SAID).when(actor, DeleteComment("c1", "e1")).then(CommentDeleted(gone))
        with pytest.raises(Conflict):
            ledger.do(actor, DeleteComment("c1", "e1"))
    given(*TRIP, DINNER, SAID).when(MEERA, DeleteComment("c1", "e1")).refused(Forbidden)
    given(*TRIP, DINNER, SAID).when(RAVI, DeleteComment("c2", "e1")).refused(NotFound)


def test_an_expense_has_a_bounded_number_of_comments_deleted_ones_included() -> None:
    ledger = ledger_of(*TRIP, DINNER)
    for number in range(COMMENTS_MAX):
        ledger.do(RAVI, AddComment(f"c{number}", "e1", "Again"))
    ledger.do(RAVI, DeleteComment("c0", "e1"))
    assert isinstance(ledger.try_to(MEERA, AddComment("more", "e1", "And again")), LimitReached)


def test_a_thread_shows_what_was_not_deleted() -> None:
    gone = dataclasses.replace(COMMENT, id="c2", deleted_at=instant(9))
    thread = Thread(None, (COMMENT, gone))
    assert thread.standing() == (COMMENT,)
    assert thread.find("c2") is gone
    assert thread.find("c3") is None


OWED = SendReminder(ASHA, RAVI, 300)
"""Ravi owes Asha a third of the dinner."""


def test_a_reminder_says_what_the_plan_says() -> None:
    reminder = Reminder(5, ASHA, RAVI, 300, instant(5))
    given(*TRIP, DINNER).when(ASHA, OWED).then(ReminderSent(reminder))


def test_nobody_is_reminded_of_nothing() -> None:
    given(*TRIP, DINNER).when(RAVI, SendReminder(RAVI, ASHA, 0)).refused(NothingOwed)
    given(*TRIP, DINNER).when(ASHA, SendReminder(ASHA, JON, 300)).refused(Invalid, path="toUserId")


def test_a_placeholder_has_no_device_to_be_reminded_on() -> None:
    asked = SendReminder(ASHA, GUEST, 300)
    given(*TRIP, WITH_GUEST, DINNER).when(ASHA, asked).refused(Invalid, path="toUserId", says="no account")


def test_the_same_two_people_have_a_day_between_reminders() -> None:
    ledger = ledger_of(*TRIP, DINNER, OWED, (ASHA, ChangeRole(MEERA, Role.ADMIN)))
    at = ledger.events[4].at
    assert after(ledger, at, 0, OWED) == RemindedRecently
    assert after(ledger, at, -1, OWED) == RemindedRecently
    # Others may, and others may be.
    assert after(ledger, at, 0, SendReminder(ASHA, MEERA, 300)) is None
    assert after(ledger, at, 0, SendReminder(MEERA, RAVI, 300)) is None
    assert after(ledger, at, 1, OWED) is None


def after(ledger: Ledger, at: str, days: int, command: SendReminder) -> type[Exception] | None:
    """What somebody is told who reminds so many days later; -1: a millisecond before a day is over."""
    ledger.now = {0: at, 1: at.replace("2026-03-01", "2026-03-02")}.get(days, "")
    if days < 0:
        ledger.now = at.replace("2026-03-01", "2026-03-02").replace(":05.000Z", ":04.999Z")
        assert ledger.now != at.replace("2026-03-01", "2026-03-02")
    refusal = ledger.try_to(command.from_id, command)
    return None if refusal is None else type(refusal)
