"""Given what happened, when somebody wants something, then this comes of it.

A group's ledger without a store: `Ledger` decides, numbers, dates and applies, and does nothing else. Below it are
strategies for drafts and for whole histories, which go through the same door.
"""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from persplit.ledger.commands import (
    AddComment,
    AddMember,
    CancelSettlement,
    ChangeUnit,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteComment,
    DeleteExpense,
    DeleteLoan,
    JoinGroup,
    RemoveMember,
    RestoreExpense,
    RestoreLoan,
    UpdateExpense,
    UpdateGroup,
    UpdateLoan,
)
from persplit.ledger.comment import Thread
from persplit.ledger.conversion import as_typed
from persplit.ledger.decide import Asked, Subject, decide
from persplit.ledger.errors import LedgerError, PerSplitError
from persplit.ledger.events import (
    AttachmentEvent,
    CommentEvent,
    Event,
    ExpenseEvent,
    ExpenseUpdated,
    LoanEvent,
    LoanUpdated,
    Noun,
    RecordedEvent,
    RecurrenceSaved,
    RecurrenceStopped,
    ReminderSent,
    SettlementEvent,
    subject_of,
)
from persplit.ledger.expense import (
    SHARES_VALUE_MAX,
    VALUE_SCALE,
    Expense,
    ExpenseDraft,
    ExpenseKind,
    Item,
    Posting,
    SplitType,
    SplitValue,
)
from persplit.ledger.group import Member, Role
from persplit.ledger.loan import Loan, LoanDraft
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.reminder import LastReminder
from persplit.ledger.settlement import Settlement, SettlementStatus
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.ledger.subjects import subject_of_command

GROUP: Final = "g1"
ASHA, RAVI, MEERA, JON = "asha", "ravi", "meera", "jon"
"""Asha founds the group and is its admin; Jon is a stranger until told."""
GUEST: Final = "guest"
"""A placeholder."""

Step: TypeAlias = Event | Command | tuple[str, Command]
"""What happened before: an event or a command of Asha's, or somebody else's command."""

PROPERTY: Final = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LONG_PROPERTY: Final = settings(PROPERTY, max_examples=25)
"""For properties of whole histories."""

_E = TypeVar("_E", bound=Event)
_X = TypeVar("_X", bound=PerSplitError)


def instant(seq: int) -> str:
    """When the event `seq` is recorded: one a second."""
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC) + timedelta(seconds=seq)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Ledger:
    """One group's events, the state that they make and the present version of every expense and settlement.

    `now`: when it is, a second after the last event unless told.
    """

    state: GroupState | None = None
    events: list[RecordedEvent] = field(default_factory=list)
    things: dict[str, Expense | Settlement] = field(default_factory=dict)
    now: str = ""

    @property
    def seq(self) -> int:
        """The last event's."""
        return len(self.events)

    @property
    def group(self) -> GroupState:
        """The state of a group that has been founded."""
        assert self.state is not None
        return self.state

    @property
    def expenses(self) -> dict[str, Expense]:
        """Every expense, the deleted ones too."""
        return {key: thing for key, thing in self.things.items() if isinstance(thing, Expense)}

    @property
    def settlements(self) -> dict[str, Settlement]:
        """Every settlement, whatever became of it."""
        return {key: thing for key, thing in self.things.items() if isinstance(thing, Settlement)}

    def decided(self, actor: str, command: Command) -> Event:
        """What `decide` says; nothing is recorded."""
        return decide(
            self.state, command, Asked(actor, self.now or instant(self.seq + 1), self._subject(command))
        )

    def _subject(self, command: Command) -> Subject | None:
        named = subject_of_command(command)
        if named is None or named[0] in (Noun.EXPENSE, Noun.SETTLEMENT):
            return None if named is None else self.things.get(named[1])
        about = [recorded.event for recorded in self.events if subject_of(recorded.event) == named]
        if named[0] is Noun.LOAN:
            loans = [event for event in about if isinstance(event, LoanEvent)]
            return loan_of(loans[-1]) if loans else None
        if named[0] is Noun.COMMENT:
            comments = {event.comment.id: event.comment for event in about if isinstance(event, CommentEvent)}
            return Thread(self.expenses.get(named[1]), tuple(comments.values()))
        if named[0] is Noun.RECURRENCE:
            templates = [e.recurrence for e in about if isinstance(e, RecurrenceSaved | RecurrenceStopped)]
            return templates[-1] if templates else None
        sent = [event.reminder for event in about if isinstance(event, ReminderSent)]
        return LastReminder(sent[-1] if sent else None)

    def record(self, actor: str, event: Event) -> GroupState:
        """Take the event as it is, asked for or not."""
        seq = self.seq + 1
        recorded = RecordedEvent(GROUP, seq, instant(seq), actor, f"c{seq}", "", event)
        self.events.append(recorded)
        self.state = apply(self.state, recorded)
        if isinstance(event, ExpenseEvent | AttachmentEvent):
            expense = event.after if isinstance(event, ExpenseUpdated) else event.expense
            self.things[expense.id] = expense
        elif isinstance(event, SettlementEvent):
            self.things[event.settlement.id] = event.settlement
        return self.state

    def do(self, actor: str, command: Command) -> GroupState:
        """Carry the command out.

        Raises:
            LedgerError: refused.

        """
        return self.record(actor, self.decided(actor, command))

    def try_to(self, actor: str, command: Command) -> LedgerError | None:
        """Carry the command out, or tell why not."""
        try:
            self.do(actor, command)
        except LedgerError as refusal:
            return refusal
        return None

    def speaker(self, user_id: str) -> str:
        """Who acts for the user: an admin for a placeholder."""
        if not self.group.members[user_id].placeholder:
            return user_id
        return next(member.user_id for member in self.group.active() if member.role is Role.ADMIN)

    def pay(self, from_id: str, to_id: str, amount: int) -> GroupState:
        """A payment made and confirmed."""
        payment = f"s{self.seq}"
        self.do(self.speaker(from_id), CreateSettlement(payment, to_id, amount, from_id))
        return self.do(self.speaker(to_id), ConfirmSettlement(payment))

    def settle(self) -> GroupState:
        """Everybody pays as the plan says."""
        for row in plan_of(self.group).transfers:
            self.pay(row.from_id, row.to_id, row.amount)
        return self.group


def loan_of(event: LoanEvent) -> Loan:
    """The loan as the event left it."""
    return event.after if isinstance(event, LoanUpdated) else event.loan


def ledger_of(*steps: Step) -> Ledger:
    """A ledger in which these happened."""
    ledger = Ledger()
    for step in steps:
        if isinstance(step, tuple):
            ledger.do(*step)
        elif isinstance(step, Event):
            ledger.record(ASHA, step)
        else:
            ledger.do(ASHA, step)
    return ledger


@dataclass(frozen=True)
class When:
    """A command that somebody gives, not carried out yet."""

    ledger: Ledger
    actor: str
    command: Command

    def made(self, kind: type[_E]) -> _E:
        """It makes an event of this kind, which is recorded."""
        event = self.ledger.decided(self.actor, self.command)
        assert isinstance(event, kind)
        self.ledger.record(self.actor, event)
        return event

    def then(self, event: Event) -> Ledger:
        """It makes exactly this event, which is recorded."""
        assert self.made(type(event)) == event
        return self.ledger

    def refused(self, kind: type[_X], *, path: str | None = None, says: str = "") -> _X:
        """It is refused so, `path` being the one bad field, and nothing changes."""
        before = copy.deepcopy(self.ledger)
        with pytest.raises(kind) as refusal:
            self.ledger.decided(self.actor, self.command)
        assert type(refusal.value) is kind
        assert [error.path for error in refusal.value.errors] == ([] if path is None else [path])
        assert says in refusal.value.detail
        assert self.ledger == before
        return refusal.value


@dataclass(frozen=True)
class Given:
    """What happened before."""

    ledger: Ledger

    def when(self, actor: str, command: Command) -> When:
        """Somebody wants something."""
        return When(self.ledger, actor, command)


def given(*steps: Step) -> Given:
    """These happened; a command with nobody beside it is Asha's."""
    return Given(ledger_of(*steps))


# --- a group and what is asked of it

FOUNDED: Final = CreateGroup("Asha", "Goa")
TRIP: Final[tuple[Step, ...]] = (FOUNDED, AddMember(RAVI, "Ravi"), AddMember(MEERA, "Meera"))
"""Asha, Ravi and Meera; the next event is 4."""
PAIRWISE: Final = UpdateGroup(simplify=False)
ARCHIVED: Final = UpdateGroup(archived=True)
WITH_GUEST: Final = AddMember(GUEST, "Guest", placeholder=True)
CLAIMED: Final = (JON, JoinGroup("Jon", claim=GUEST))


def values(given_values: Mapping[str, int], scale: int = 1) -> tuple[SplitValue, ...]:
    """Splits from people to values."""
    return tuple(SplitValue(user_id, value * scale) for user_id, value in given_values.items())


def postings(legs: Mapping[str, int]) -> tuple[Posting, ...]:
    """Postings from people to minor units."""
    return tuple(Posting(user_id, amount) for user_id, amount in legs.items())


def shared(
    amount: int, *participants: str, by: str | Mapping[str, int] | None = None, include_payer: bool = True
) -> ExpenseDraft:
    """Divided equally, among everybody where nobody is named, paid `by` one or several or the caller."""
    payers = {by: amount} if isinstance(by, str) else by
    return ExpenseDraft(
        "Dinner",
        amount,
        SplitType.EQUAL,
        payers=None if payers is None else postings(payers),
        participants=participants or None,
        include_payer=include_payer,
    )


def divided(
    split_type: SplitType,
    amount: int,
    splits: Mapping[str, int],
    *,
    scale: int = 1,
    participants: tuple[str, ...] | None = None,
    include_payer: bool = True,
) -> ExpenseDraft:
    """Divided by splits."""
    return ExpenseDraft(
        "Dinner",
        amount,
        split_type,
        participants=participants,
        splits=values(splits, scale),
        include_payer=include_payer,
    )


def bill(amount: int, *items: Item, participants: tuple[str, ...] | None = None) -> ExpenseDraft:
    """An itemised bill."""
    return ExpenseDraft("Dinner", amount, SplitType.ITEMIZED, participants=participants, items=items)


def spent(expense_id: str, draft: ExpenseDraft) -> CreateExpense:
    """The command that adds the expense."""
    return CreateExpense(expense_id, draft)


def as_recorded(expense: Expense) -> ExpenseDraft:
    """What a client sends that got an expense and changes nothing."""
    original, expense = expense.original, as_typed(expense)
    return ExpenseDraft(
        description=expense.description,
        amount=expense.amount,
        split_type=expense.split_type,
        payers=expense.payers,
        participants=expense.participants,
        splits=expense.splits,
        items=expense.items,
        include_payer=expense.include_payer,
        date=expense.date,
        category=expense.category,
        notes=expense.notes,
        kind=expense.kind,
        currency=None if original is None else original.currency,
    )


def shares(expense: Expense) -> dict[str, int]:
    """Who bears how much."""
    return {posting.user_id: posting.amount for posting in expense.shares}


def member(user_id: str, name: str, seq: int, **more: object) -> Member:
    """A member who joined with the event `seq`."""
    asked: dict[str, object] = {"role": Role.MEMBER, "placeholder": False, **more}
    return Member(user_id=user_id, name=name, joined_at=instant(seq), **asked)  # type: ignore[arg-type]


# --- strategies

amounts = st.integers(1, 300) | st.integers(1, AMOUNT_MAX)
user_ids = st.text("abcxyz0189", min_size=1, max_size=4)
expense_ids = st.uuids().map(str)


def crowds(size_min: int = 1, size_max: int = 7) -> st.SearchStrategy[list[str]]:
    """Different people."""
    return st.lists(user_ids, min_size=size_min, max_size=size_max, unique=True)


def some_of(people: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """At least one of them, in any order."""
    return st.lists(st.sampled_from(people), min_size=1, max_size=len(people), unique=True)


@st.composite
def cut(draw: st.DrawFn, total: int, people: Sequence[str]) -> dict[str, int]:
    """The total cut up among the people; some may get nothing."""
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=len(people) - 1, max_size=len(people) - 1)))
    return {user: high - low for user, low, high in zip(people, [0, *cuts], [*cuts, total], strict=True)}


@st.composite
def balanced(draw: st.DrawFn, size_max: int = 7) -> dict[str, int]:
    """Balances that sum to zero."""
    people = draw(crowds(1, size_max))
    amounts_of = {user: draw(st.integers(-500, 500)) for user in people[1:]}
    return {people[0]: -sum(amounts_of.values()), **amounts_of}


@st.composite
def drafts(draw: st.DrawFn, people: Sequence[str], payable: st.SearchStrategy[int] = amounts) -> ExpenseDraft:
    """An expense that holds among the people, of any split type, paid by one or several of them or the caller."""
    amount = draw(payable)
    kind = draw(st.sampled_from(SplitType))
    sharers = draw(some_of(people))
    paying = draw(st.none() | some_of(people).flatmap(lambda users: cut(amount, users)))
    splits: dict[str, int] = {}
    items: list[Item] = []
    match kind:
        case SplitType.EXACT:
            splits = draw(cut(amount, sharers))
        case SplitType.PERCENTAGE:
            splits = draw(cut(100 * VALUE_SCALE, sharers))
        case SplitType.SHARES:
            splits = {user: draw(st.integers(1, 9) | st.integers(1, SHARES_VALUE_MAX)) for user in sharers}
        case SplitType.ADJUSTMENT:
            most = amount // (2 * len(sharers))
            splits = {user: draw(st.integers(-most, most)) for user in draw(some_of(sharers))}
        case SplitType.ITEMIZED:
            lines = draw(st.lists(st.tuples(st.integers(1, 500), some_of(people)), min_size=1, max_size=4))
            items = [Item(f"line {n}", each, tuple(users)) for n, (each, users) in enumerate(lines)]
    return ExpenseDraft(
        description="Dinner",
        amount=amount,
        split_type=kind,
        payers=None if paying is None else postings(paying),
        participants=tuple(sharers) if kind in (SplitType.EQUAL, SplitType.ADJUSTMENT) else None,
        splits=values(splits),
        items=tuple(items),
        include_payer=kind is not SplitType.EQUAL or draw(st.booleans()),
    )


Intent: TypeAlias = tuple[str, Command]
mostly_simplify = st.sampled_from([True, True, False])
_Move: TypeAlias = Callable[[st.DrawFn, Ledger], Iterable[Intent]]


def _people(ledger: Ledger) -> list[str]:
    return [person.user_id for person in ledger.group.active()]


def _actor(draw: st.DrawFn, ledger: Ledger) -> str:
    return draw(st.sampled_from([m.user_id for m in ledger.group.active() if not m.placeholder]))


def _draft(draw: st.DrawFn, ledger: Ledger) -> ExpenseDraft:
    """Of any kind, now and then in another currency."""
    draft = draw(drafts(_people(ledger), st.integers(1, 999)))
    kind = draw(st.sampled_from([ExpenseKind.EXPENSE, *ExpenseKind]))
    currency, rate = draw(st.sampled_from([(None, None), (None, None), ("EUR", "97.255"), ("JPY", "0.55")]))
    return replace(draft, kind=kind, currency=currency, rate=rate)


def _spend(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    draft = _draft(draw, ledger)
    yield _actor(draw, ledger), CreateExpense(f"e{ledger.seq}", draft)


def _edit(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if ledger.expenses:
        chosen = draw(st.sampled_from(sorted(ledger.expenses)))
        draft = _draft(draw, ledger)
        resent = as_recorded(ledger.expenses[chosen])
        yield _actor(draw, ledger), UpdateExpense(chosen, draw(st.sampled_from([draft, draft, resent])))


def _delete_or_restore(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if ledger.expenses:
        chosen = draw(st.sampled_from(sorted(ledger.expenses)))
        deleted = ledger.expenses[chosen].deleted_at
        yield _actor(draw, ledger), RestoreExpense(chosen) if deleted else DeleteExpense(chosen)


def _pay_as_planned(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if rows := plan_of(ledger.group).transfers:
        row = draw(st.sampled_from(rows))
        amount = draw(st.just(row.amount) | st.integers(1, row.amount))
        yield from _payment(ledger, row.from_id, row.to_id, amount)


def _pay_anything(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    people = st.sampled_from(_people(ledger))
    yield from _payment(ledger, draw(people), draw(people), draw(st.integers(1, 500)))


def _payment(ledger: Ledger, from_id: str, to_id: str, amount: int) -> Iterable[Intent]:
    payment = f"s{ledger.seq}"
    yield ledger.speaker(from_id), CreateSettlement(payment, to_id, amount, from_id)
    yield ledger.speaker(to_id), ConfirmSettlement(payment)


def _say_paid(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    people = st.sampled_from(_people(ledger))
    from_id = draw(people)
    command = CreateSettlement(f"s{ledger.seq}", draw(people), draw(st.integers(1, 500)), from_id)
    yield ledger.speaker(from_id), command


def _answer(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    waiting = [s for s in ledger.settlements.values() if s.status is SettlementStatus.PENDING]
    if waiting:
        payment = draw(st.sampled_from(waiting))
        receiver = ledger.speaker(ledger.group.canonical(payment.to_id))
        answers: list[Intent] = [
            (receiver, ConfirmSettlement(payment.id)),
            (receiver, DeclineSettlement(payment.id)),
            (payment.created_by, CancelSettlement(payment.id)),
        ]
        yield draw(st.sampled_from(answers))


def _come(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    who = draw(st.sampled_from(["u2", "u3", "u4", "u5"]))
    yield who, JoinGroup(who)


def _add_placeholder(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    who = draw(st.sampled_from(["p1", "p2", "p3"]))
    yield "u1", AddMember(who, who, placeholder=True)


def _claim(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if waiting := [m.user_id for m in ledger.group.active() if m.placeholder]:
        who = draw(st.sampled_from(["u4", "u5", "u6"]))
        yield who, JoinGroup(who, claim=draw(st.sampled_from(waiting)))


def _settle_and_leave(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    others = [user_id for user_id in _people(ledger) if user_id != "u1"]
    if not others:
        return
    who = draw(st.sampled_from(others))
    for row in plan_of(ledger.group).transfers:
        if who in (row.from_id, row.to_id):
            yield from _payment(ledger, row.from_id, row.to_id, row.amount)
    yield "u1", RemoveMember(who)


def _stand_between_and_leave(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    """Who is even comes to owe one and be owed by another, and goes."""
    people = _people(ledger)
    even = [user_id for user_id in people if user_id != "u1" and not ledger.group.balances[user_id]]
    if even and len(people) > 2:
        who = draw(st.sampled_from(even))
        before, after = draw(st.permutations([user_id for user_id in people if user_id != who]))[:2]
        amount = draw(st.integers(1, 99))
        yield "u1", CreateExpense(f"e{ledger.seq}", shared(amount, who, by=before))
        yield "u1", CreateExpense(f"e{ledger.seq}", shared(amount, after, by=who))
        yield "u1", RemoveMember(who)


def _talk(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if ledger.expenses:
        expense_id = draw(st.sampled_from(sorted(ledger.expenses)))
        comment_id = draw(st.sampled_from(["c1", "c2"]))
        yield _actor(draw, ledger), AddComment(comment_id, expense_id, draw(st.sampled_from(["Why?", "So."])))
        if draw(st.booleans()):
            yield _actor(draw, ledger), DeleteComment(comment_id, expense_id)


def _settle_together(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    yield "u1", ChangeUnit(draw(st.sampled_from(_people(ledger))), draw(st.sampled_from(["Rao", None])))


def _lend(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    people = st.sampled_from(_people(ledger))
    lender = draw(people)
    day = draw(st.dates(date(2020, 1, 1), date(2026, 3, 1)))
    terms = LoanDraft(
        draw(st.integers(1, 9_999)), day.isoformat(), rate=draw(st.sampled_from([None, "6.5", "99"]))
    )
    yield ledger.speaker(lender), CreateLoan(f"l{ledger.seq}", lender, draw(people), terms)


def _repay(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if loans := [loan for loan in ledger.group.loans.values() if loan.is_open]:
        loan = draw(st.sampled_from(loans))
        payment, amount = f"s{ledger.seq}", draw(st.integers(1, 2 * loan.outstanding))
        day = draw(st.sampled_from([None, loan.date]))
        command = CreateSettlement(
            payment, loan.lender_id, amount, loan.borrower_id, loan_id=loan.id, paid_on=day
        )
        yield ledger.speaker(loan.borrower_id), command
        if draw(st.booleans()):
            yield ledger.speaker(loan.lender_id), ConfirmSettlement(payment)


def _change_loan(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    if ledger.group.loans:
        loan = draw(st.sampled_from(sorted(ledger.group.loans)))
        terms = LoanDraft(draw(st.integers(1, 9_999)), description=draw(st.sampled_from([None, "Deposit"])))
        changes: list[Command] = [UpdateLoan(loan, terms), DeleteLoan(loan), RestoreLoan(loan)]
        yield "u1", draw(st.sampled_from(changes))


def _change_settings(draw: st.DrawFn, ledger: Ledger) -> Iterable[Intent]:
    yield "u1", UpdateGroup(simplify=draw(mostly_simplify), name=draw(st.sampled_from(["Goa", "Home"])))


_MOVES: Final[Sequence[_Move]] = [
    *[_spend] * 5,
    *[_edit, _delete_or_restore, _pay_as_planned] * 2,
    *[_pay_anything, _say_paid, _answer, _come, _add_placeholder, _claim],
    *[_settle_and_leave, _stand_between_and_leave] * 2,
    _change_settings,
    _talk,
    _settle_together,
    *[_lend, _repay] * 2,
    _change_loan,
]


@st.composite
def histories(draw: st.DrawFn, *, moves_max: int = 14) -> Ledger:
    """A group's whole life; what the rules refuse has not happened.

    `u1` stays its admin. People come, claim placeholders, settle, leave and come back; expenses of those who left
    are edited, deleted and restored. Some lend each other something.
    """
    ledger = Ledger()
    ledger.do("u1", CreateGroup("u1", "Goa", simplify=draw(mostly_simplify)))
    for who in ("u2", "u3", "p1"):
        ledger.do("u1", AddMember(who, who, placeholder=who == "p1"))
    for _ in range(draw(st.integers(1, moves_max))):
        for actor, command in draw(st.sampled_from(_MOVES))(draw, ledger):
            ledger.try_to(actor, command)
    return ledger


def folded(events: Iterable[RecordedEvent], state: GroupState | None = None) -> GroupState:
    """The state after the events."""
    for recorded in events:
        state = apply(state, recorded)
    assert state is not None
    return state
