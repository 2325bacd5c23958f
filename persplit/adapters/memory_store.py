"""Both stores in memory: for tests and simulations. They keep the contract, and nothing after the process."""

import copy
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from persplit.adapters.recording import bounded, hole_before, recognise, record_of
from persplit.ledger.codec import event_to_document
from persplit.ledger.events import DEPARTED, Noun, RecordedEvent, is_creation, subject_of
from persplit.service.ports import (
    Document,
    Documents,
    DuplicateKey,
    EventStore,
    Files,
    GroupErased,
    NewEvent,
    SeqTaken,
    Snapshot,
    StoredEvent,
    VersionChanged,
    fields_of,
)


@dataclass(slots=True)
class _Ledger:
    """One group's events: the one with seq n is at n - 1."""

    events: list[RecordedEvent] = field(default_factory=list)
    by_command: dict[str, RecordedEvent] = field(default_factory=dict)
    latest: dict[tuple[Noun, str], RecordedEvent] = field(default_factory=dict)
    snapshots: dict[int, Snapshot] = field(default_factory=dict)


class MemoryEvents(EventStore):
    """Every group's ledger in lists. No method awaits, so each is atomic on its event loop."""

    def __init__(self) -> None:
        self._ledgers: dict[str, _Ledger] = {}
        self._erased: set[str] = set()

    async def append(self, new: NewEvent) -> RecordedEvent:
        """See the port."""
        self._refuse_erased(new.group_id)
        recorded = record_of(new)
        ledger = self._ledgers.setdefault(new.group_id, _Ledger())
        if known := ledger.by_command.get(new.command_id):
            return recognise(known, recorded)
        if new.seq <= len(ledger.events):
            raise SeqTaken
        if new.seq > len(ledger.events) + 1:
            raise hole_before(new)
        _add(ledger, recorded)
        return recorded

    async def append_all(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """See the port."""
        ledger = self._ledger(events[0].group_id)
        self._refuse_erased(events[0].group_id)
        first = events[0]
        if first.seq > len(ledger.events) + 1:
            raise hole_before(first)
        if first.seq <= len(ledger.events) or any(new.command_id in ledger.by_command for new in events):
            raise SeqTaken
        recorded = [record_of(new) for new in events]
        for one in recorded:
            _add(self._ledgers.setdefault(one.group_id, _Ledger()), one)
        return recorded

    async def read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        self._refuse_erased(group_id)
        start = max(0, after)
        return self._events(group_id)[start : start + bounded(limit)]

    async def read_creations(
        self, group_id: str, noun: Noun, before: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        newest_first = reversed(self._events(group_id)[: max(0, before - 1)])
        found = [r for r in newest_first if is_creation(r.event) and subject_of(r.event)[0] is noun]
        return found[: bounded(limit)]

    async def find_command(self, group_id: str, command_id: str) -> RecordedEvent | None:
        """See the port."""
        return self._ledger(group_id).by_command.get(command_id)

    async def of_commands(
        self, group_id: str, prefix: str, after: str, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        by_command = self._ledger(group_id).by_command
        found = sorted(id_ for id_ in by_command if id_.startswith(prefix) and id_ > after)
        return [by_command[id_] for id_ in found[: bounded(limit)]]

    async def latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """See the port."""
        latest = self._ledger(group_id).latest
        return {id_: latest[noun, id_] for id_ in ids if (noun, id_) in latest}

    async def about(self, group_id: str, noun: Noun, subject_id: str, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        found = [r for r in self._events(group_id) if subject_of(r.event) == (noun, subject_id)]
        return found[: bounded(limit)]

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""
        return {id_: head for id_ in group_ids if (head := len(self._events(id_)))}

    async def seq_at(self, group_id: str, at: str) -> int:
        """See the port."""
        return bisect_right(self._events(group_id), at, key=lambda recorded: recorded.at)

    async def groups_of(self, user_id: str) -> Sequence[str]:
        """See the port."""
        return sorted(id_ for id_, ledger in self._ledgers.items() if _is_member(ledger, user_id))

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See the port."""
        if snapshot.group_id not in self._erased:
            self._ledgers.setdefault(snapshot.group_id, _Ledger()).snapshots[snapshot.seq] = snapshot

    async def load_snapshot(self, group_id: str, version: int, up_to: int) -> Snapshot | None:
        """See the port."""
        snapshots = self._ledger(group_id).snapshots.values()
        readable = (s for s in snapshots if s.version == version and s.seq <= up_to)
        return max(readable, key=lambda snapshot: snapshot.seq, default=None)

    async def groups(self, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        found = sorted(id_ for id_, ledger in self._ledgers.items() if ledger.events and id_ > after)
        return found[: bounded(limit)]

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        """See the port."""
        events = self._events(group_id)[max(0, after) :][: bounded(limit)]
        return [StoredEvent(r.seq, event_to_document(r), fields_of(r)) for r in events]

    async def snapshots(self, group_id: str, after: int, limit: int) -> Sequence[Snapshot]:
        """See the port."""
        kept = self._ledger(group_id).snapshots
        return [kept[seq] for seq in sorted(kept) if seq > after][: bounded(limit)]

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        """See the port."""
        for recorded in events:
            ledger = self._ledgers.setdefault(recorded.group_id, _Ledger())
            if recorded.seq > len(ledger.events) and recorded.command_id not in ledger.by_command:
                _add(ledger, recorded)

    async def erase(self, group_id: str) -> None:
        """See the port."""
        self._erased.add(group_id)
        self._ledgers.pop(group_id, None)

    async def ping(self) -> None:
        """See the port."""

    def _refuse_erased(self, group_id: str) -> None:
        if group_id in self._erased:
            raise GroupErased

    def _ledger(self, group_id: str) -> _Ledger:
        return self._ledgers.get(group_id) or _Ledger()

    def _events(self, group_id: str) -> list[RecordedEvent]:
        return self._ledger(group_id).events


def _add(ledger: _Ledger, recorded: RecordedEvent) -> None:
    ledger.events.append(recorded)
    ledger.by_command[recorded.command_id] = recorded
    ledger.latest[subject_of(recorded.event)] = recorded


def _is_member(ledger: _Ledger, user_id: str) -> bool:
    last = ledger.latest.get((Noun.MEMBER, user_id))
    return last is not None and not isinstance(last.event, DEPARTED)


class MemoryFiles(Files):
    """Contents in a dict."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, datetime]] = {}

    async def put(self, id_: str, body: bytes, at: datetime) -> None:
        """See the port."""
        self._files[id_] = (body, at)

    async def get(self, id_: str) -> bytes | None:
        """See the port."""
        return self._files[id_][0] if id_ in self._files else None

    async def delete(self, id_: str, put_until: datetime) -> None:
        """See the port."""
        if id_ in self._files and self._files[id_][1] <= put_until:
            del self._files[id_]

    async def scan(self, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        return sorted(id_ for id_ in self._files if id_ > after)[:limit]

    async def tidy(self, begun_until: datetime) -> None:
        """See the port. Nothing is ever done in part."""


class MemoryDocuments(Documents):
    """One collection in a dict. Bodies are copied on the way in and out, as through a real store."""

    def __init__(self, unique_keys: Collection[str] = ()) -> None:
        self._unique_keys = frozenset(unique_keys)
        self._documents: dict[str, Document] = {}

    async def insert(self, document: Document) -> None:
        """See the port."""
        if document.id in self._documents:
            raise DuplicateKey
        self._refuse_taken_keys(document)
        self._documents[document.id] = replace(copy.deepcopy(document), version=1)

    async def replace(self, document: Document) -> Document:
        """See the port."""
        present = self._documents.get(document.id)
        if present is None or present.version != document.version:
            raise VersionChanged
        self._refuse_taken_keys(document)
        replaced = replace(document, version=document.version + 1)
        self._documents[document.id] = copy.deepcopy(replaced)
        return replaced

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        """See the port."""
        return {id_: copy.deepcopy(self._documents[id_]) for id_ in ids if id_ in self._documents}

    async def find(self, key: str, value: str, limit: int) -> Sequence[Document]:
        """See the port."""
        found = sorted(id_ for id_, document in self._documents.items() if document.keys.get(key) == value)
        return [copy.deepcopy(self._documents[id_]) for id_ in found[: bounded(limit)]]

    async def delete(self, id_: str) -> None:
        """See the port."""
        self._documents.pop(id_, None)

    async def count(self) -> int:
        """See the port."""
        return len(self._documents)

    async def scan(self, after: str, limit: int) -> Sequence[Document]:
        """See the port."""
        found = sorted(id_ for id_ in self._documents if id_ > after)
        return [copy.deepcopy(self._documents[id_]) for id_ in found[: bounded(limit)]]

    async def put(self, documents: Sequence[Document]) -> None:
        """See the port."""
        for document in documents:
            with suppress(DuplicateKey):
                self._refuse_taken_keys(document)
                self._documents.setdefault(document.id, copy.deepcopy(document))

    def _refuse_taken_keys(self, document: Document) -> None:
        for key in self._unique_keys & document.keys.keys():
            for other in self._documents.values():
                if other.id != document.id and other.keys.get(key) == document.keys[key]:
                    raise DuplicateKey
