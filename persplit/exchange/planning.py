"""What an import would do: who is who, what becomes of each row, and the events that it comes to. Pure.

An import is ordinary commands, decided one after the other, each making one event: adding placeholders, creating
expenses, recording and confirming payments. So every expense has its own history, and whoever reads a ledger needs to
know nothing of imports. The importer is behind every event that is recorded.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from uuid import UUID

from persplit.exchange import rows
from persplit.exchange.book import Book, Entry, Format, Kind, Person, Total
from persplit.exchange.history import Histories, thing_key
from persplit.exchange.identity import Known, content_in, derived_id, import_id_of, import_prefix
from persplit.exchange.matching import Match, MatchKind, matched
from persplit.exchange.replaying import Replay, Step
from persplit.exchange.rows import Row, Status
from persplit.ledger.commands import AddMember, ConfirmSettlement, CreateExpense, CreateSettlement
from persplit.ledger.errors import FieldError, Forbidden, Invalid, LedgerError
from persplit.ledger.expense import ExpenseDraft, Posting, SplitType, SplitValue
from persplit.ledger.group import NAME_LENGTH_MAX
from persplit.ledger.settlement import NOTE_LENGTH_MAX
from persplit.ledger.state import GroupState

PAYERS_MAX: Final = 32
"""Of an expense that several share: each of them owes each payer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the importer asks for.

    Args:
        actor_id: the importer, an admin of the group.
        now: RFC 3339 UTC.
        members: key or name in the file → user id of a member, or None for a new placeholder.
        skip: rows to leave out.

    """

    actor_id: str
    now: str
    members: Mapping[str, str | None]
    skip: Set[int]


@dataclass(frozen=True, slots=True)
class Group:
    """What an import has to know of the group.

    Args:
        state: as it is now.
        names: user id → name, of the active members.
        known: key of an entry → what it is called here, and whether it is there.
        accounts: ids of the file that are somebody's account on this server.

    """

    state: GroupState
    names: Mapping[str, str]
    known: Mapping[str, Known]
    accounts: Set[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what is booked isn't what the file says that somebody is owed. Minor units."""

    row: int
    person: Person
    currency: str
    stated: Fraction
    booked: int
    is_stated: bool

    def __str__(self) -> str:
        return (
            f"the rows come to {self.booked} {self.currency} minor units for {self.person.name}, "
            f"the file says {float(self.stated):g}"
        )


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What would happen. `state` is the group after it, `refusals` why it can't."""

    import_id: str
    format: Format
    people: Sequence[Match]
    rows: Sequence[Row]
    differences: Sequence[Difference]
    remarks: Sequence[str]
    steps: Sequence[Step]
    state: GroupState
    refusals: Sequence[FieldError]


def keys_of(book: Book) -> list[str]:
    """The keys of all expenses and payments of the book."""
    if book.format is not Format.PERSPLIT:
        return list(dict.fromkeys(entry.key for entry in book.entries))
    return list(dict.fromkeys(key for event in book.history if (key := thing_key(event)) is not None))


def id_of(book: Book, group_id: str, key: str, generation: int) -> str:
    """What an entry is called in the group, where it was undone so many times. Our own keep their ids at first."""
    if book.format is Format.PERSPLIT and generation == 0 and is_uuid(key):
        return key
    return derived_id(group_id, book.format.value, key, generation)


def is_uuid(text: str) -> bool:
    """Whether it is a UUID as we write it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def plan_import(book: Book, group: Group, wish: Wish) -> ImportPlan:
    """What importing the book would do to the group.

    Raises:
        LedgerError: the importer may not, or there is no room for the people.

    """
    if not group.state.is_admin(wish.actor_id):
        raise Forbidden("only an admin of the group can import into it")
    _check_told(book, group, wish)
    return _Planning(book, group, wish).planned()


def _check_told(book: Book, group: Group, wish: Wish) -> None:
    named = {person.key for person in book.people} | {person.name for person in book.people}
    errors = [
        FieldError(f"members.{name}", message)
        for name, user_id in wish.members.items()
        for message, is_wrong in (
            ("nobody in the file has this name", name not in named),
            ("not a member of the group", user_id is not None and user_id not in group.names),
        )
        if is_wrong
    ]
    if errors:
        raise Invalid(*errors)


class _Planning:
    def __init__(self, book: Book, group: Group, wish: Wish) -> None:
        self._book = book
        self._group = group
        self._wish = wish
        self._replay = Replay(group.state, wish.actor_id, wish.now)
        self._import_id = import_id_of(known.id for known in group.known.values())
        self._people = matched(book.people, group.names, wish.members)
        self._users: dict[str, str] = {}
        self._made: list[str] = []

    def planned(self) -> ImportPlan:
        self._people = [self._placed(match) for match in self._people]
        self._users.update({alias: self._users[key] for alias, key in self._book.aliases.items()})
        told = [rows.of_unread(one, self._unread(one.row)) for one in self._book.refused]
        told += [rows.of_unread(one, Status.IGNORED) for one in self._book.ignored]
        told += [self._take(entry) for entry in self._book.entries]
        if self._book.format is Format.PERSPLIT:
            told += self._history().take_all(self._book, self._wish.skip)
        told.sort(key=lambda row: row.row)
        differences = self._differences(told)
        # Who was imported before may be called otherwise by now: with no row to import, nobody is added again.
        is_news = any(row.status is Status.NEW for row in told)
        return ImportPlan(
            import_id=self._import_id,
            format=self._book.format,
            people=self._people,
            rows=told,
            differences=differences,
            remarks=self._book.remarks,
            steps=self._replay.steps if is_news else (),
            state=self._replay.state if is_news else self._group.state,
            refusals=[*_of_people(self._people), *_of_rows(told), *self._of_totals(differences)],
        )

    # --- people

    def _placed(self, match: Match) -> Match:
        """Somebody of the file with their id in the group; who is new is added."""
        user_id = match.user_id or self._new_member(match.person)
        self._users[match.person.key] = user_id
        return match if match.kind is MatchKind.AMBIGUOUS else Match(match.person, match.kind, user_id)

    def _new_member(self, person: Person) -> str:
        user_id = self._free_id(person)
        name = person.name[:NAME_LENGTH_MAX].strip() or "?"
        prefix = import_prefix(self._import_id, "member")
        self._replay.do(AddMember(user_id, name, placeholder=True), prefix)
        self._made.append(user_id)
        return user_id

    def _free_id(self, person: Person) -> str:
        members = self._replay.state.members
        is_ours = self._book.format is Format.PERSPLIT and is_uuid(person.key)
        if is_ours and person.key not in members and person.key not in self._group.accounts:
            return person.key
        generation = 0
        while (id_ := derived_id(self._group.state.group_id, "member", person.key, generation)) in members:
            generation += 1
        return id_

    # --- rows

    def _unread(self, row: int) -> Status:
        return Status.SKIPPED if row in self._wish.skip else Status.REFUSED

    def _take(self, entry: Entry) -> Row:
        """Decide what the entry comes to."""
        known = self._group.known[entry.key]
        currency = self._group.state.settings.currency
        if entry.row in self._wish.skip:
            return rows.of_entry(entry, Status.SKIPPED)
        if entry.currency not in (None, currency):
            return rows.of_entry(
                entry, Status.REFUSED, f"it is in {entry.currency}, the group is in {currency}"
            )
        if entry.kind is Kind.PAYMENT and len(self._merged([*entry.payers, *entry.shares])) == 1:
            return rows.of_entry(entry, Status.IGNORED, "the two are one person here")
        if known.last is not None:
            before = content_in(known.last)
            if before is not None and before != entry.content[: len(before)]:
                changed = "it was imported before, and has changed in the file since"
                return rows.of_entry(entry, Status.REFUSED, changed)
            return rows.of_entry(entry, Status.PRESENT)
        try:
            self._do(entry, known.id)
        except LedgerError as error:
            return rows.of_entry(entry, Status.REFUSED, error.detail)
        return rows.of_entry(entry, Status.NEW)

    def _do(self, entry: Entry, id_: str) -> None:
        prefix = import_prefix(self._import_id, entry.content)
        if entry.kind is not Kind.PAYMENT:
            self._replay.do(CreateExpense(id_, self._draft(entry)), prefix)
            return
        from_id, to_id = self._users[entry.payers[0].user_id], self._users[entry.shares[0].user_id]
        self._replay.do(CreateSettlement(id_, to_id, entry.amount, from_id, _note(entry)), prefix)
        self._replay.do(ConfirmSettlement(id_), prefix, by=to_id)

    def _draft(self, entry: Entry) -> ExpenseDraft:
        if len(entry.payers) > PAYERS_MAX and len(entry.shares) > 1:
            raise Invalid(
                FieldError("paidBy", f"an expense that several share has at most {PAYERS_MAX} payers")
            )
        merged = self._merged(entry.shares)
        is_whole = len(merged) == len(
            entry.shares
        )  # else two of the file are one here: only the sums stay true
        splits = entry.splits if is_whole else [SplitValue(p.user_id, p.amount) for p in merged]
        return ExpenseDraft(
            description=entry.description,
            amount=entry.amount,
            split_type=entry.split_type if is_whole else SplitType.EXACT,
            payers=self._merged(entry.payers),
            participants=tuple(posting.user_id for posting in merged),
            splits=tuple(
                SplitValue(self._users[s.user_id] if is_whole else s.user_id, s.value) for s in splits
            ),
            date=entry.date,
            category=entry.category,
            notes=entry.notes,
        )

    def _merged(self, postings: Sequence[Posting]) -> tuple[Posting, ...]:
        """By user id, those of one person together."""
        amounts: dict[str, int] = {}
        for posting in postings:
            user_id = self._users[posting.user_id]
            amounts[user_id] = amounts.get(user_id, 0) + posting.amount
        return tuple(Posting(user_id, amount) for user_id, amount in amounts.items())

    def _history(self) -> Histories:
        return Histories(
            self._replay, self._import_id, self._users, self._made, self._group.known, self._book.currency
        )

    # --- totals

    def _differences(self, told: Sequence[Row]) -> list[Difference]:
        if self._book.format is Format.PERSPLIT:
            return self._own_differences(told)
        return [
            difference
            for total in self._book.totals
            if total.row not in self._wish.skip
            for difference in self._of_total(total)
        ]

    def _of_total(self, total: Total) -> list[Difference]:
        """Where the entries in one currency, left out or not, come to something else. A fraction of a unit is none."""
        booked: dict[str, int] = {}
        for entry in self._book.entries:
            if entry.currency == total.currency:
                for person, amount in entry.net().items():
                    booked[person] = booked.get(person, 0) + amount
        currency = total.currency or self._group.state.settings.currency
        return [
            Difference(
                total.row, person, currency, stated, booked.get(person.key, 0), is_stated=total.row > 0
            )
            for person in self._book.people
            if abs((stated := total.amounts.get(person.key, Fraction(0))) - booked.get(person.key, 0)) >= 1
        ]

    def _own_differences(self, told: Sequence[Row]) -> list[Difference]:
        """Where our own file's balances aren't what its events come to, if all of them are carried out."""
        if any(row.status is not Status.NEW for row in told):
            return []
        before, after = self._group.state.balances, self._replay.state.balances
        wanted: dict[str, Fraction] = {}
        people: dict[str, Person] = {}
        for person in self._book.people:
            user_id = self._replay.state.canonical(self._users[person.key])
            stated = self._book.totals[0].amounts.get(person.key, Fraction(0))
            wanted[user_id] = wanted.get(user_id, Fraction(0)) + stated
            people[user_id] = person
        currency = self._book.currency or ""
        found = []
        for user_id, stated in wanted.items():
            booked = after.get(user_id, 0) - before.get(user_id, 0)
            if booked != stated:
                found.append(Difference(0, people[user_id], currency, stated, booked, is_stated=True))
        return found

    def _of_totals(self, differences: Sequence[Difference]) -> list[FieldError]:
        return [
            FieldError(f"rows.{difference.row}" if difference.row else "file", str(difference))
            for difference in differences
            if difference.is_stated
        ]


def _note(entry: Entry) -> str:
    """A payment has no date of its own: its note has it."""
    return f"{entry.date} {entry.description}"[:NOTE_LENGTH_MAX]


def _of_people(people: Sequence[Match]) -> list[FieldError]:
    return [
        FieldError(f"members.{match.person.key}", "more than one could be meant: say who it is")
        for match in people
        if match.kind is MatchKind.AMBIGUOUS
    ]


def _of_rows(told: Sequence[Row]) -> list[FieldError]:
    return [
        FieldError(f"rows.{row.row}", row.reason or "refused") for row in told if row.status is Status.REFUSED
    ]
