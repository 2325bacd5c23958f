"""Backups: one format for every store, so that what one kind of store gave can be restored into another.

A backup is lines of JSON, gzipped: a header; every group with its events up to the head that it had when it was
its turn; the documents; a trailer with counts and the SHA-256 of all lines before. Each group is a prefix of its
ledger, and documents are read after the ledgers, so whoever is in a group has their account in the backup. The files
of attachments come last.

Not in it: sessions and personal tokens (restored, they would bring back what was spent, ended or taken back since:
everybody signs in again, and makes new ones), snapshots (made anew), and the epoch (a restored store has another one).
"""

import base64
import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final, TypeAlias

import orjson

from persplit.ledger import codec
from persplit.ledger.codec import event_from_json
from persplit.ledger.events import RecordedEvent
from persplit.service.check import Finding, GroupCheck, Severity, Tally, check_store
from persplit.service.epochs import Epochs
from persplit.service.handler import rfc3339
from persplit.service.migrations import Migrations, is_empty
from persplit.service.ports import Clock, Document, DuplicateKey, StoredEvent, Stores
from persplit.service.users import read_credentials
from persplit.service.walking import PAGE, file_ids, group_ids, scanned
from persplit.service.wholeness import RESTORING

FORMAT: Final = 2
"""Of 2 there may be attachments in it; 1 is read as well."""
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
"""An event is a few kilobytes, an attachment in base64 13 MiB; beyond this the file isn't one of ours."""
COMPRESSION: Final = 6
ATTEMPTS_MAX: Final = 5
"""Times that a backup is begun anew because a group was erased under its hands."""
COLLECTIONS: Final = (
    *("users", "invites", "group_passwords", "erasures"),
    *("attachments", "admins", "suspensions", "audit"),
    *("rates", "schedules"),
    *("read_marks", "channels", "deliveries"),
)
FAULTS_MAX: Final = 100
"""Faults of a file that are told."""

Told: TypeAlias = Callable[[Tally], None]
"""Hears how far the work has come, many times."""


class BadBackup(Exception):
    """The file is no whole backup that this release can read. Nothing was written."""


class NotEmpty(Exception):
    """There is something in the store, so nothing is restored into it."""


class DamagedStore(Exception):
    """What was backed up, or restored, isn't sound: see `findings`."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} faults")
        self.findings = tuple(findings)


class _Erased(Exception):
    """A group was erased while it was being backed up."""


@dataclass(frozen=True, slots=True)
class Header:
    """`schema` is the version of the data, `events` that of the events' shape."""

    format: int
    schema: int
    events: int
    made_at: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    """The group that the events after it are of; `head` is how many there are."""

    group_id: str
    head: int


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event as it was stored; None if that wasn't readable."""

    body: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document of a collection."""

    collection: str
    document: Document


@dataclass(frozen=True, slots=True)
class FileLine:
    """The content of an attachment, by its hash."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class End:
    """All that was before is whole; `digest` is the SHA-256 of it."""

    digest: str


Line: TypeAlias = Header | GroupLine | EventLine | DocumentLine | FileLine | End


# --- writing


class _Writer:
    """Writes lines, and counts and hashes them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION, mtime=0, filename="")
        self._hash = hashlib.sha256()
        self.counts: Counter[str] = Counter()

    def line(self, kind: str, content: dict[str, Any]) -> None:
        """Write one."""
        encoded = orjson.dumps({"kind": kind, **content}) + b"\n"
        self._hash.update(encoded)
        self.counts[kind] += 1
        self._gzip.write(encoded)

    def close(self) -> None:
        """Write the trailer and finish."""
        trailer = {"kind": "end", "counts": dict(self.counts), "sha256": self._hash.hexdigest()}
        self._gzip.write(orjson.dumps(trailer) + b"\n")
        self._gzip.close()


async def write_backup(stores: Stores, open_file: Callable[[], IO[bytes]], clock: Clock, told: Told) -> Tally:
    """Write a backup of the store, which may be in use; returns what is in it.

    `open_file` gives an empty file to write to, each time that it is asked.

    Raises:
        StoreUnavailable: the store doesn't answer.
        OSError: the file can't be written.

    """
    for _ in range(ATTEMPTS_MAX):
        try:
            with open_file() as file:
                return await _write(stores, file, clock, told)
        except _Erased:
            continue
    raise NotEmpty("groups are being erased: try again when that is done")


async def _write(stores: Stores, file: IO[bytes], clock: Clock, told: Told) -> Tally:
    writer, tally = _Writer(file), Tally()
    written: set[str] = set()
    schema = await Migrations(stores, clock).version()
    header = {"format": FORMAT, "schema": schema, "events": codec.VERSION, "madeAt": rfc3339(clock())}
    writer.line("header", header)
    async for group_id in group_ids(stores.events):
        tally.events += await _write_group(stores, group_id, writer)
        tally.groups += 1
        written.add(group_id)
        told(tally)
    for name in COLLECTIONS:
        async for document in scanned(stores.collections()[name]):
            if name == "erasures" and document.id in written:
                raise _Erased
            content = {
                "id": document.id,
                "version": document.version,
                "keys": document.keys,
                "body": document.body,
            }
            writer.line("document", {"collection": name, **content})
            tally.documents += 1
    async for id_ in file_ids(stores.files):
        body = await stores.files.get(id_)
        if body is not None:  # it isn't being collected just now
            writer.line("file", {"id": id_, "body": base64.b64encode(body).decode()})
    told(tally)
    writer.close()
    return tally


async def _write_group(stores: Stores, group_id: str, writer: _Writer) -> int:
    head = (await stores.events.heads([group_id])).get(group_id, 0)
    if head == 0:
        return 0
    writer.line("group", {"id": group_id, "head": head})
    after = 0
    while after < head:
        page = await stores.events.stored(group_id, after, min(PAGE, head - after))
        if not page:
            if group_id in await stores.events.heads([group_id]):
                break  # a hole at the end: the check of the file says so
            raise _Erased
        for stored in page:
            writer.line("event", {"event": stored.body})
        after = page[-1].seq
    return head


# --- reading


def read_backup(file: IO[bytes]) -> Iterator[Line]:
    """What is in the file. Once `End` has come, the hash and the counts have been checked.

    Raises:
        BadBackup: the file isn't a backup, isn't whole, or a newer release made it.

    """
    hashed, counts = hashlib.sha256(), Counter[str]()
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as lines:
            while encoded := lines.readline(LINE_BYTES_MAX):
                content = orjson.loads(encoded)
                kind = content["kind"]
                if kind == "end":
                    _check_end(content, hashed.hexdigest(), counts, lines.read(1))
                    yield End(content["sha256"])
                    return
                if (kind == "header") != (not counts):
                    raise BadBackup("the file doesn't begin with its one header")
                hashed.update(encoded)
                counts[kind] += 1
                yield _READ[kind](content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadBackup(f"the file is cut off, or was altered: {error}") from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadBackup(f"the file is no backup of PerSplit's: {type(error).__name__}") from None
    raise BadBackup("the file is cut off: its last line is missing")


def _check_end(trailer: dict[str, Any], digest: str, counts: Counter[str], rest: bytes) -> None:
    if rest or trailer["sha256"] != digest or trailer["counts"] != dict(counts):
        raise BadBackup("the file was altered: what is in it isn't what its last line says")


def _read_header(content: dict[str, Any]) -> Header:
    header = Header(content["format"], content["schema"], content["events"], content["madeAt"])
    if header.format > FORMAT or header.events > codec.VERSION:
        raise BadBackup("a newer release made this backup: restore it with that one")
    return header


def _read_document(content: dict[str, Any]) -> DocumentLine:
    document = Document(content["id"], content["body"], content["keys"], content["version"])
    return DocumentLine(content["collection"], document)


def _read_file(content: dict[str, Any]) -> FileLine:
    return FileLine(content["id"], base64.b64decode(content["body"], validate=True))


_READ: Final[Mapping[str, Callable[[dict[str, Any]], Line]]] = {
    "header": _read_header,
    "group": lambda content: GroupLine(content["id"], content["head"]),
    "event": lambda content: EventLine(content["event"]),
    "document": _read_document,
    "file": _read_file,
}


class _FileCheck:
    """Checks what a backup holds by the rules that are for a store."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.header: Header | None = None
        self.digest = ""
        self._group: GroupCheck | None = None
        self._head = 0

    def take(self, line: Line) -> Iterator[Finding]:
        """What is wrong with the next line."""
        if isinstance(line, EventLine):
            yield from self._event(line.body)
            return
        yield from self._group_ended()
        match line:
            case Header():
                self.header = line
            case GroupLine(group_id=group_id, head=head):
                self._group, self._head = GroupCheck(group_id), head
                self.tally.groups += 1
            case DocumentLine(collection=collection, document=document):
                self.tally.documents += 1
                yield from _document_faults(collection, document)
            case FileLine(id=id_, body=body) if hashlib.sha256(body).hexdigest() != id_:
                yield Finding("attachment_damaged", "attachments", "the file isn't what was uploaded", id=id_)
            case End(digest=digest):
                self.digest = digest

    def _event(self, body: dict[str, Any] | None) -> Iterator[Finding]:
        if self._group is None:
            raise BadBackup("the file has an event of no group")
        self.tally.events += 1
        seq = self._group.seq + 1 if body is None else body.get("seq")
        yield from self._group.take(StoredEvent(seq, body, {}))

    def _group_ended(self) -> Iterator[Finding]:
        group, self._group = self._group, None
        if group is not None:
            yield from group.end()
            if group.seq != self._head:
                yield Finding("seq_hole", group.group_id, f"events end at {group.seq}, not at {self._head}")


def _document_faults(collection: str, document: Document) -> Iterator[Finding]:
    if collection not in COLLECTIONS:
        raise BadBackup(f"a newer release made this backup: {collection!r} is not known here")
    try:
        if collection == "users":
            read_credentials(document)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        yield Finding("undecodable", collection, f"it can't be read: {type(error).__name__}", id=document.id)


def checked(file: IO[bytes]) -> tuple[Header, str, Tally]:
    """The header and the digest of a whole and sound backup, and what is in it. Reads all of the file.

    Raises:
        BadBackup: the file isn't a backup, isn't whole, or a newer release made it.
        DamagedStore: it is whole, but the store that it was made of was damaged.

    """
    checking = _FileCheck()
    faults = [fault for line in read_backup(file) for fault in checking.take(line)][:FAULTS_MAX]
    if faults:
        raise DamagedStore(faults)
    assert checking.header is not None, "a whole backup has a header"  # noqa: S101 - read_backup sees to it
    return checking.header, checking.digest, checking.tally


# --- restoring


async def restore(stores: Stores, open_file: Callable[[], IO[bytes]], clock: Clock, told: Told) -> Tally:
    """Put a backup into an empty store. Where it breaks off, no server starts on the store until it is done again.

    Raises:
        BadBackup: nothing was written.
        NotEmpty: nothing was written.
        DamagedStore: what was backed up wasn't sound and nothing was written; or what was written isn't.
        StoreUnavailable: it broke off; restore the same file again.

    """
    # 1 look at all of the file before anything is written
    with open_file() as file:
        header, digest, whole = checked(file)
    migrations = Migrations(stores, clock)
    if header.schema > migrations.newest:
        raise BadBackup("a newer release made this backup: restore it with that one")
    # 2 an empty store, or one that this very file was being restored into
    await _claim(stores, digest)
    # 3 everything, in an order in which it doesn't matter how often it is begun
    await migrations.begin_at(header.schema)
    with open_file() as file:
        await _Restoring(stores, told, clock()).put_all(read_backup(file))
    await migrations.run()
    # 4 is it what it was
    tally = Tally()
    findings = [f async for f in check_store(stores, tally) if f.severity is Severity.FAULT]
    if findings or (tally.groups, tally.events) != (whole.groups, whole.events):
        raise DamagedStore(findings)
    # 5 whoever knew the store before begins anew; now it may be served
    epochs = Epochs(stores.meta)
    await epochs.open()
    await epochs.renew()
    await stores.meta.delete(RESTORING)
    return whole


async def _claim(stores: Stores, digest: str) -> None:
    begun = (await stores.meta.get([RESTORING])).get(RESTORING)
    if begun is None:
        if not await is_empty(stores):
            raise NotEmpty("the store isn't empty: a backup is only restored into an empty one")
        with suppress(DuplicateKey):
            await stores.meta.insert(Document(RESTORING, {"sha256": digest}))
    elif begun.body["sha256"] != digest:
        raise NotEmpty(
            "another backup was being restored here: finish that one, or begin with an empty store"
        )


class _Restoring:
    """Puts lines into a store, many at a time."""

    def __init__(self, stores: Stores, told: Told, now: datetime) -> None:
        self._stores = stores
        self._now = now
        self._told = told
        self._tally = Tally()
        self._events: list[RecordedEvent] = []
        self._documents: list[Document] = []
        self._collection = ""

    async def put_all(self, lines: Iterable[Line]) -> None:
        """Put them all."""
        for line in lines:
            match line:
                case FileLine(id=id_, body=body_of_file):
                    await self._stores.files.put(id_, body_of_file, self._now)
                case EventLine(body=body) if body is not None:
                    self._events.append(event_from_json(body))
                    self._tally.events += 1
                case GroupLine():
                    self._tally.groups += 1
                case DocumentLine(collection=collection, document=document):
                    if collection != self._collection:
                        await self._flush()
                        self._collection = collection
                    self._documents.append(document)
                    self._tally.documents += 1
                case _:
                    pass
            if len(self._events) + len(self._documents) >= PAGE:
                await self._flush()
        await self._flush()

    async def _flush(self) -> None:
        events, self._events = self._events, []
        documents, self._documents = self._documents, []
        if events:
            await self._stores.events.put(events)
        if documents:
            await self._stores.collections()[self._collection].put(documents)
            if self._collection == "erasures":
                for note in documents:
                    await self._stores.events.erase(note.id)
        self._told(self._tally)
