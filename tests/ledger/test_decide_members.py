"""Coming, going, roles and placeholders."""

import pytest

from persplit.ledger import decide as rules
from persplit.ledger.commands import (
    AddMember,
    BecomePlaceholder,
    CancelSettlement,
    ChangeRole,
    Command,
    ConfirmSettlement,
    CreateSettlement,
    DeclineSettlement,
    JoinGroup,
    LeaveGroup,
    RemoveMember,
    UnblockMember,
    UpdateGroup,
)
from persplit.ledger.errors import (
    AlreadyMember,
    BalanceNotZero,
    Blocked,
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    SettlementPending,
)
from persplit.ledger.events import MemberJoined, MemberLeft, MemberUpdated
from persplit.ledger.expense import ExpenseDraft
from persplit.ledger.group import Role
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    FOUNDED,
    GUEST,
    JON,
    MEERA,
    PAIRWISE,
    RAVI,
    TRIP,
    WITH_GUEST,
    Step,
    given,
    instant,
    ledger_of,
    member,
    shared,
    spent,
)

RAVI_GONE = RemoveMember(RAVI)
SECOND_ADMIN = ChangeRole(RAVI, Role.ADMIN)


# --- coming


def test_an_admin_adds_a_person() -> None:
    given(*TRIP).when(ASHA, AddMember(JON, "Jon")).then(MemberJoined(member(JON, "Jon", 4)))


def test_an_admin_adds_a_placeholder() -> None:
    joined = member(GUEST, "Guest", 4, placeholder=True)
    ledger = given(*TRIP).when(ASHA, WITH_GUEST).then(MemberJoined(joined))
    assert ledger.group.balances[GUEST] == 0


@pytest.mark.parametrize("command", [AddMember(JON, "Jon"), WITH_GUEST])
def test_only_an_admin_adds_people(command: Command) -> None:
    given(*TRIP).when(RAVI, command).refused(Forbidden)


def test_nobody_is_in_a_group_twice() -> None:
    given(*TRIP).when(ASHA, AddMember(RAVI, "Ravi")).refused(AlreadyMember)
    given(*TRIP).when(RAVI, JoinGroup("Ravi")).refused(AlreadyMember)
    given(*TRIP, WITH_GUEST).when(RAVI, JoinGroup("Ravi", claim=GUEST)).refused(AlreadyMember)
    given(*TRIP, WITH_GUEST).when(ASHA, WITH_GUEST).refused(AlreadyMember)


def test_somebody_joins_by_an_invite() -> None:
    given(*TRIP).when(JON, JoinGroup("Jon")).then(MemberJoined(member(JON, "Jon", 4)))


@pytest.mark.parametrize("step", [(RAVI, JoinGroup("Ravi K")), AddMember(RAVI, "Ravi K")])
def test_who_left_can_come_back_as_a_plain_member(step: Step) -> None:
    ledger = ledger_of(*TRIP, SECOND_ADMIN, RAVI_GONE, step)
    assert ledger.group.members[RAVI] == member(RAVI, "Ravi K", 6)
    assert list(ledger.group.members) == [ASHA, RAVI, MEERA]
    assert ledger.group.balances == {ASHA: 0, MEERA: 0, RAVI: 0}


def test_a_group_is_full_at_some_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MEMBERS_MAX", 4)
    given(*TRIP, AddMember(JON, "Jon")).when("x", JoinGroup("X")).refused(LimitReached, says="at most 4")
    given(*TRIP, WITH_GUEST).when(ASHA, AddMember(JON, "Jon")).refused(LimitReached)
    given(*TRIP).when(ASHA, AddMember(JON, "Jon")).made(MemberJoined)


def test_a_full_group_still_lets_a_placeholder_be_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MEMBERS_MAX", 4)
    given(*TRIP, WITH_GUEST).when(*CLAIMED).made(MemberJoined)


def test_who_left_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MEMBERS_MAX", 3)
    given(*TRIP, RAVI_GONE).when(ASHA, AddMember(JON, "Jon")).made(MemberJoined)


# --- claiming a placeholder


def test_a_claim_takes_over_all_that_stands_under_the_placeholder() -> None:
    ledger = (
        given(*TRIP, WITH_GUEST, spent("e1", shared(100, ASHA, GUEST)))
        .when(*CLAIMED)
        .then(MemberJoined(member(JON, "Jon", 6, claimed=GUEST)))
    )
    group = ledger.group
    assert group.balances == {ASHA: 50, RAVI: 0, MEERA: 0, JON: -50}
    assert group.members[GUEST] == member(GUEST, "Guest", 4, placeholder=True, left_at=instant(6))
    assert group.canonical(GUEST) == JON
    assert group.canonical(JON) == JON


@pytest.mark.parametrize("claim", [RAVI, JON, "nobody"])
def test_only_placeholders_are_claimed(claim: str) -> None:
    given(*TRIP, WITH_GUEST).when(JON, JoinGroup("Jon", claim=claim)).refused(Invalid, path="claim")


def test_a_placeholder_is_claimed_once() -> None:
    given(*TRIP, WITH_GUEST, CLAIMED).when("x", JoinGroup("X", claim=GUEST)).refused(Invalid, path="claim")


def test_a_placeholder_that_was_removed_cannot_be_claimed() -> None:
    removed = given(*TRIP, WITH_GUEST, RemoveMember(GUEST))
    removed.when(JON, JoinGroup("Jon", claim=GUEST)).refused(Invalid, path="claim")


def test_who_was_here_before_has_a_history_of_their_own_and_claims_none() -> None:
    before = given(*TRIP, WITH_GUEST, RAVI_GONE)
    before.when(RAVI, JoinGroup("Ravi", claim=GUEST)).refused(Invalid, path="claim", says="of your own")


def test_a_claim_stays_when_the_claimer_goes_and_comes_back() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, CLAIMED, RemoveMember(JON), AddMember(JON, "Jon"))
    assert ledger.group.members[JON].claimed == GUEST
    assert ledger.group.canonical(GUEST) == JON
    assert set(ledger.group.balances) == {ASHA, RAVI, MEERA, JON}


def test_coming_back_is_no_second_claim() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, CLAIMED, spent("e1", shared(300, RAVI)), RemoveMember(JON))
    ledger.pay(RAVI, ASHA, 10)
    before = ledger.group
    after = ledger.do(JON, JoinGroup("Jon"))
    assert after.members[GUEST] == before.members[GUEST]
    assert after.basis is before.basis


def test_a_placeholder_s_id_is_used_once() -> None:
    given(*TRIP, WITH_GUEST, RemoveMember(GUEST)).when(ASHA, WITH_GUEST).refused(Conflict, says="used before")
    given(*TRIP, WITH_GUEST, CLAIMED).when(ASHA, WITH_GUEST).refused(Conflict, says="used before")
    given(*TRIP, RAVI_GONE).when(ASHA, AddMember(RAVI, "Ravi", placeholder=True)).refused(Conflict)


@pytest.mark.parametrize("answer", [ConfirmSettlement("s1"), DeclineSettlement("s1")])
def test_a_claimer_answers_the_payments_to_the_placeholder(
    answer: ConfirmSettlement | DeclineSettlement,
) -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, (RAVI, CreateSettlement("s1", GUEST, 100)), CLAIMED)
    assert ledger.group.pending["s1"].to_id == JON
    assert isinstance(ledger.try_to(ASHA, answer), Forbidden)
    ledger.do(JON, answer)
    assert ledger.settlements["s1"].to_id == JON
    assert ledger.group.pending == {}


def test_a_claimer_cancels_the_payments_of_the_placeholder() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, CreateSettlement("s1", RAVI, 100, GUEST), CLAIMED)
    assert ledger.group.pending["s1"].from_id == JON
    ledger.do(JON, CancelSettlement("s1"))
    assert ledger.settlements["s1"].from_id == JON


# --- roles


def test_an_admin_makes_another() -> None:
    ravi = member(RAVI, "Ravi", 2)
    admin = member(RAVI, "Ravi", 2, role=Role.ADMIN)
    ledger = given(*TRIP).when(ASHA, SECOND_ADMIN).then(MemberUpdated(ravi, admin))
    assert ledger.group.is_admin(RAVI)
    assert not ledger.group.is_admin(MEERA)
    assert not ledger.group.is_admin(JON)


def test_an_admin_with_another_beside_them_can_step_back() -> None:
    ledger = given(*TRIP, SECOND_ADMIN)
    ledger.when(ASHA, ChangeRole(ASHA, Role.MEMBER)).made(MemberUpdated)
    assert not ledger.ledger.group.is_admin(ASHA)


def test_the_last_admin_cannot_step_back() -> None:
    given(*TRIP).when(ASHA, ChangeRole(ASHA, Role.MEMBER)).refused(Conflict, says="only admin")
    given(FOUNDED).when(ASHA, ChangeRole(ASHA, Role.MEMBER)).refused(Conflict, says="only admin")
    # An admin who has left doesn't count.
    gone = given(*TRIP, SECOND_ADMIN, (RAVI, LeaveGroup()))
    gone.when(ASHA, ChangeRole(ASHA, Role.MEMBER)).refused(Conflict, says="only admin")


def test_only_an_admin_changes_roles() -> None:
    given(*TRIP).when(RAVI, SECOND_ADMIN).refused(Forbidden)


@pytest.mark.parametrize("user_id", [JON, MEERA])
def test_only_a_member_has_a_role(user_id: str) -> None:
    happened = given(*TRIP, RemoveMember(MEERA))
    happened.when(ASHA, ChangeRole(user_id, Role.ADMIN)).refused(NotFound, says="no such member")


def test_a_placeholder_cannot_be_an_admin() -> None:
    happened = given(*TRIP, WITH_GUEST)
    happened.when(ASHA, ChangeRole(GUEST, Role.ADMIN)).refused(Invalid, path="role")
    happened.when(ASHA, ChangeRole(GUEST, Role.MEMBER)).made(MemberUpdated)


# --- going


def test_a_member_leaves() -> None:
    ledger = (
        given(*TRIP).when(RAVI, LeaveGroup()).then(MemberLeft(member(RAVI, "Ravi", 2, left_at=instant(4))))
    )
    assert [person.user_id for person in ledger.group.active()] == [ASHA, MEERA]
    assert ledger.group.balances == {ASHA: 0, MEERA: 0}
    assert not ledger.group.is_member(RAVI)


def test_an_admin_removes_a_member() -> None:
    given(*TRIP).when(ASHA, RAVI_GONE).then(MemberLeft(member(RAVI, "Ravi", 2, left_at=instant(4))))


def test_only_an_admin_removes_others_but_anybody_themself() -> None:
    given(*TRIP).when(MEERA, RAVI_GONE).refused(Forbidden)
    given(*TRIP).when(RAVI, RAVI_GONE).made(MemberLeft)


def test_who_is_not_there_cannot_be_removed() -> None:
    given(*TRIP).when(ASHA, RemoveMember(JON)).refused(NotFound, says="no such member")
    given(*TRIP, RAVI_GONE).when(ASHA, RAVI_GONE).refused(NotFound, says="no such member")


@pytest.mark.parametrize(("actor", "command"), [(RAVI, LeaveGroup()), (ASHA, RAVI_GONE)])
@pytest.mark.parametrize("draft", [shared(2, by=ASHA, include_payer=False), shared(3, by=RAVI)])
def test_nobody_goes_owing_or_owed(actor: str, command: Command, draft: ExpenseDraft) -> None:
    given(*TRIP, spent("e1", draft)).when(actor, command).refused(BalanceNotZero, says="settle up")


def test_whoever_has_settled_up_can_go() -> None:
    ledger = ledger_of(*TRIP, spent("e1", shared(300)))
    ledger.pay(RAVI, ASHA, 100)
    ledger.do(RAVI, LeaveGroup())
    assert ledger.group.balances == {ASHA: 100, MEERA: -100}


EVEN_BUT_IN_THE_MIDDLE: tuple[Step, ...] = (
    spent("e1", shared(50, MEERA, by=RAVI)),
    spent("e2", shared(50, RAVI, by=ASHA)),
)
"""Meera owes Ravi 50, Ravi owes Asha 50."""


def test_debts_that_cancel_out_keep_nobody_in_a_group_that_simplifies() -> None:
    given(*TRIP, *EVEN_BUT_IN_THE_MIDDLE).when(RAVI, LeaveGroup()).made(MemberLeft)


def test_debts_between_two_people_keep_both_in_a_group_that_does_not_simplify() -> None:
    middle = given(*TRIP, PAIRWISE, *EVEN_BUT_IN_THE_MIDDLE)
    middle.when(RAVI, LeaveGroup()).refused(BalanceNotZero, says="settle each of them")
    middle.ledger.pay(MEERA, RAVI, 50)
    middle.ledger.pay(RAVI, ASHA, 50)
    middle.when(RAVI, LeaveGroup()).made(MemberLeft)


@pytest.mark.parametrize("user_id", [RAVI, MEERA])
def test_nobody_goes_while_a_payment_of_theirs_awaits_an_answer(user_id: str) -> None:
    waiting = given(*TRIP, (RAVI, CreateSettlement("s1", MEERA, 100)))
    waiting.when(ASHA, RemoveMember(user_id)).refused(SettlementPending)
    waiting.ledger.do(MEERA, DeclineSettlement("s1"))
    waiting.when(ASHA, RemoveMember(user_id)).made(MemberLeft)


def test_a_payment_between_others_keeps_nobody() -> None:
    given(*TRIP, AddMember(JON, "Jon"), (RAVI, CreateSettlement("s1", MEERA, 100))).when(
        JON, LeaveGroup()
    ).made(MemberLeft)


def test_the_last_admin_stays_while_others_do() -> None:
    given(*TRIP).when(ASHA, LeaveGroup()).refused(Conflict, says="only admin")
    given(*TRIP).when(ASHA, RemoveMember(ASHA)).refused(Conflict, says="only admin")
    given(*TRIP, SECOND_ADMIN).when(ASHA, LeaveGroup()).made(MemberLeft)


def test_the_last_person_can_go() -> None:
    given(FOUNDED).when(ASHA, LeaveGroup()).made(MemberLeft)
    given(FOUNDED, WITH_GUEST).when(ASHA, LeaveGroup()).made(MemberLeft)


def test_who_leaves_a_group_is_gone_from_balances_debts_and_plan_for_good() -> None:
    ledger = ledger_of(*TRIP, UpdateGroup(name="Goa"), spent("e1", shared(300)))
    ledger.settle()
    ledger.do(RAVI, LeaveGroup())
    ledger.do(ASHA, spent("e2", shared(300)))
    assert ledger.group.balances == {ASHA: 150, MEERA: -150}
    assert [person.user_id for person in ledger.group.active()] == [ASHA, MEERA]


# --- blocking


def test_an_admin_puts_somebody_out_for_good() -> None:
    blocked = given(*TRIP).when(ASHA, RemoveMember(RAVI, block=True)).made(MemberLeft).member
    assert (blocked.is_active, blocked.blocked) == (False, True)
    gone = (*TRIP, RemoveMember(RAVI, block=True))
    given(*gone).when(RAVI, JoinGroup("Ravi")).refused(Blocked)
    given(*gone).when(ASHA, AddMember(RAVI, "Ravi")).refused(Blocked, says="unblock")
    given(*gone).when(ASHA, RemoveMember(RAVI, block=True)).refused(Conflict)


def test_who_has_left_by_themself_is_blocked_later() -> None:
    left = (*TRIP, (RAVI, LeaveGroup()))
    assert given(*left).when(ASHA, RemoveMember(RAVI, block=True)).made(MemberLeft).member.blocked
    given(*left).when(ASHA, RAVI_GONE).refused(NotFound)


def test_blocking_takes_an_admin_and_a_zero_balance_and_somebody_with_an_account() -> None:
    given(*TRIP).when(RAVI, RemoveMember(RAVI, block=True)).refused(Forbidden)
    given(*TRIP).when(ASHA, RemoveMember(ASHA, block=True)).refused(Invalid, path="block")
    given(*TRIP, WITH_GUEST).when(ASHA, RemoveMember(GUEST, block=True)).refused(Invalid, path="block")
    given(*TRIP).when(ASHA, RemoveMember(JON, block=True)).refused(NotFound)
    owing = (*TRIP, spent("e1", shared(90, by=ASHA)))
    given(*owing).when(ASHA, RemoveMember(RAVI, block=True)).refused(BalanceNotZero)


def test_who_was_unblocked_comes_in_again() -> None:
    gone = (*TRIP, RemoveMember(RAVI, block=True))
    given(*gone).when(MEERA, UnblockMember(RAVI)).refused(Forbidden)
    given(*gone).when(ASHA, UnblockMember(MEERA)).refused(NotFound)
    given(*gone).when(ASHA, UnblockMember(JON)).refused(NotFound)
    ledger = ledger_of(*gone)
    before = ledger.group
    ledger.do(ASHA, UnblockMember(RAVI))
    assert not ledger.group.is_member(RAVI)
    assert ledger.group.basis is before.basis
    ledger.do(RAVI, JoinGroup("Ravi"))
    assert ledger.group.is_member(RAVI)
    assert not ledger.group.members[RAVI].blocked


# --- a group that everybody has left


def test_who_comes_back_first_into_an_empty_group_is_its_admin() -> None:
    ledger = ledger_of(FOUNDED, WITH_GUEST, (ASHA, LeaveGroup()))
    ledger.do(RAVI, JoinGroup("Ravi"))
    ledger.do(JON, JoinGroup("Jon"))
    assert [ledger.group.is_admin(who) for who in (RAVI, JON)] == [True, False]


# --- giving an account up


def test_who_gives_their_account_up_stays_as_a_placeholder_with_their_balance() -> None:
    ledger = ledger_of(*TRIP, spent("e1", shared(90, by=ASHA)))
    before = ledger.group
    ledger.do(RAVI, BecomePlaceholder("Ravi R"))
    after = ledger.group
    assert after.balances == before.balances
    assert after.basis is before.basis
    assert (after.members[RAVI].placeholder, after.members[RAVI].name) == (True, "Ravi R")
    given(*TRIP, (RAVI, BecomePlaceholder("R"))).when(RAVI, BecomePlaceholder("R")).refused(Conflict)


def test_the_only_admin_makes_another_one_first_unless_nobody_is_left_to_be_one() -> None:
    given(*TRIP).when(ASHA, BecomePlaceholder("Asha")).refused(Conflict, says="only admin")
    given(*TRIP, SECOND_ADMIN).when(ASHA, BecomePlaceholder("Asha")).made(MemberUpdated)
    given(FOUNDED, WITH_GUEST).when(ASHA, BecomePlaceholder("Asha")).made(MemberUpdated)
    given(FOUNDED, UpdateGroup(archived=True)).when(ASHA, BecomePlaceholder("Asha")).made(MemberUpdated)


def test_who_takes_over_somebody_who_took_over_a_placeholder_has_both() -> None:
    dinner = shared(90, ASHA, RAVI, GUEST, by=ASHA)
    ledger = ledger_of(*TRIP, WITH_GUEST, spent("e1", dinner), CLAIMED, (JON, BecomePlaceholder("Jon")))
    ledger.do("new", JoinGroup("New", claim=JON))
    state = ledger.group
    assert (state.canonical(GUEST), state.canonical(JON)) == ("new", "new")
    assert state.balances["new"] == -30
    given_back = ledger.try_to(JON, JoinGroup("Jon"))
    assert type(given_back) is Conflict
