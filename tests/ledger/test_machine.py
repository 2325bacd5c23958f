"""A group's life in any order, against a book kept by hand.

`Book` knows nothing of the ledger: it keeps what was asked and works every balance out from the beginning, with
fractions. After each step both must agree, a refusal must be the one that the book foresaw, and all that must
always hold has to hold.
"""

import copy
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from math import floor
from typing import TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from persplit.ledger.commands import (
    AddMember,
    BecomePlaceholder,
    CancelSettlement,
    ChangeRole,
    ChangeUnit,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    DeleteLoan,
    JoinGroup,
    LeaveGroup,
    RemoveMember,
    RestoreExpense,
    RestoreLoan,
    UnblockMember,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.debts import rows
from persplit.ledger.errors import (
    AlreadyMember,
    AlreadySettled,
    BalanceNotZero,
    Blocked,
    Conflict,
    Forbidden,
    GroupArchived,
    Invalid,
    LedgerError,
    NotFound,
    SettlementPending,
)
from persplit.ledger.expense import Expense, ExpenseDraft, Item, SplitType
from persplit.ledger.explain import DebtTrace
from persplit.ledger.group import Role
from persplit.ledger.loan import LoanDraft
from persplit.ledger.settlement import SettlementStatus
from persplit.ledger.snapshot import state_from_json, state_to_json
from persplit.ledger.state import plan_of
from tests.ledger.given import PROPERTY, Ledger, as_recorded, drafts, folded, instant, shares

Refusal: TypeAlias = type[LedgerError] | None
Legs: TypeAlias = Mapping[str, int]

PEOPLE = ["u1", "u2", "u3", "u4", "u5"]
PLACEHOLDERS = ["p1", "p2"]
TODAY = instant(1)[:10]
STRANGER = "x"


@dataclass
class Person:
    """Somebody who is or was there."""

    active: bool = True
    admin: bool = False
    placeholder: bool = False
    blocked: bool = False
    unit: str | None = None


@dataclass
class Entry:
    """An expense: who paid and who bears, as ids of the time, and what was asked."""

    paid: dict[str, int]
    borne: dict[str, int]
    asked: tuple[object, ...]
    seq: int
    counts: bool = True


@dataclass
class Payment:
    """A payment that somebody says was made."""

    by: str
    from_id: str
    to_id: str
    amount: int
    seq: int
    status: SettlementStatus = SettlementStatus.PENDING
    loan_id: str | None = None
    repaid: int = 0


@dataclass
class Lent:
    """A loan: what is left of it, the interest so far as it is and as it was paid, and the days that it doesn't have."""

    lender_id: str
    borrower_id: str
    left: int
    rate: str | None
    days: int
    seq: int
    interest: Fraction = Fraction(0)
    paid: int = 0
    counts: bool = True


@dataclass
class Book:
    """The group as somebody with pencil and paper would keep it."""

    people: dict[str, Person]
    claims: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    loans: dict[str, Lent] = field(default_factory=dict)
    simplify: bool = True
    archived: bool = False
    currency: str = "INR"
    settings_seq: int = 1

    # --- looking things up

    def now_called(self, user_id: str) -> str:
        return self.claims.get(user_id, user_id)

    def here(self, user_id: str) -> bool:
        return user_id in self.people and self.people[user_id].active

    def active(self) -> list[str]:
        return [user_id for user_id in self.people if self.here(user_id)]

    def admins(self) -> list[str]:
        return [user_id for user_id in self.active() if self.people[user_id].admin]

    def net(self, entry: Entry) -> dict[str, int]:
        """What each person's balance gets from it, as people are called now; nothing is left out."""
        net = dict.fromkeys(map(self.now_called, [*entry.paid, *entry.borne]), 0)
        for user_id, amount in entry.paid.items():
            net[self.now_called(user_id)] += amount
        for user_id, amount in entry.borne.items():
            net[self.now_called(user_id)] -= amount
        return net

    def balances(self) -> dict[str, int]:
        """Everybody's, from the first page on; those of people who left too, unless they are at zero."""
        balances: Counter[str] = Counter(dict.fromkeys(self.active(), 0))
        for entry in self.entries.values():
            if entry.counts:
                for user_id, amount in self.net(entry).items():
                    balances[user_id] += amount
        for payment in self.payments.values():
            if payment.status is SettlementStatus.COMPLETED:
                balances[self.now_called(payment.from_id)] += payment.amount - payment.repaid
                balances[self.now_called(payment.to_id)] -= payment.amount - payment.repaid
        return {user_id: amount for user_id, amount in balances.items() if amount or self.here(user_id)}

    def waiting(self) -> dict[str, Payment]:
        return {key: p for key, p in self.payments.items() if p.status is SettlementStatus.PENDING}

    def between(self, loan: Lent) -> list[str]:
        return [self.now_called(loan.lender_id), self.now_called(loan.borrower_id)]

    def is_open(self, loan_id: str) -> bool:
        return loan_id in self.loans and self.loans[loan_id].counts and self.loans[loan_id].left > 0

    # --- what is refused

    def refusal(self, actor: str, command: Command, debts: Iterable[tuple[str, str, int]]) -> Refusal:
        """Which error the command deserves. `debts` are the ledger's: the book keeps balances only."""
        if not (self.here(actor) or isinstance(command, JoinGroup)):
            return NotFound
        if self.archived and not isinstance(
            command, UpdateGroup | LeaveGroup | BecomePlaceholder | ChangeRole
        ):
            return GroupArchived
        return self._rule_refusal(actor, command, debts)

    def _rule_refusal(self, actor: str, command: Command, debts: Iterable[tuple[str, str, int]]) -> Refusal:
        match command:
            case UpdateGroup():
                return self._update_refusal(command) if actor in self.admins() else Forbidden
            case CreateExpense() | UpdateExpense() | DeleteExpense() | RestoreExpense():
                return self._expense_refusal(actor, command)
            case CreateSettlement():
                return self._payment_refusal(actor, command)
            case ConfirmSettlement() | DeclineSettlement() | CancelSettlement():
                return self._answer_refusal(actor, command)
            case CreateLoan() | DeleteLoan() | RestoreLoan():
                return self._loan_refusal(actor, command)
            case JoinGroup(claim=claim):
                return self._join_refusal(actor, claim)
        return self._going_refusal(actor, command, debts)

    def _going_refusal(self, actor: str, command: Command, debts: Iterable[tuple[str, str, int]]) -> Refusal:
        match command:
            case LeaveGroup():
                return self._leave_refusal(actor, debts)
            case BecomePlaceholder():
                return self._give_up_refusal(actor)
            case ChangeUnit(user_id=user_id, unit=None) if user_id == actor:
                return None
            case RemoveMember(user_id=user_id, block=True) if actor in self.admins():
                return self._block_refusal(actor, user_id, debts)
            case RemoveMember(user_id=user_id, block=False) if actor in (*self.admins(), user_id):
                return self._leave_refusal(user_id, debts) if self.here(user_id) else NotFound
        return self._manage_refusal(command) if actor in self.admins() else Forbidden

    def _join_refusal(self, actor: str, claim: str | None) -> Refusal:
        if self.here(actor):
            return AlreadyMember
        if claim is None:
            return self._coming_refusal(actor)
        free = self.here(claim) and self.people[claim].placeholder
        return None if free and actor not in self.people else Invalid

    def _coming_refusal(self, user_id: str) -> Refusal:
        if user_id in self.claims:
            return Conflict
        return Blocked if user_id in self.people and self.people[user_id].blocked else None

    def _give_up_refusal(self, actor: str) -> Refusal:
        if self.people[actor].placeholder:
            return Conflict
        others = [other for other in self.active() if other != actor and not self.people[other].placeholder]
        return Conflict if others and self.admins() == [actor] else None

    def _block_refusal(self, actor: str, user_id: str, debts: Iterable[tuple[str, str, int]]) -> Refusal:
        known = self.people.get(user_id)
        if user_id == actor or (known is not None and known.placeholder):
            return Invalid
        if known is None:
            return NotFound
        if known.blocked:
            return Conflict
        return self._leave_refusal(user_id, debts) if known.active else None

    def _manage_refusal(self, command: Command) -> Refusal:
        match command:
            case AddMember(user_id=user_id) if self.here(user_id):
                return AlreadyMember
            case AddMember(user_id=user_id, placeholder=True):
                return Conflict if user_id in self.people else None
            case AddMember(user_id=user_id):
                return self._coming_refusal(user_id)
            case UnblockMember(user_id=user_id):
                return None if user_id in self.people and self.people[user_id].blocked else NotFound
            case ChangeUnit(user_id=user_id):
                return None if self.here(user_id) else NotFound
            case ChangeRole(user_id=user_id, role=role):
                return self._role_refusal(user_id, role)
        return None

    def _update_refusal(self, command: UpdateGroup) -> Refusal:
        if command.expected_seq is not None and self.settings_seq > command.expected_seq:
            return Conflict
        if self.archived and command.archived is not False:
            return GroupArchived
        booked = self.entries or self.payments or self.loans
        return Invalid if booked and command.currency not in (None, self.currency) else None

    def _role_refusal(self, user_id: str, role: Role) -> Refusal:
        if not self.here(user_id):
            return NotFound
        if self.people[user_id].placeholder and role is Role.ADMIN:
            return Invalid
        return Conflict if role is Role.MEMBER and self.admins() == [user_id] else None

    def _leave_refusal(self, user_id: str, debts: Iterable[tuple[str, str, int]]) -> Refusal:
        if self.balances()[user_id]:
            return BalanceNotZero
        if not self.simplify and any(user_id in row for row in debts):
            return BalanceNotZero
        if any(user_id in map(self.now_called, (p.from_id, p.to_id)) for p in self.waiting().values()):
            return SettlementPending
        if any(user_id in self.between(loan) for key, loan in self.loans.items() if self.is_open(key)):
            return BalanceNotZero
        others = [other for other in self.active() if other != user_id and not self.people[other].placeholder]
        return Conflict if others and self.admins() == [user_id] else None

    def _draft_refusal(self, draft: ExpenseDraft, paid: Legs, allowed: set[str]) -> Refusal:
        names = {*paid, *self.sharing(draft)}
        lists = [
            [payer.user_id for payer in draft.payers or ()],
            [*(draft.participants or ())],
            [split.user_id for split in draft.splits],
            *(item.participants for item in draft.items),
        ]
        if any(len(set(map(self.now_called, listed))) < len(listed) for listed in lists):
            return Invalid
        if not names <= allowed or sum(paid.values()) != draft.amount:
            return Invalid
        if not draft.include_payer and not set(self.sharing(draft)) - set(paid):
            return Invalid
        exact = draft.split_type is SplitType.EXACT
        return Invalid if exact and sum(split.value for split in draft.splits) != draft.amount else None

    def _expense_refusal(
        self, actor: str, command: CreateExpense | UpdateExpense | DeleteExpense | RestoreExpense
    ) -> Refusal:
        if isinstance(command, CreateExpense):
            if command.expense_id in self.entries:
                return Conflict
            return self._draft_refusal(command.draft, self.payers(command.draft, actor), set(self.active()))
        entry = self.entries.get(command.expense_id)
        if entry is None:
            return NotFound
        if command.expected_seq is not None and entry.seq > command.expected_seq:
            return Conflict
        if entry.counts == isinstance(command, RestoreExpense):
            return Conflict
        wanted: dict[str, int] = {}
        if isinstance(command, UpdateExpense):
            paid = self.payers(command.draft, actor, entry)
            if fault := self._draft_refusal(command.draft, paid, {*self.active(), *self.net(entry)}):
                return fault
            after = Entry(dict(paid), self.division(command.expense_id, command.draft, paid, entry), (), 0)
            wanted = self.net(after)
        elif isinstance(command, RestoreExpense):
            wanted, entry = self.net(entry), Entry({}, {}, (), 0)
        before = self.net(entry)
        gone = {user_id for user_id in {*before, *wanted} if not self.here(user_id)}
        return BalanceNotZero if any(before.get(u, 0) != wanted.get(u, 0) for u in gone) else None

    def _payment_refusal(self, actor: str, command: CreateSettlement) -> Refusal:
        if command.settlement_id in self.payments:
            return Conflict
        parties = [self.now_called(command.from_id or actor), self.now_called(command.to_id)]
        if not all(map(self.here, parties)) or parties[0] == parties[1]:
            return Invalid
        if actor not in [*parties, *self.admins()]:
            return Forbidden
        if command.loan_id is None:
            return None
        fits = self.is_open(command.loan_id) and self.between(self.loans[command.loan_id]) == parties[::-1]
        return None if fits else Invalid

    def _loan_refusal(self, actor: str, command: CreateLoan | DeleteLoan | RestoreLoan) -> Refusal:
        loan = self.loans.get(command.loan_id)
        if isinstance(command, CreateLoan):
            parties = [self.now_called(command.lender_id), self.now_called(command.borrower_id)]
            if loan is not None:
                return Conflict
            if not all(map(self.here, parties)) or parties[0] == parties[1]:
                return Invalid
            return None if actor in [*parties, *self.admins()] else Forbidden
        if loan is None:
            return NotFound
        if actor not in [*self.between(loan), *self.admins()]:
            return Forbidden
        if command.expected_seq is not None and loan.seq > command.expected_seq:
            return Conflict
        is_back = isinstance(command, RestoreLoan)
        is_sound = loan.counts != is_back and (not is_back or all(map(self.here, self.between(loan))))
        return None if is_sound else Conflict

    def _answer_refusal(
        self, actor: str, command: ConfirmSettlement | DeclineSettlement | CancelSettlement
    ) -> Refusal:
        payment = self.payments.get(command.settlement_id)
        if payment is None:
            return NotFound
        if command.expected_seq is not None and payment.seq > command.expected_seq:
            return Conflict
        if payment.status is not SettlementStatus.PENDING:
            return AlreadySettled
        cancelling = isinstance(command, CancelSettlement)
        party = self.now_called(payment.from_id if cancelling else payment.to_id)
        allowed = {party, *(self.admins() if self.people[party].placeholder else [])}
        return None if actor in allowed or (cancelling and actor == payment.by) else Forbidden

    # --- how an expense is divided

    def payers(self, draft: ExpenseDraft, actor: str, before: Entry | None = None) -> dict[str, int]:
        if draft.payers is not None:
            return {self.now_called(p.user_id): p.amount for p in draft.payers}
        if before is None:
            return {actor: draft.amount}
        paid = {self.now_called(user_id): amount for user_id, amount in before.paid.items()}
        return dict.fromkeys(paid, draft.amount) if len(paid) == 1 else paid

    def sharing(self, draft: ExpenseDraft) -> list[str]:
        """Whom the draft names, the payer not left out yet."""
        if draft.split_type in (SplitType.EQUAL, SplitType.ADJUSTMENT):
            return (
                self.active() if draft.participants is None else [*map(self.now_called, draft.participants)]
            )
        named = [split.user_id for split in draft.splits] + [
            u for item in draft.items for u in item.participants
        ]
        return [*dict.fromkeys(map(self.now_called, named))]

    def asked(self, draft: ExpenseDraft, paid: Legs) -> tuple[object, ...]:
        """All that decides how the draft is divided, whatever people were called then."""
        return (
            draft.amount,
            draft.split_type,
            draft.include_payer or frozenset(paid),
            frozenset(self.sharing(draft)),
            frozenset((self.now_called(split.user_id), split.value) for split in draft.splits),
            tuple((item.amount, frozenset(map(self.now_called, item.participants))) for item in draft.items),
        )

    def division(
        self, expense_id: str, draft: ExpenseDraft, paid: Legs, before: Entry | None = None
    ) -> dict[str, int]:
        """Everybody's share; where only words were changed, the one that they had."""
        if before is not None and self._renamed(before.asked) == self.asked(draft, paid):
            return {self.now_called(user_id): amount for user_id, amount in before.borne.items()}
        exact = self._exact(draft, [u for u in self.sharing(draft) if draft.include_payer or u not in paid])
        base = {user_id: floor(part) for user_id, part in exact.items()}
        left = draft.amount - sum(base.values())

        def turn(user_id: str) -> tuple[Fraction, str]:
            ticket = hashlib.sha256(f"{expense_id}:{user_id}".encode()).hexdigest()
            return base[user_id] - exact[user_id], ticket

        for user_id in sorted(exact, key=turn)[:left]:
            base[user_id] += 1
        return base

    def _renamed(self, asked: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(self._renamed_in(part) for part in asked)

    def _renamed_in(self, part: object) -> object:
        match part:
            case str() if not isinstance(part, SplitType):
                return self.now_called(part)
            case frozenset():
                return frozenset(map(self._renamed_in, part))
            case tuple():
                return tuple(map(self._renamed_in, part))
            case _:
                return part

    def _exact(self, draft: ExpenseDraft, sharers: list[str]) -> dict[str, Fraction]:
        asked = {self.now_called(split.user_id): Fraction(split.value) for split in draft.splits}
        match draft.split_type:
            case SplitType.EQUAL | SplitType.ADJUSTMENT:
                each = (draft.amount - sum(asked.values())) / Fraction(len(sharers))
                return {user_id: each + asked.get(user_id, 0) for user_id in sharers}
            case SplitType.ITEMIZED:
                asked = {
                    user_id: sum((self._part(item, user_id) for item in draft.items), Fraction(0))
                    for user_id in sharers
                }
        return {user_id: draft.amount * part / sum(asked.values()) for user_id, part in asked.items()}

    def _part(self, item: Item, user_id: str) -> Fraction:
        who = [*map(self.now_called, item.participants)]
        return Fraction(item.amount, len(who)) if user_id in who else Fraction(0)

    # --- writing down what happened

    def write(self, actor: str, command: Command, seq: int) -> None:
        match command:
            case CreateExpense() | UpdateExpense():
                before = self.entries.get(command.expense_id)
                paid = self.payers(command.draft, actor, before)
                borne = self.division(command.expense_id, command.draft, paid, before)
                asked = self.asked(command.draft, paid)
                self.entries[command.expense_id] = Entry(paid, borne, asked, seq)
            case DeleteExpense() | RestoreExpense():
                entry = self.entries[command.expense_id]
                counts = isinstance(command, RestoreExpense)
                self.entries[command.expense_id] = replace(entry, counts=counts, seq=seq)
            case CreateSettlement(from_id=from_id, to_id=to_id, amount=amount, loan_id=loan_id):
                payment = Payment(actor, from_id or actor, to_id, amount, seq, loan_id=loan_id)
                self.payments[command.settlement_id] = payment
            case ConfirmSettlement():
                self._answer(command.settlement_id, SettlementStatus.COMPLETED, seq)
                self._repay(self.payments[command.settlement_id], seq)
            case DeclineSettlement():
                self._answer(command.settlement_id, SettlementStatus.DECLINED, seq)
            case CancelSettlement():
                self._answer(command.settlement_id, SettlementStatus.CANCELLED, seq)
            case _:
                self._write_of_group(actor, command, seq)

    def _write_of_group(self, actor: str, command: Command, seq: int) -> None:
        match command:
            case CreateLoan(lender_id=lender, borrower_id=borrower, draft=draft):
                made = date.fromisoformat(draft.date or TODAY)
                days = (date.fromisoformat(TODAY) - made).days
                self.loans[command.loan_id] = Lent(lender, borrower, draft.principal, draft.rate, days, seq)
            case DeleteLoan(loan_id=loan_id) | RestoreLoan(loan_id=loan_id):
                is_back = isinstance(command, RestoreLoan)
                self.loans[loan_id] = replace(self.loans[loan_id], counts=is_back, seq=seq)
            case UpdateGroup(simplify=simplify, archived=archived, currency=currency):
                self.simplify = self.simplify if simplify is None else simplify
                self.archived = self.archived if archived is None else archived
                self.currency = currency or self.currency
                self.settings_seq = seq
            case _:
                self._write_of_people(actor, command)

    def _write_of_people(self, actor: str, command: Command) -> None:
        match command:
            case AddMember(user_id=user_id, placeholder=placeholder):
                self._come(user_id, placeholder=placeholder)
            case JoinGroup(claim=claim):
                self._come(actor)
                if claim is not None:
                    self._take_over(actor, claim)
            case ChangeRole(user_id=user_id, role=role):
                self.people[user_id].admin = role is Role.ADMIN
            case RemoveMember(user_id=user_id, block=block):
                self._go(user_id)
                self.people[user_id].blocked = block
            case LeaveGroup():
                self._go(actor)
            case _:
                self._write_of_places(actor, command)

    def _write_of_places(self, actor: str, command: Command) -> None:
        match command:
            case ChangeUnit(user_id=user_id, unit=unit):
                self.people[user_id].unit = unit
            case BecomePlaceholder():
                self.people[actor].placeholder = True
                self.people[actor].admin = False
            case UnblockMember(user_id=user_id):
                self.people[user_id].blocked = False

    def _come(self, user_id: str, *, placeholder: bool = False) -> None:
        admin = not placeholder and not self.admins()
        self.people[user_id] = Person(placeholder=placeholder, admin=admin)

    def _go(self, user_id: str) -> None:
        self.people[user_id].active = False
        self.people[user_id].unit = None

    def _take_over(self, user_id: str, placeholder_id: str) -> None:
        was = self.people[placeholder_id]
        was.active = False
        self.people[user_id].unit = was.unit
        self.claims = {old: user_id if held == placeholder_id else held for old, held in self.claims.items()}
        self.claims[placeholder_id] = user_id

    def _answer(self, settlement_id: str, status: SettlementStatus, seq: int) -> None:
        self.payments[settlement_id] = replace(self.payments[settlement_id], status=status, seq=seq)

    def _repay(self, payment: Payment, seq: int) -> None:
        """All of it happens on one day: interest accrues with the first payment, and no more."""
        if payment.loan_id is None or not self.is_open(payment.loan_id):
            return
        loan = self.loans[payment.loan_id]
        loan.interest += Fraction(loan.left) * Fraction(loan.rate or 0) / 100 * loan.days / 365
        interest = min(payment.amount, floor(loan.interest - loan.paid + Fraction(1, 2)))
        principal = min(payment.amount - interest, loan.left)
        loan.days, loan.paid, loan.left, loan.seq = 0, loan.paid + interest, loan.left - principal, seq
        payment.repaid = interest + principal


class GroupMachine(RuleBasedStateMachine):
    """Anybody may try anything."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.ledger.do("u1", CreateGroup("u1", "Goa"))
        self.book = Book({"u1": Person(admin=True)})
        self.trace = DebtTrace(frozenset([*PEOPLE, *PLACEHOLDERS]))
        for user_id in ("u2", "u3", "p1"):
            self.ask("u1", AddMember(user_id, user_id, placeholder=user_id == "p1"))

    def ask(self, actor: str, command: Command) -> None:
        """Give the command, and see that it fares as the book says."""
        expected = self.book.refusal(actor, command, rows(self.ledger.group.debts))
        before = copy.deepcopy(self.ledger.group)
        refusal = self.ledger.try_to(actor, command)
        assert type(refusal) is (expected or type(None)), (actor, command, refusal)
        if refusal is None:
            assert self.ledger.seq == before.seq + 1
            self.book.write(actor, command, self.ledger.seq)
        else:
            assert self.ledger.group == before
            assert refusal.detail

    def anybody(self, data: st.DataObject) -> str:
        """Mostly somebody who is there."""
        here = [user_id for user_id in self.book.active() if not self.book.people[user_id].placeholder]
        return data.draw(st.sampled_from([*here * 4, *PEOPLE, STRANGER]))

    def seen(self, data: st.DataObject) -> int | None:
        """The seq at which the caller saw what they change; mostly they don't say."""
        return data.draw(st.sampled_from([None, None, None, self.ledger.seq, max(self.ledger.seq - 4, 1)]))

    def draft(self, data: st.DataObject) -> ExpenseDraft:
        """Sound by itself, or one off; mostly among people who are there."""
        known = list(self.book.people)
        people = data.draw(st.sampled_from([self.book.active() or known] * 5 + [known, [*known, STRANGER]]))
        draft = data.draw(drafts(people, st.integers(1, 500)))
        return replace(draft, amount=draft.amount + data.draw(st.sampled_from([0] * 9 + [1])))

    @rule(data=st.data())
    def spend(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([f"e{len(self.book.entries)}"] * 9 + ["e0"]))
        self.ask(self.anybody(data), CreateExpense(name, self.draft(data)))

    @rule(data=st.data())
    def spend_equally(self, data: st.DataObject) -> None:
        draft = ExpenseDraft("Tea", data.draw(st.integers(1, 500)), SplitType.EQUAL)
        self.ask(self.anybody(data), CreateExpense(f"e{len(self.book.entries)}", draft))

    @precondition(lambda self: self.book.entries)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*[*self.book.entries] * 4, "none"]))
        self.ask(self.anybody(data), UpdateExpense(name, self.draft(data), self.seen(data)))

    @precondition(lambda self: self.book.entries)
    @rule(data=st.data())
    def send_back(self, data: st.DataObject) -> None:
        expense = self.ledger.expenses[data.draw(st.sampled_from([*self.book.entries]))]
        draft = replace(as_recorded(expense), description="Supper")
        self.ask(self.anybody(data), UpdateExpense(expense.id, draft))

    @precondition(lambda self: self.book.entries)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*[*self.book.entries] * 4, "none"]))
        self.ask(self.anybody(data), DeleteExpense(name, self.seen(data)))

    @precondition(lambda self: self.book.entries)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        gone = [name for name, entry in self.book.entries.items() if not entry.counts]
        name = data.draw(st.sampled_from([*gone * 8, *self.book.entries, "none"]))
        self.ask(self.anybody(data), RestoreExpense(name, self.seen(data)))

    @rule(data=st.data())
    def say_paid(self, data: st.DataObject) -> None:
        names = st.sampled_from([*self.book.people, STRANGER])
        name = data.draw(st.sampled_from([f"s{len(self.book.payments)}"] * 9 + ["s0"]))
        from_id = data.draw(st.none() | names)
        amount = data.draw(st.integers(1, 500))
        self.ask(self.anybody(data), CreateSettlement(name, data.draw(names), amount, from_id))

    @precondition(lambda self: self.book.payments)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*[*self.book.waiting()] * 4, *self.book.payments, "none"]))
        seen = self.seen(data)
        answers: list[Command] = [
            ConfirmSettlement(name, seen),
            DeclineSettlement(name, seen),
            CancelSettlement(name, seen),
        ]
        self.ask(self.anybody(data), data.draw(st.sampled_from(answers)))

    @rule(data=st.data())
    def lend(self, data: st.DataObject) -> None:
        names = st.sampled_from([*self.book.active() * 3, *self.book.people, STRANGER])
        name = data.draw(st.sampled_from([f"l{len(self.book.loans)}"] * 9 + ["l0"]))
        day = data.draw(st.sampled_from([None, "2025-03-01", "2026-02-07"]))
        draft = LoanDraft(
            data.draw(st.integers(1, 500)), day, rate=data.draw(st.sampled_from([None, "7", "99"]))
        )
        self.ask(self.anybody(data), CreateLoan(name, data.draw(names), data.draw(names), draft))

    @precondition(lambda self: self.book.loans)
    @rule(data=st.data())
    def take_a_loan_back(self, data: st.DataObject) -> None:
        name, seen = data.draw(st.sampled_from([*[*self.book.loans] * 4, "none"])), self.seen(data)
        commands: list[Command] = [DeleteLoan(name, seen), RestoreLoan(name, seen)]
        self.ask(self.anybody(data), data.draw(st.sampled_from(commands)))

    @precondition(lambda self: self.book.loans)
    @rule(data=st.data())
    def repay(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([*self.book.loans]))
        lender, borrower = self.book.between(self.book.loans[name])
        amount, payment = data.draw(st.integers(1, 600)), f"s{len(self.book.payments)}"
        actor = data.draw(st.sampled_from([borrower, borrower, lender]))
        payer = data.draw(st.sampled_from([borrower] * 5 + [lender]))
        self.ask(actor, CreateSettlement(payment, lender, amount, payer, loan_id=name))
        if data.draw(st.booleans()):
            self.ask(lender, ConfirmSettlement(payment))

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Everybody pays as planned, or only the first."""
        if self.book.archived or not self.book.admins():
            return
        for row in plan_of(self.ledger.group).transfers[: data.draw(st.sampled_from([1, 99]))]:
            name = f"s{len(self.book.payments)}"
            payer, receiver = self.ledger.speaker(row.from_id), self.ledger.speaker(row.to_id)
            self.ask(payer, CreateSettlement(name, row.to_id, row.amount, row.from_id))
            self.ask(receiver, ConfirmSettlement(name))

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(PEOPLE + PLACEHOLDERS))
        self.ask(self.anybody(data), AddMember(who, who, placeholder=who in PLACEHOLDERS))

    @rule(data=st.data())
    def join(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(PEOPLE))
        self.ask(who, JoinGroup(who, data.draw(st.sampled_from([None, *PLACEHOLDERS, "u2"]))))

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.ask(self.anybody(data), LeaveGroup())

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.ask(self.anybody(data), RemoveMember(data.draw(st.sampled_from(PEOPLE + PLACEHOLDERS))))

    @rule(data=st.data())
    def block(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from([*PEOPLE, "p1", STRANGER]))
        self.ask(self.anybody(data), RemoveMember(who, block=True))

    @precondition(lambda self: any(person.blocked for person in self.book.people.values()))
    @rule(data=st.data())
    def unblock(self, data: st.DataObject) -> None:
        self.ask(self.anybody(data), UnblockMember(data.draw(st.sampled_from(PEOPLE))))

    @rule(data=st.data())
    def change_unit(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(PEOPLE + PLACEHOLDERS))
        self.ask(self.anybody(data), ChangeUnit(who, data.draw(st.sampled_from(["Rao", "Shah", None]))))

    @precondition(lambda self: self.ledger.seq > 25)
    @rule(data=st.data())
    def give_the_account_up(self, data: st.DataObject) -> None:
        self.ask(self.anybody(data), BecomePlaceholder("Gone"))

    @rule(data=st.data())
    def change_role(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(PEOPLE + PLACEHOLDERS))
        self.ask(self.anybody(data), ChangeRole(who, data.draw(st.sampled_from(Role))))

    @rule(data=st.data())
    def change_settings(self, data: st.DataObject) -> None:
        command = UpdateGroup(
            simplify=data.draw(st.none() | st.booleans()),
            currency=data.draw(st.sampled_from([None, None, "INR", "EUR"])),
            archived=data.draw(st.sampled_from([None] * 8 + [False, True])),
            expected_seq=self.seen(data),
        )
        self.ask(self.anybody(data), command)

    @precondition(lambda self: self.book.archived and self.book.admins())
    @rule()
    def bring_back(self) -> None:
        self.ask(self.book.admins()[0], UpdateGroup(archived=False))

    @invariant()
    def ledger_and_book_agree(self) -> None:
        state, book = self.ledger.group, self.book
        assert state.balances == book.balances()
        assert {person.user_id for person in state.active()} == set(book.active())
        assert {user_id for user_id in state.members if state.is_admin(user_id)} == set(book.admins())
        assert state.claims == book.claims
        assert (state.expense_count, state.settlement_count) == (len(book.entries), len(book.payments))
        waiting = {
            key: (*map(book.now_called, (p.from_id, p.to_id)), p.amount) for key, p in book.waiting().items()
        }
        assert {key: (s.from_id, s.to_id, s.amount) for key, s in state.pending.items()} == waiting
        assert {
            key: (
                loan.lender_id,
                loan.borrower_id,
                loan.outstanding,
                loan.interest_paid,
                loan.deleted_at is None,
            )
            for key, loan in state.loans.items()
        } == {
            key: (*book.between(loan), loan.left, loan.paid, loan.counts) for key, loan in book.loans.items()
        }
        for name, expense in self.ledger.expenses.items():
            assert shares(expense) == book.entries[name].borne
            assert (expense.deleted_at is None) == book.entries[name].counts
            assert_adds_up(expense)

    @invariant()
    def nobody_who_left_owes_or_is_owed(self) -> None:
        state = self.ledger.group
        assert sum(state.balances.values()) == 0
        assert set(state.balances) == set(self.book.active())
        assert {user_id for row in rows(state.debts) for user_id in row[:2]} <= set(self.book.active())

    @invariant()
    def debts_say_what_balances_say(self) -> None:
        state = self.ledger.group
        balances = dict.fromkeys(state.balances, 0)
        for debtor, creditor, amount in rows(state.debts):
            assert amount > 0
            assert debtor != creditor
            assert debtor not in state.debts.get(creditor, {})
            balances[debtor] -= amount
            balances[creditor] += amount
        assert balances == state.balances

    @invariant()
    def the_plan_settles_everything(self) -> None:
        balances, book = Counter[str](), self.book
        unit_of = {user_id: book.people[user_id].unit or user_id for user_id in book.active()}
        for user_id, amount in self.ledger.group.balances.items():
            balances[unit_of[user_id]] += amount
        for row in plan_of(self.ledger.group).transfers:
            assert row.amount > 0
            balances[unit_of[row.from_id]] += row.amount
            balances[unit_of[row.to_id]] -= row.amount
        assert set(balances.values()) <= {0}

    @invariant()
    def a_snapshot_is_the_state(self) -> None:
        assert state_from_json(state_to_json(self.ledger.group)) == self.ledger.group

    @invariant()
    def every_debt_is_explained(self) -> None:
        self.trace.feed(self.ledger.events[self.trace.state.seq if self.trace.state else 0 :])
        explained = self.trace.debts()
        assert [(row.debtor_id, row.creditor_id, row.amount) for row in explained] == [
            *rows(self.ledger.group.debts)
        ]
        assert all(sum(cause.amount for cause in row.causes) == row.amount for row in explained)

    def teardown(self) -> None:
        """The events alone make the same state, whatever was refused between them."""
        assert [recorded.seq for recorded in self.ledger.events] == list(range(1, self.ledger.seq + 1))
        assert folded(self.ledger.events) == self.ledger.group


def assert_adds_up(expense: Expense) -> None:
    """Paid and borne to the last paisa, nothing negative."""
    for legs in (expense.payers, expense.shares):
        assert sum(posting.amount for posting in legs) == expense.amount
        assert min(posting.amount for posting in legs) >= 0
        assert len({posting.user_id for posting in legs}) == len(legs)


TestGroup = GroupMachine.TestCase
TestGroup.settings = settings(PROPERTY, max_examples=25, stateful_step_count=50)
