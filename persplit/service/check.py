"""Looks for damage in a store, while servers may be writing to it: reads only, one group at a time.

A *fault* is something that the ledger's rules rule out: whoever finds one restores a backup, or asks for help. A
*warning* is something that heals by itself or does no harm: a damaged snapshot is passed over and made anew.

That an expense's postings sum to zero is what its payers and its shares, each summing to its amount, amount to.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import orjson

from persplit.ledger.codec import event_from_json, expense_to_json
from persplit.ledger.events import (
    ExpenseCreated,
    ExpenseUpdated,
    GroupCreated,
    LoanCreated,
    Noun,
    RecordedEvent,
    SettlementCreated,
    subject_of,
)
from persplit.ledger.expense import Expense
from persplit.ledger.snapshot import STATE_VERSION
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.ledger.units import balances_by_unit
from persplit.service import snapshots
from persplit.service.audit import read_entry
from persplit.service.channels import owned_of
from persplit.service.erasure import is_unfinished
from persplit.service.errors import StoreUnavailable
from persplit.service.notifier import Delivery
from persplit.service.personal_tokens import token_owner
from persplit.service.ports import Document, EventStore, Snapshot, StoredEvent, Stores, fields_of
from persplit.service.rates import check_rates
from persplit.service.recurring import check_schedule
from persplit.service.sessions import read_session
from persplit.service.subjects import thing_of
from persplit.service.users import email_key, read_credentials
from persplit.service.walking import PAGE, group_ids, scanned

REPEATS_MAX: Final = 20
"""Findings of one rule in one place that are told one by one: where a page is torn there may be thousands."""

_UNREADABLE: Final = (AttributeError, LookupError, TypeError, ValueError)
"""What decoding raises at something that isn't what it should be."""


class Severity(StrEnum):
    """How bad a finding is."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that isn't as it must be. `place` is a group's id, a collection's name or a file; `detail` is a sentence.

    `seq` or `id` says which event, snapshot or document, if one of them.
    """

    rule: str
    place: str
    detail: str
    seq: Any = None
    id: str | None = None
    severity: Severity = Severity.FAULT


@dataclass(slots=True)
class Tally:
    """How far a check has come."""

    groups: int = 0
    events: int = 0
    documents: int = 0
    faults: int = 0
    warnings: int = 0


class GroupCheck:
    """Checks one group's events, given in order of seq, and the snapshots that belong to where it stands.

    After a hole, or an event that can't be read, what follows is still checked event by event; the state that it
    would have led to isn't known any more.
    """

    def __init__(self, group_id: str) -> None:
        self.group_id = group_id
        self.seq = 0
        """That of the last event taken."""
        self._state: GroupState | None = None
        self._is_folding = True
        self._at = ""
        self._commands: set[str] = set()
        self._things: dict[str, bytes] = {}
        self._created: set[tuple[Noun, str]] = set()

    def take(self, stored: StoredEvent) -> Iterator[Finding]:
        """What is wrong with the next event."""
        yield from self._place(stored)
        try:
            recorded = event_from_json(stored.body or {})
            recorded_fields = fields_of(recorded)
        except _UNREADABLE as error:
            self._is_folding = False
            yield self._fault("undecodable", f"the event can't be read: {type(error).__name__}: {error}")
            return
        yield from self._fields(stored, recorded_fields)
        yield from self._order(recorded)
        yield from self._creations(recorded)
        yield from self._expenses(recorded)
        yield from self._fold(recorded)

    def _fault(self, rule: str, detail: str) -> Finding:
        return Finding(rule, self.group_id, detail, self.seq)

    def _place(self, stored: StoredEvent) -> Iterator[Finding]:
        seq, expected = stored.seq, self.seq + 1
        if not isinstance(seq, int) or seq < expected:
            self._is_folding = False
            yield Finding("seq_duplicate", self.group_id, f"there is an event {seq!r} after {self.seq}", seq)
            return
        self.seq = seq
        if seq > expected:
            self._is_folding = False
            missing = f"{expected}" if seq == expected + 1 else f"{expected} to {seq - 1}"
            yield self._fault("seq_hole", f"before event {seq} the ledger lacks {missing}")

    def _fields(self, stored: StoredEvent, expected: Any) -> Iterator[Finding]:
        wrong = sorted(name for name, value in stored.fields.items() if expected[name] != value)
        here = {"groupId": self.group_id, "seq": stored.seq}
        wrong += sorted(name for name, value in here.items() if name not in wrong and expected[name] != value)
        if wrong:
            yield self._fault(
                "lookup_fields", f"what it is looked up by isn't what it says: {', '.join(wrong)}"
            )

    def _order(self, recorded: RecordedEvent) -> Iterator[Finding]:
        if (self.seq == 1) != isinstance(recorded.event, GroupCreated):
            self._is_folding = False
            yield self._fault("first_event", "a group begins with group:created, and has it once")
        if recorded.command_id in self._commands:
            yield self._fault("command_duplicate", f"a second event of the command {recorded.command_id!r}")
        self._commands.add(recorded.command_id)
        if recorded.at < self._at:
            yield self._fault("time_back", f"recorded at {recorded.at}, after one of {self._at}")
        self._at = max(self._at, recorded.at)

    def _creations(self, recorded: RecordedEvent) -> Iterator[Finding]:
        """People may come again, expenses and payments may not: both would count, and one would be seen."""
        if not isinstance(recorded.event, ExpenseCreated | SettlementCreated | LoanCreated):
            return
        noun, id_ = subject_of(recorded.event)
        if (noun, id_) in self._created:
            yield self._fault("creation_duplicate", f"a second {noun} is created with the id {id_!r}")
        self._created.add((noun, id_))

    def _expenses(self, recorded: RecordedEvent) -> Iterator[Finding]:
        event = recorded.event
        expense = thing_of(event)
        if not isinstance(expense, Expense):
            return
        for rule, postings in (("shares_sum", expense.shares), ("payers_sum", expense.payers)):
            total = sum(posting.amount for posting in postings)
            if total != expense.amount:
                yield self._fault(rule, f"the expense is over {expense.amount}, they sum to {total}")
        known = self._things.get(expense.id)
        if isinstance(event, ExpenseUpdated) and known not in (None, _digest(event.before)):
            yield self._fault("before_differs", "the version before isn't the one that was recorded before")
        self._things[expense.id] = _digest(expense)

    def _fold(self, recorded: RecordedEvent) -> Iterator[Finding]:
        if not self._is_folding:
            return
        before = sum(self._state.balances.values()) if self._state else 0
        try:
            self._state = apply(self._state, recorded)
        except (*_UNREADABLE, AssertionError) as error:
            self._is_folding = False
            yield self._fault(
                "inapplicable", f"it doesn't fit what was before: {type(error).__name__}: {error}"
            )
            return
        after = sum(self._state.balances.values())
        if after not in (0, before):
            yield self._fault("balances_sum", f"from here on the balances sum to {after}, not to zero")

    def compare(self, snapshot: Snapshot) -> Iterator[Finding]:
        """What is wrong with a snapshot at the seq of the last event, or before it."""
        if snapshot.version != STATE_VERSION:
            return  # never read by this release
        at = replace(self._fault("snapshot_damaged", ""), seq=snapshot.seq)
        if not snapshots.is_intact(snapshot):
            detail = "the snapshot is damaged; it is passed over, and nothing is lost"
            yield replace(at, detail=detail, severity=Severity.WARNING)
            return
        state = snapshots.decode(snapshot)
        is_comparable = self._is_folding and snapshot.seq == self.seq
        if state is None or (is_comparable and state != self._state):
            yield replace(
                at, rule="snapshot_wrong", detail="the snapshot is whole, but not what the events make"
            )

    def end(self) -> Iterator[Finding]:
        """What is wrong with where the group stands now."""
        state = self._state
        if not self._is_folding or state is None or sum(state.balances.values()) != 0:
            return
        left = Counter(dict(balances_by_unit(state.balances, state.settles_as)))
        for row in plan_of(state).transfers:
            left[row.from_id] += row.amount
            left[row.to_id] -= row.amount
        if any(left.values()):
            yield self._fault("plan", "the settle-up plan doesn't bring everybody's unit to zero")


def _digest(expense: Expense) -> bytes:
    """Little to keep of each expense of a large group."""
    return hashlib.blake2b(orjson.dumps(expense_to_json(expense, "")), digest_size=8).digest()


async def check_group(store: EventStore, group_id: str, tally: Tally) -> AsyncIterator[Finding]:
    """What is wrong with one group, as it is now."""
    checking = GroupCheck(group_id)
    snapshot = await _snapshot_after(store, group_id, 0)
    while events := await store.stored(group_id, checking.seq, PAGE):
        reached = checking.seq
        for event in events:
            for finding in checking.take(event):
                yield finding
            tally.events += 1
            while snapshot is not None and snapshot.seq <= checking.seq:
                for finding in checking.compare(snapshot):
                    yield finding
                snapshot = await _snapshot_after(store, group_id, snapshot.seq)
        if checking.seq == reached:
            break  # nothing but events in no order: there is no way on from here
    if snapshot is not None and (await store.heads([group_id])).get(group_id, 0) <= checking.seq:
        yield Finding(
            "snapshot_ahead", group_id, "the snapshot is of events that the ledger lacks", snapshot.seq
        )
    for finding in checking.end():
        yield finding


async def _snapshot_after(store: EventStore, group_id: str, seq: int) -> Snapshot | None:
    found = await store.snapshots(group_id, seq, 1)
    return found[0] if found else None


# --- everything else


class DocumentCheck:
    """Checks the documents beside the ledger, one collection after the other."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def findings(self, tally: Tally) -> AsyncIterator[Finding]:
        """What is wrong with any of them."""
        looks: dict[str, Callable[[Document], Awaitable[Finding | None]]] = {
            "users": self._user,
            "sessions": self._session,
            "personal_tokens": self._personal_token,
            "invites": self._invite,
            "group_passwords": self._group_password,
            "erasures": self._erasure,
            "attachments": self._attachment,
            "admins": self._of_account,
            "suspensions": self._of_account,
            "audit": self._audit_entry,
            "rates": self._rates,
            "schedules": self._schedule,
            "read_marks": self._of_account,
            "channels": self._channels,
            "deliveries": self._delivery,
        }
        for name, look in looks.items():
            async for document in scanned(self._stores.collections()[name]):
                tally.documents += 1
                try:
                    finding = await look(document)
                except _UNREADABLE as error:
                    detail = f"it can't be read: {type(error).__name__}"
                    finding = Finding("undecodable", name, detail, id=document.id)
                if finding is not None:
                    yield replace(finding, place=name, id=document.id)

    async def _user(self, document: Document) -> Finding | None:
        user = read_credentials(document).user
        if user.email is None:
            return None  # a guest, found by id alone
        key = email_key(user.email)
        if document.keys.get("email") != key:
            return Finding("lookup_fields", "", "it isn't found by its e-mail address")
        found = [one.id for one in await self._stores.users.find("email", key, 2)]
        if document.id not in found:
            return Finding("lookup_fields", "", "it isn't found by its e-mail address")
        if len(found) > 1:
            return Finding("email_duplicate", "", "another account has the same e-mail address")
        return None

    async def _session(self, document: Document) -> Finding | None:
        user_id = read_session(document).user_id
        return None if await self._is_account(user_id) else _orphan("its account is gone")

    async def _personal_token(self, document: Document) -> Finding | None:
        return None if await self._is_account(token_owner(document)) else _orphan("its account is gone")

    async def _is_account(self, user_id: str) -> bool:
        try:
            return bool(await self._stores.users.get([user_id]))
        except _UNREADABLE:
            return True  # it is there, and told of by itself

    async def _invite(self, document: Document) -> Finding | None:
        group_id = document.body["groupId"]
        if document.keys.get("groupId") != group_id:
            return Finding("lookup_fields", "", "it isn't found by its group")
        return await self._of_group(group_id)

    async def _group_password(self, document: Document) -> Finding | None:
        document.body["hash"].encode()
        return await self._of_group(document.id)

    async def _of_group(self, group_id: str) -> Finding | None:
        return None if await self._stores.events.heads([group_id]) else _orphan("its group is gone")

    async def _attachment(self, document: Document) -> Finding | None:
        id_, group_id = document.body["hash"], document.body["groupId"]
        if document.keys != {key: document.body[key] for key in ("groupId", "userId", "hash")}:
            return Finding("lookup_fields", "", "it isn't found by its group, person or hash")
        body = await self._stores.files.get(id_)
        if body is not None and hashlib.sha256(body).hexdigest() == id_:
            return await self._of_group(group_id)
        if not await self._stores.attachments.get([document.id]):
            return None  # it was collected just now
        if body is None:
            return Finding("attachment_missing", "", "its file is gone")
        return Finding("attachment_damaged", "", "its file isn't what was uploaded")

    async def _of_account(self, document: Document) -> Finding | None:
        return None if await self._is_account(document.id) else _orphan("its account is gone")

    async def _audit_entry(self, document: Document) -> Finding | None:
        read_entry(document)
        return None

    async def _rates(self, document: Document) -> Finding | None:
        check_rates(document)
        return None

    async def _schedule(self, document: Document) -> Finding | None:
        check_schedule(document)
        return None

    async def _channels(self, document: Document) -> Finding | None:
        owned_of(document)
        kind, _, owner_id = document.id.partition(":")
        if kind == "g":
            return await self._of_group(owner_id)
        return None if await self._is_account(owner_id) else _orphan("its account is gone")

    async def _delivery(self, document: Document) -> Finding | None:
        Delivery.of(document)
        return None

    async def _erasure(self, document: Document) -> Finding | None:
        if not is_unfinished(document):
            return None
        detail = f"not finished: run `persplit erase --group {document.id}` again"
        return Finding("erasure_unfinished", "", detail, severity=Severity.WARNING)


def _orphan(detail: str) -> Finding:
    return Finding("orphan", "", detail, severity=Severity.WARNING)


async def check_store(
    stores: Stores, tally: Tally, moved: Callable[[], None] = lambda: None
) -> AsyncIterator[Finding]:
    """Everything that is wrong with a store; `tally` tells how far it has come, whenever it has `moved`.

    Raises:
        StoreUnavailable: the store doesn't answer: what was found so far isn't all.

    """
    told: Counter[tuple[str, str]] = Counter()
    async for finding in _all(stores, tally, moved):
        if finding.severity is Severity.FAULT:
            tally.faults += 1
        else:
            tally.warnings += 1
        told[finding.place, finding.rule] += 1
        if told[finding.place, finding.rule] <= REPEATS_MAX:
            yield finding


async def _all(stores: Stores, tally: Tally, moved: Callable[[], None]) -> AsyncIterator[Finding]:
    for fault in await stores.inspect():
        yield Finding("storage", stores.name, fault)
    try:
        async for group_id in group_ids(stores.events):
            async for finding in _readable(check_group(stores.events, group_id, tally), group_id):
                yield finding
            tally.groups += 1
            moved()
        async for finding in DocumentCheck(stores).findings(tally):
            yield finding
    except StoreUnavailable as error:
        yield _damage(stores.name, error)


async def _readable(findings: AsyncIterator[Finding], place: str) -> AsyncIterator[Finding]:
    """The findings, and that the place can't be read on where it can't."""
    try:
        async for finding in findings:
            yield finding
    except StoreUnavailable as error:
        yield _damage(place, error)


def _damage(place: str, error: StoreUnavailable) -> Finding:
    """That something can't be read. Raises the error again where that isn't because it is damaged."""
    if not error.is_damaged:
        raise error
    return Finding("storage", place, f"a part can't be read: {error.__cause__ or error.detail}")
