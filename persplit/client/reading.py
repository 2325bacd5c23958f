"""What the book says, as values to show. Provisional throughout: waiting commands count, and are marked.

Blocking, like the book; every method is one moment's view, and needs no network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from persplit.client.book import Book
from persplit.client.clock import rfc3339
from persplit.client.rebasing import Provisional, Thing
from persplit.client.replica import noun_of
from persplit.ledger import debts as debt
from persplit.ledger.comment import Comment
from persplit.ledger.debts import Debt
from persplit.ledger.errors import FieldError, Invalid, NotFound
from persplit.ledger.events import Noun, RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.explain import DebtTrace, ExplainedDebt
from persplit.ledger.finding import ExpenseFilter
from persplit.ledger.group import GroupKind, GroupSettings, Member
from persplit.ledger.lending import lent_in
from persplit.ledger.loan import Loan, interest_due, newest_first
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.preset import Preset
from persplit.ledger.recurrence import Recurrence, day_in
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.ledger.statistics import Statistics, statistics_of
from persplit.ledger.upi import payment_link

_UPI_CURRENCY: Final = "INR"


@dataclass(frozen=True, slots=True)
class Group:
    """A group. `seq` is the server's last that is here (0: the server doesn't have the group yet).

    `members` are those of now and of before, by their present names. `pending` counts commands that count here
    but not yet on the server, `doubtful` those that don't fit any more. `other_id`: in a ledger of two people, the other.
    """

    id: str
    seq: int
    settings: GroupSettings
    members: tuple[Member, ...]
    names: Mapping[str, str]
    my_balance: int
    pending: int
    doubtful: int
    other_id: str | None = None

    @property
    def name(self) -> str:
        """What it is called; a ledger of two people like the other one."""
        return self.settings.name if self.other_id is None else self.names[self.other_id]

    @property
    def currency(self) -> str:
        """ISO 4217."""
        return self.settings.currency


@dataclass(frozen=True, slots=True)
class ExpenseEntry:
    """An expense; `pending` are the waiting commands behind this version, none if it is the server's."""

    group_id: str
    expense: Expense
    pending: tuple[str, ...] = ()

    @property
    def is_pending(self) -> bool:
        """Whether the server doesn't have it like this yet."""
        return bool(self.pending)


@dataclass(frozen=True, slots=True)
class CommentEntry:
    """A comment; `is_pending`: the server doesn't have it yet."""

    comment: Comment
    is_pending: bool


@dataclass(frozen=True, slots=True)
class SettlementEntry:
    """A settlement; `pending` are the waiting commands behind this version, none if it is the server's."""

    group_id: str
    settlement: Settlement
    pending: tuple[str, ...] = ()

    @property
    def is_pending(self) -> bool:
        """Whether the server doesn't have it like this yet."""
        return bool(self.pending)


@dataclass(frozen=True, slots=True)
class LoanEntry:
    """A loan, and the interest owed at the end of a day; `is_pending`: the server doesn't have it like this yet."""

    group_id: str
    loan: Loan
    on: str
    interest_due: int
    is_pending: bool

    @property
    def to_repay(self) -> int:
        """What repays it all on that day, minor units."""
        return self.loan.outstanding + self.interest_due if self.loan.is_open else 0

    @property
    def is_overdue(self) -> bool:
        """Whether it was due before that day."""
        return self.loan.is_overdue(self.on)


@dataclass(frozen=True, slots=True)
class Balances:
    """Where a group stands: minor units, positive is owed to them; sums to zero.

    `seq` is that of the last event that counts, `pending` how many of the events that count are waiting commands.
    """

    group_id: str
    seq: int
    at: str
    currency: str
    balances: Mapping[str, int]
    debts: tuple[Debt, ...]
    pending: int = 0


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A suggested payment. `upi_link` is None where no UPI id of the payee is known or the currency isn't INR."""

    from_id: str
    to_id: str
    amount: int
    upi_link: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who should pay whom. `optimal`: fewer payments can't do."""

    group_id: str
    rows: tuple[PlanRow, ...]
    optimal: bool
    pending: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An event; `is_pending` if it is what a waiting command will make."""

    event: RecordedEvent
    is_pending: bool


@dataclass(frozen=True, slots=True)
class History:
    """A group's events, oldest first. `missing` of its first ones aren't here: they come when there is a network."""

    group_id: str
    entries: tuple[HistoryEntry, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """An event of one of the user's groups; `is_pending` if it is what a waiting command will make."""

    group_id: str
    event: RecordedEvent
    is_pending: bool


@dataclass(frozen=True, slots=True)
class UnreadGroup:
    """What others did in a group after the user's mark; `is_more`: older ones aren't counted."""

    group_id: str
    name: str
    seq: int
    read_seq: int
    unread: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class MyGroupBalance:
    """My balance in one group, minor units."""

    group_id: str
    name: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class MyBalances:
    """My net position: by currency, and by group."""

    overall: Mapping[str, int]
    groups: tuple[MyGroupBalance, ...]


@dataclass(frozen=True, slots=True)
class Friend:
    """One person over all groups, by currency: positive, they owe me; negative, I owe them.

    `loans`: what is left of them, beside the balances and without interest.
    """

    user_id: str
    name: str
    balances: Mapping[str, int]
    loans: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one pays the other: `amount` is the plan's row (0 if there is none), `debts` those of the two people."""

    group_id: str
    from_id: str
    to_id: str
    amount: int
    debts: tuple[ExplainedDebt, ...]


class Reader:
    """Reads the book. Every method about a group raises `NotFound` if it isn't here."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def groups(self) -> list[Group]:
        """The groups that the user is in, by name."""
        with self._book.reading():
            shown = [self._group(held, state) for held, state in self._mine()]
        return sorted(shown, key=lambda group: (group.name.casefold(), group.id))

    def group(self, group_id: str) -> Group:
        """One group."""
        with self._book.reading():
            return self._group(*self._held(group_id))

    def expenses(
        self, group_id: str, *, include_deleted: bool = False, where: ExpenseFilter | None = None
    ) -> list[ExpenseEntry]:
        """Those that are looked for, newest first."""
        with self._book.reading():
            held, state = self._held(group_id)
            things = self._things(held, group_id, Noun.EXPENSE)
        matches = (where or ExpenseFilter()).matcher(state.canonical)
        return [
            ExpenseEntry(group_id, thing, pending)
            for thing, pending in things
            if isinstance(thing, Expense) and (include_deleted or thing.deleted_at is None) and matches(thing)
        ]

    def statistics(self, group_id: str, *, date_from: str | None, date_to: str | None) -> Statistics:
        """What was spent on these days, with what waits."""
        with self._book.reading():
            held, state = self._held(group_id)
            things = self._things(held, group_id, Noun.EXPENSE)
            me = self._me
        matches = ExpenseFilter(date_from=date_from, date_to=date_to).matcher(state.canonical)
        found = (thing for thing, _ in things if isinstance(thing, Expense) and matches(thing))
        return statistics_of(found, me, state.canonical)

    def expense(self, group_id: str, expense_id: str) -> ExpenseEntry:
        """One expense, deleted or not. Raises `NotFound`."""
        with self._book.reading():
            held, _ = self._held(group_id)
            thing = held.thing(Noun.EXPENSE, expense_id)
        if not isinstance(thing, Expense):
            raise NotFound("there is no such expense in this group")
        return ExpenseEntry(group_id, thing, _changed_by(held, thing))

    def comments(self, group_id: str, expense_id: str) -> list[CommentEntry]:
        """What was said about an expense and stands, oldest first, of the events that are here. Raises `NotFound`."""
        with self._book.reading():
            held, _ = self._held(group_id)
            thread = held.thread(expense_id)
            stored = {comment.id for comment in self._book.replica.comments(group_id, expense_id)}
        if thread.expense is None:
            raise NotFound("there is no such expense in this group")
        return [CommentEntry(comment, comment.id not in stored) for comment in thread.standing()]

    def presets(self, group_id: str) -> list[Preset]:
        """The named ways to divide, the default first, then by name."""
        with self._book.reading():
            _, state = self._held(group_id)
        return sorted(
            state.presets.values(), key=lambda one: (not one.is_default, one.name.casefold(), one.id)
        )

    def recurrences(self, group_id: str) -> list[Recurrence]:
        """The recurring expenses, oldest first."""
        with self._book.reading():
            _, state = self._held(group_id)
        return sorted(state.recurrences.values(), key=lambda one: (one.since, one.id))

    def seen_recurrence(self, group_id: str, recurrence_id: str) -> int | None:
        """The seq at which the recurring expense came from the server; None where what waits changes it.

        Raises:
            NotFound: there is none with this id, or it was stopped.

        """
        with self._book.reading():
            _, state = self._held(group_id)
            on_server = self._book.replica.position(group_id).seq
        found = state.recurrences.get(recurrence_id)
        if found is None:
            raise NotFound("there is no such recurring expense in this group")
        return found.seq if found.seq <= on_server else None

    def loans(self, group_id: str, on: str | None) -> list[LoanEntry]:
        """Open ones first, newest first, as they stand on the day: today in the group's calendar unless told."""
        with self._book.reading():
            _, state = self._held(group_id)
            of_server = self._book.replica.state(group_id)
            day = on or day_in(state.settings.time_zone, rfc3339(self._book.clock()))
        known = of_server.loans if of_server is not None else {}
        return [
            LoanEntry(group_id, loan, day, interest_due(loan, day), is_pending=known.get(loan.id) != loan)
            for loan in newest_first(state.loans.values())
        ]

    def loan(self, group_id: str, loan_id: str, on: str | None) -> LoanEntry:
        """One loan. Raises `NotFound`."""
        found = next((entry for entry in self.loans(group_id, on) if entry.loan.id == loan_id), None)
        if found is None:
            raise NotFound("there is no such loan in this group")
        return found

    def settlements(self, group_id: str) -> list[SettlementEntry]:
        """Newest first."""
        with self._book.reading():
            held, _ = self._held(group_id)
            things = self._things(held, group_id, Noun.SETTLEMENT)
        return [SettlementEntry(group_id, t, pending) for t, pending in things if isinstance(t, Settlement)]

    def balances(self, group_id: str) -> Balances:
        """Where the group stands, with what waits."""
        with self._book.reading():
            held, state = self._held(group_id)
            return _balances(state, len(held.events))

    def balances_as_of(self, group_id: str, *, seq: int | None, at: str | None) -> Balances:
        """Where the group stood after event `seq`, or at the instant `at`; all events up to there have to be here.

        Raises:
            NotFound: the group did not exist then, or there is no such event.

        """
        with self._book.reading():
            self._held(group_id)
            events = self._book.replica.events(group_id)
        state: GroupState | None = None
        for recorded in events:
            if (seq is not None and recorded.seq > seq) or (at is not None and recorded.at > at):
                break
            state = apply(state, recorded)
        if state is None or (seq is not None and state.seq != seq):
            raise NotFound("the ledger has nothing there")
        return _balances(state, 0)

    def plan(self, group_id: str) -> Plan:
        """The settle-up plan, with links from the payees' UPI ids as the server told them last."""
        with self._book.reading():
            held, state = self._held(group_id)
            known = self._book.replica.payees(group_id)
        plan = plan_of(state)
        rows = (
            PlanRow(row.from_id, row.to_id, row.amount, _link(state, known.get(row.to_id), row.amount))
            for row in plan.transfers
        )
        return Plan(group_id, tuple(rows), plan.optimal, len(held.events))

    def history(self, group_id: str) -> History:
        """The events that are here, and at their end what the waiting commands will make."""
        with self._book.reading():
            held, _ = self._held(group_id)
            recorded = self._book.replica.events(group_id)
            missing = self._book.replica.missing_before(group_id)
        entries = [HistoryEntry(event, is_pending=False) for event in recorded]
        entries += [HistoryEntry(event, is_pending=True) for event in held.events]
        return History(group_id, tuple(entries), missing)

    def activity(self, limit: int) -> list[ActivityEntry]:
        """The newest events of all groups, of those that are here, newest first."""
        entries: list[ActivityEntry] = []
        with self._book.reading():
            for held, state in self._mine():
                entries += [ActivityEntry(state.group_id, it, is_pending=True) for it in held.events]
                stored = self._book.replica.newest_events(state.group_id, limit)
                entries += [ActivityEntry(state.group_id, it, is_pending=False) for it in stored]
        newest_first = sorted(entries, key=lambda it: (it.event.at, it.group_id, it.event.seq), reverse=True)
        return newest_first[:limit]

    def explain(self, group_id: str, from_id: str, to_id: str) -> Explanation:
        """The debts behind a row of the plan; all events have to be here. Raises `Invalid` for a stranger."""
        with self._book.reading():
            held, state = self._held(group_id)
            events = [*self._book.replica.events(group_id), *held.events]
        for path, person in (("from", from_id), ("to", to_id)):
            if person not in state.members:
                raise Invalid(FieldError(path, "not a member of the group"))
        from_id, to_id = state.canonical(from_id), state.canonical(to_id)
        trace = DebtTrace(state.unit_of(from_id) | state.unit_of(to_id))
        trace.feed(events)
        rows = (
            row.amount for row in plan_of(state).transfers if (row.from_id, row.to_id) == (from_id, to_id)
        )
        return Explanation(group_id, from_id, to_id, next(rows, 0), tuple(trace.debts()))

    def my_balances(self) -> MyBalances:
        """What I am owed, or owe, overall and by group."""
        overall: dict[str, int] = {}
        rows = []
        with self._book.reading():
            for _, state in self._mine():
                amount, currency = state.balances[self._me], state.settings.currency
                overall[currency] = overall.get(currency, 0) + amount
                rows.append(MyGroupBalance(state.group_id, self._title(state), currency, amount))
        return MyBalances(dict(sorted(overall.items())), tuple(rows))

    def friends(self) -> list[Friend]:
        """Everybody with whom something is open: debts netted per person over all groups, by currency; and loans."""
        owed, lent = dict[str, dict[str, int]](), dict[str, dict[str, int]]()
        names: dict[str, str] = {}
        with self._book.reading():
            for _, state in self._mine():
                names |= self._names(state)
                currency = state.settings.currency
                for totals, rows in ((owed, debt.rows(state.debts)), (lent, lent_in(state))):
                    for other, amount in debt.of_one(rows, self._me):
                        of = totals.setdefault(other, {})
                        of[currency] = of.get(currency, 0) + amount
        friends = (
            Friend(other, names[other], _open(owed.get(other, {})), _open(lent.get(other, {})))
            for other in sorted(owed.keys() | lent.keys())
        )
        return [friend for friend in friends if friend.balances or friend.loans]

    # --- inside a transaction

    @property
    def _me(self) -> str:
        return self._book.me().user_id

    def _held(self, group_id: str) -> tuple[Provisional, GroupState]:
        held = self._book.provisional(group_id)
        if held.state is None:
            raise NotFound("there is no such group here")
        return held, held.state

    def _mine(self) -> list[tuple[Provisional, GroupState]]:
        """The groups that the user is in, once what waits has gone through."""
        if self._book.replica.account() is None:
            return []
        held = (self._book.provisional(group_id) for group_id in self._book.group_ids())
        return [(it, it.state) for it in held if it.state is not None and it.state.is_member(self._me)]

    def _group(self, held: Provisional, state: GroupState) -> Group:
        return Group(
            id=state.group_id,
            seq=state.seq - len(held.events),
            settings=state.settings,
            members=tuple(state.members.values()),
            names=self._names(state),
            my_balance=state.balances.get(self._me, 0),
            pending=len(held.events),
            doubtful=len(held.doubts),
            other_id=self._other(state),
        )

    def _other(self, state: GroupState) -> str | None:
        """In a ledger of two people the other one, as soon as they are in it."""
        if state.settings.kind is not GroupKind.DIRECT:
            return None
        return next((member.user_id for member in state.active() if member.user_id != self._me), None)

    def _title(self, state: GroupState) -> str:
        other = self._other(state)
        return state.settings.name if other is None else self._names(state)[other]

    def _names(self, state: GroupState) -> dict[str, str]:
        recorded = {member.user_id: member.name for member in state.members.values()}
        return recorded | self._book.replica.names(state.group_id)

    def _things(self, held: Provisional, group_id: str, noun: Noun) -> list[tuple[Thing, tuple[str, ...]]]:
        """The server's things with what waits in their place, and what waits to be made before them."""
        stored = self._book.replica.things(group_id, noun)
        known = {thing.id for thing in stored}
        made = [thing for (kind, id_), thing in held.things.items() if kind is noun and id_ not in known]
        present = [*reversed(made), *(held.things.get((noun, thing.id), thing) for thing in stored)]
        return [(thing, _changed_by(held, thing)) for thing in present]


def _open(of: Mapping[str, int]) -> dict[str, int]:
    return {currency: net for currency, net in sorted(of.items()) if net}


def _changed_by(held: Provisional, thing: Thing) -> tuple[str, ...]:
    return tuple(held.changed_by.get((noun_of(thing), thing.id), ()))


def _balances(state: GroupState, pending: int) -> Balances:
    return Balances(
        group_id=state.group_id,
        seq=state.seq,
        at=state.at,
        currency=state.settings.currency,
        balances=dict(state.balances),
        debts=tuple(debt.rows(state.debts)),
        pending=pending,
    )


def _link(state: GroupState, known: str | None, amount: int) -> str | None:
    """The payee's link for this amount, from one that the server gave for another."""
    if known is None or state.settings.currency != _UPI_CURRENCY or amount > AMOUNT_MAX:
        return None
    said = parse_qs(urlsplit(known).query)
    return payment_link(said["pa"][0], said["pn"][0], amount, state.settings.name)
