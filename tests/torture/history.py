"""What clients did and saw, as lines of JSON in a file of each client's own.

Times are nanoseconds of the machine's monotonic clock, which all of its processes share. A client writes the line
that says `ok` before it counts a success, and with `is_durable` has it on disk by then: what the file says was
acknowledged even if the client, too, was killed.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

import orjson

Json: TypeAlias = dict[str, Any]
Balances: TypeAlias = Mapping[str, int]
"""Who stands at which amount, in minor units; who is at zero is left out."""
Ledgers: TypeAlias = Mapping[str, list[Json]]
"""Each group's events, as the wire shows them."""

DIGEST_LENGTH: Final = 16
"""Hex digits: 64 bits tell any two things of one run apart."""


class Outcome(StrEnum):
    """How one attempt at a command ended for its client."""

    OK = "ok"
    REFUSED = "refused"
    """A coded answer that says: this is not done, and won't be."""
    UNKNOWN = "unknown"
    """No answer, or one that says: try again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a client sent a command. Retries have the `command_id` of the first.

    `asked` has the fields that the event must show, and `expectedSeq`. Of an `ok`: the `seq`, and in `thing` the
    digest of the expense or settlement that the answer held ("" where it held none).
    """

    number: int
    client: str
    session: str
    group_id: str
    command_id: str
    command: str
    actor: str
    asked: Json
    begun: int
    ended: int | None = None
    outcome: Outcome = Outcome.UNKNOWN
    seq: int = 0
    is_replayed: bool = False
    thing: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as it was read: its place, its command, its digest."""

    seq: int
    command_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Read:
    """An answer that shows the group up to `seq`.

    `events` are those after `after` (up to `after + len(events)`, which may be less than `seq`: a page); `balances`
    are those after `seq`; `things` the digests of all expenses and settlements, by id, where the answer had all.
    """

    client: str
    session: str
    group_id: str
    begun: int
    ended: int
    seq: int
    after: int = 0
    events: tuple[Seen, ...] | None = None
    balances: Balances | None = None
    things: Mapping[str, str] | None = None
    is_final: bool = False
    """The client's state after everything had ended and everybody had had time to hear it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A broadcast, in the order in which the session heard it."""

    client: str
    session: str
    user_id: str
    group_id: str
    at: int
    seq: int
    command_id: str
    name: str
    digest: str
    balances: Balances


@dataclass(frozen=True, slots=True)
class Ready:
    """A socket was opened and told where its groups stand: it hears whatever comes after."""

    client: str
    session: str
    user_id: str
    at: int
    seqs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quiet:
    """The session was still open at the end and had heard all that was to come."""

    session: str


@dataclass(frozen=True, slots=True)
class Killed:
    """All servers' processes were killed: nothing begun before can have an effect from here on."""

    at: int


Record: TypeAlias = Read | Heard | Ready | Quiet | Killed


@dataclass(slots=True)
class History:
    """All of a run, of all clients."""

    attempts: list[Attempt] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    ready: list[Ready] = field(default_factory=list)
    quiet: set[str] = field(default_factory=set)
    killed: list[int] = field(default_factory=list)

    def until(self, at: int) -> "History":
        """What was known at the instant: what hadn't ended by then is unknown, what hadn't begun isn't there."""
        attempts = [attempt for attempt in self.attempts if attempt.begun < at]
        return History(
            [a if a.ended is not None and a.ended < at else _open(a) for a in attempts],
            [read for read in self.reads if read.ended < at],
            [heard for heard in self.heard if heard.at < at],
            [ready for ready in self.ready if ready.at < at],
            set(),
            [killed for killed in self.killed if killed < at],
        )

    def add(self, record: Record) -> None:
        """One record more."""
        match record:
            case Read():
                self.reads.append(record)
            case Heard():
                self.heard.append(record)
            case Ready():
                self.ready.append(record)
            case Quiet():
                self.quiet.add(record.session)
            case Killed():
                self.killed.append(record.at)


def _open(attempt: Attempt) -> Attempt:
    return replace(attempt, ended=None, outcome=Outcome.UNKNOWN, seq=0, is_replayed=False, thing="", code="")


def now() -> int:
    """The instant."""
    return time.monotonic_ns()


def digest(value: object) -> str:
    """Tells two JSON values apart."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def seen(event: Json) -> Seen:
    """An event as the history keeps it."""
    return Seen(event["seq"], event["commandId"], digest(event))


def balances_of(rows: Iterable[Json]) -> dict[str, int]:
    """The rows of an answer or broadcast, without who is at zero."""
    return {row["userId"]: row["amount"] for row in rows if row["amount"]}


def thing_in(event: Json) -> Json | None:
    """The expense or settlement that the event, broadcast or answer holds."""
    found = event.get("expense") or event.get("settlement")
    return found if isinstance(found, dict) else None


def told(name: str, event: Json) -> str:
    """The digest of what a broadcast says of its event. A group's own row is left out: it shows people's names."""
    noun = name.partition(":")[0]
    return digest([event["at"], event["by"], None if noun == "group" else event.get(noun)])


class Recorder:
    """Writes one client's file."""

    def __init__(self, path: Path, client: str, *, is_durable: bool) -> None:
        self.client = client
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._is_durable = is_durable
        self._number = 0

    def begin(
        self, session: str, group_id: str, command_id: str, command: str, actor: str, asked: Json
    ) -> Attempt:
        """A command is about to be sent."""
        self._number += 1
        attempt = Attempt(
            self._number, self.client, session, group_id, command_id, command, actor, asked, now()
        )
        self._write("attempt", asdict(attempt))
        return attempt

    def end(self, attempt: Attempt, outcome: Outcome, **answer: Any) -> Attempt:
        """It was answered, or will not be; only after this returns may anybody be told of it."""
        ended = replace(attempt, ended=now(), outcome=outcome, **answer)
        self._write("attempt", asdict(ended))
        if self._is_durable and outcome is Outcome.OK:
            self._file.flush()
            os.fsync(self._file.fileno())
        return ended

    def note(self, record: Record) -> None:
        """Anything else that was seen."""
        self._write(type(record).__name__.lower(), asdict(record))

    def flush(self) -> None:
        """Let others read what was written."""
        self._file.flush()

    def close(self) -> None:
        """The end of the file."""
        self._file.close()

    def _write(self, kind: str, fields: Json) -> None:
        # Bytes of orjson's: a busy run writes thousands of lines a second.
        self._file.write(orjson.dumps({"kind": kind, **fields}).decode() + "\n")


_KINDS: Final[Mapping[str, type[Record]]] = {
    kind.__name__.lower(): kind for kind in (Read, Heard, Ready, Quiet, Killed)
}


def load(paths: Iterable[Path]) -> History:
    """The history in the clients' files. A last line that was cut off counts as not written."""
    history = History()
    for path in paths:
        attempts: dict[int, Attempt] = {}
        for fields in _lines(path):
            kind = fields.pop("kind")
            if kind == "attempt":
                attempt = Attempt(**{**fields, "outcome": Outcome(fields["outcome"])})
                attempts[attempt.number] = attempt
            else:
                history.add(_record(kind, fields))
        history.attempts += attempts.values()
    return history


def _record(kind: str, fields: Json) -> Record:
    if fields.get("events") is not None:
        fields["events"] = tuple(Seen(**event) for event in fields["events"])
    return _KINDS[kind](**fields)


def _lines(path: Path) -> Iterator[Json]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
