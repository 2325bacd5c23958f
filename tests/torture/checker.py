"""Was everything kept that was promised? Looks at what the clients did and saw, and at the ledgers in the end.

A ledger gives the order of everything for free, so this takes no search: every check is a walk or a sort. It runs
after the fact and needs no server.
"""

import bisect
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from tests.torture.fold import Moments, moments
from tests.torture.history import (
    Attempt,
    Balances,
    Heard,
    History,
    Json,
    Ledgers,
    Outcome,
    Read,
    Ready,
    digest,
    seen,
    thing_in,
    told,
)


class Anomaly(StrEnum):
    """All that can be wrong."""

    LOST_ACK = "acknowledged, and not in the ledger"
    WRONG_SEQ = "acknowledged with another seq than it has"
    WRONG_CONTENT = "other content in the ledger than was asked for or acknowledged"
    GHOST = "refused for good, and in the ledger"
    UNSENT = "in the ledger, and nobody ever sent it"
    COMMAND_TWICE = "two events of one command"
    CONFLICTING_ANSWERS = "the answers to one command contradict each other"
    HOLE = "the ledger's seqs are not 1, 2, 3 …"
    INVALID_EVENT = "an event that does not follow from those before, or does not add up"
    REAL_TIME_ORDER = "sent after another was acknowledged, and before it in the ledger"
    LOST_UPDATE = "an edit of a version that had been replaced was accepted"
    UNBALANCED = "balances that do not sum to zero"
    WRONG_BALANCES = "other balances than the ledger adds up to"
    READ_NOT_PREFIX = "a read that no beginning of the ledger explains"
    READ_WENT_BACK = "an older state than the session had read before"
    MISSED_OWN_WRITE = "a read older than what its own client had been acknowledged"
    STALE_READ = "a read older than what anybody knew before it began"
    PHANTOM_BROADCAST = "heard, and not in the ledger"
    WRONG_BROADCAST = "heard otherwise than it is in the ledger"
    REPEATED_BROADCAST = "heard twice by one session"
    BROADCAST_ORDER = "heard after a later one by one session"
    MISSED_BROADCAST = "never heard by a session that was there"
    OVERHEARD = "heard by somebody who was not in the group"
    DIVERGED = "a client that ended with another state than the ledger's"


@dataclass(frozen=True, slots=True)
class Finding:
    """One anomaly, with what shows it."""

    anomaly: Anomaly
    group_id: str
    what: str
    evidence: Json

    def __str__(self) -> str:
        return f"{self.anomaly.name}: {self.what} (group {self.group_id}): {self.evidence}"


@dataclass(slots=True)
class Case:
    """One group: its ledger, and all that concerned it."""

    group_id: str
    events: Sequence[Json]
    attempts: dict[str, list[Attempt]]
    reads: list[Read]
    heard: dict[str, list[Heard]]
    ready: dict[str, Ready]
    quiet: set[str]
    killed: list[int]
    at: Moments
    by_command: dict[str, list[Json]] = field(default_factory=dict)

    def found(self, anomaly: Anomaly, what: str, **evidence: object) -> Finding:
        """An anomaly of this group."""
        return Finding(anomaly, self.group_id, what, dict(evidence))

    @property
    def head(self) -> int:
        """The last seq."""
        return len(self.events)

    def event(self, seq: int) -> Json | None:
        """The event with this seq."""
        return self.events[seq - 1] if 0 < seq <= self.head else None

    def is_there(self, heard: Heard) -> bool:
        """Whether the broadcast is of an event of the ledger."""
        event = self.event(heard.seq)
        return event is not None and event["commandId"] == heard.command_id


Check: TypeAlias = Callable[[Case], Iterator[Finding]]


def check(history: History, ledgers: Ledgers) -> list[Finding]:
    """All that is wrong. `ledgers` has every group of the run, each event as the wire shows it, in order."""
    findings: list[Finding] = []
    for case in _cases(history, ledgers):
        holes = list(_holes(case))
        # Where the places themselves are wrong, everything that goes by place would only repeat it.
        findings += holes or [finding for part in CHECKS for finding in part(case)]
    return findings


def _cases(history: History, ledgers: Ledgers) -> Iterator[Case]:
    attempts: dict[str, dict[str, list[Attempt]]] = defaultdict(lambda: defaultdict(list))
    reads: dict[str, list[Read]] = defaultdict(list)
    heard: dict[str, dict[str, list[Heard]]] = defaultdict(lambda: defaultdict(list))
    for attempt in history.attempts:
        attempts[attempt.group_id][attempt.command_id].append(attempt)
    for read in history.reads:
        reads[read.group_id].append(read)
    for one in history.heard:
        heard[one.group_id][one.session].append(one)
    ready = {it.session: it for it in history.ready}
    for group_id in sorted({*ledgers, *attempts, *reads, *heard}):
        events = ledgers.get(group_id, [])
        is_whole = [event["seq"] for event in events] == list(range(1, len(events) + 1))
        whole = moments(
            events if is_whole else (), [read.seq for read in reads[group_id] if read.things is not None]
        )
        by_command: dict[str, list[Json]] = defaultdict(list)
        for event in events:
            by_command[event["commandId"]].append(event)
        yield Case(
            group_id,
            events,
            attempts[group_id],
            reads[group_id],
            heard[group_id],
            ready,
            history.quiet,
            sorted(history.killed),
            whole,
            by_command,
        )


# --- the ledger by itself


def _holes(case: Case) -> Iterator[Finding]:
    for place, event in enumerate(case.events, 1):
        if event["seq"] != place:
            yield case.found(Anomaly.HOLE, f"event {place} has seq {event['seq']}", event=event)
            return


def _ledger(case: Case) -> Iterator[Finding]:
    for seq, fault in case.at.faults:
        yield case.found(Anomaly.INVALID_EVENT, f"event {seq}: {fault}", event=case.event(seq))
    for command_id, events in case.by_command.items():
        if len(events) > 1:
            seqs = [event["seq"] for event in events]
            yield case.found(Anomaly.COMMAND_TWICE, f"command {command_id} made events {seqs}", events=events)


# --- what was asked and answered

_EVENT_OF: Final = {
    "group:create": "group:created",
    "group:join": "member:joined",
    "member:add": "member:joined",
    "group:leave": "member:left",
    "expense:create": "expense:created",
    "expense:update": "expense:updated",
    "expense:delete": "expense:deleted",
    "expense:restore": "expense:restored",
    "settlement:create": "settlement:created",
    "settlement:confirm": "settlement:completed",
    "settlement:decline": "settlement:declined",
    "settlement:cancel": "settlement:cancelled",
}


def _is_of(event: Json, attempt: Attempt) -> bool:
    """Whether the event is what the attempt asked for."""
    thing = thing_in(event) or event.get("member") or {}
    asked = {name: value for name, value in attempt.asked.items() if name != "expectedSeq"}
    return (
        event["type"] == _EVENT_OF[attempt.command]
        and event["by"] == attempt.actor
        and all(thing.get(name) == value for name, value in asked.items())
    )


def _answers(case: Case) -> Iterator[Finding]:
    for command_id, attempts in case.attempts.items():
        events = case.by_command.get(command_id, [])
        for attempt in attempts:
            if attempt.outcome is Outcome.OK:
                yield from _acknowledged(case, attempt, events)
            elif attempt.outcome is Outcome.REFUSED:
                yield from _refused(case, attempt, attempts, events)
    for command_id, events in case.by_command.items():
        asked = case.attempts.get(command_id, [])
        for event in events:
            if not asked:
                yield case.found(Anomaly.UNSENT, f"event {event['seq']} is of no known command", event=event)
            elif not any(_is_of(event, attempt) for attempt in asked):
                yield _other_content(case, asked[0], event)


def _acknowledged(case: Case, attempt: Attempt, events: list[Json]) -> Iterator[Finding]:
    evidence = {"attempt": asdict(attempt), "events": events}
    there = [event for event in events if event["seq"] == attempt.seq]
    if not events:
        yield case.found(Anomaly.LOST_ACK, f"seq {attempt.seq} was acknowledged, and is gone", **evidence)
    elif not there:
        yield case.found(
            Anomaly.WRONG_SEQ, f"acknowledged as {attempt.seq}, is {events[0]['seq']}", **evidence
        )
    # Of what nobody asked for, `_answers` itself complains.
    elif _is_of(there[0], attempt):
        thing = thing_in(there[0])
        if attempt.thing and attempt.thing != digest(thing):
            yield _other_content(case, attempt, there[0])
    elif any(_is_of(there[0], other) for other in case.attempts[attempt.command_id]):
        yield _other_content(case, attempt, there[0])
    expected, before = attempt.asked.get("expectedSeq"), case.at.version_before.get(attempt.seq, 0)
    if there and expected is not None and before > expected:
        what = f"event {attempt.seq} replaced version {before}, its sender had seen {expected}"
        yield case.found(Anomaly.LOST_UPDATE, what, **evidence)


def _other_content(case: Case, attempt: Attempt, event: Json) -> Finding:
    what = f"event {event['seq']} isn't what was asked for or acknowledged"
    return case.found(Anomaly.WRONG_CONTENT, what, attempt=asdict(attempt), event=event)


def _refused(case: Case, refused: Attempt, attempts: list[Attempt], events: list[Json]) -> Iterator[Finding]:
    evidence = {"attempts": [asdict(attempt) for attempt in attempts], "events": events}
    if refused.code == "idempotency_key_reused" and not events and not _may_come(case, refused, attempts):
        yield case.found(Anomaly.CONFLICTING_ANSWERS, "refused as used before, and never used", **evidence)
    if not any(_is_of(event, refused) for event in events):
        return
    others = [a for a in attempts if a.outcome is not Outcome.REFUSED and a.asked == refused.asked]
    if any(a.outcome is Outcome.OK and _end(case, a) < refused.begun for a in others):
        yield case.found(Anomaly.CONFLICTING_ANSWERS, "acknowledged, and refused afterwards", **evidence)
    # Another attempt that was still under way may have been accepted after this one was refused.
    elif all(_end(case, other) < refused.begun for other in others):
        yield case.found(Anomaly.GHOST, f"refused with {refused.code}, and written", **evidence)


def _may_come(case: Case, refused: Attempt, attempts: list[Attempt]) -> bool:
    return any(a.asked != refused.asked and a.outcome is Outcome.OK for a in attempts)


def _end(case: Case, attempt: Attempt) -> float:
    """From when on the attempt can't have an effect: without an answer, when all servers were killed."""
    if attempt.outcome is not Outcome.UNKNOWN and attempt.ended is not None:
        return attempt.ended
    later = bisect.bisect_right(case.killed, attempt.begun)
    return case.killed[later] if later < len(case.killed) else math.inf


def _repeated_firsts(case: Case) -> Iterator[Finding]:
    """A retry of what was acknowledged says that it is one."""
    for attempts in case.attempts.values():
        oks = [a for a in attempts if a.outcome is Outcome.OK and a.ended is not None]
        first = min((a.ended for a in oks if a.ended is not None), default=math.inf)
        for late in (a for a in oks if a.begun > first and not a.is_replayed):
            what = "acknowledged before, and again as if for the first time"
            evidence = [asdict(attempt) for attempt in attempts]
            yield case.found(Anomaly.CONFLICTING_ANSWERS, what, command=late.command_id, attempts=evidence)


def _real_time(case: Case) -> Iterator[Finding]:
    """Of two commands the one acknowledged before the other was first sent comes first in the ledger."""
    begins: list[tuple[int, int, str]] = []
    acks: list[tuple[int, int]] = []
    for command_id, attempts in case.attempts.items():
        events = case.by_command.get(command_id, [])
        if len(events) == 1:
            seq = events[0]["seq"]
            begins.append((min(attempt.begun for attempt in attempts), seq, command_id))
            acks += [(a.ended, seq) for a in attempts if a.outcome is Outcome.OK and a.ended is not None]
    floor = Floor(acks)
    for begun, seq, command_id in begins:
        known = floor.at(begun)
        if known > seq:
            what = f"event {seq} was sent after event {known} had been acknowledged"
            earlier = case.event(known)
            yield case.found(
                Anomaly.REAL_TIME_ORDER, what, command=command_id, begun=begun, acknowledged=earlier
            )


class Floor:
    """The highest seq known by an instant."""

    def __init__(self, points: Iterable[tuple[int, int]]) -> None:
        """`points`: from when on which seq was known."""
        self._times: list[int] = []
        self._seqs: list[int] = []
        for time, seq in sorted(points):
            self._times.append(time)
            self._seqs.append(max(seq, self._seqs[-1] if self._seqs else 0))

    def at(self, time: int) -> int:
        """What was known before `time`; 0 if nothing."""
        place = bisect.bisect_left(self._times, time)
        return self._seqs[place - 1] if place else 0


# --- reads


def _reads(case: Case) -> Iterator[Finding]:
    acks = [
        (a, events[0]["seq"])
        for command_id, attempts in case.attempts.items()
        if len(events := case.by_command.get(command_id, [])) == 1
        for a in attempts
        if a.outcome is Outcome.OK
    ]
    heard = ((it.at, it.seq) for many in case.heard.values() for it in many if case.is_there(it))
    anybody = Floor([*((a.ended or 0, seq) for a, seq in acks), *heard])
    own: dict[str, list[tuple[int, int]]] = defaultdict(list)
    session: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for attempt, seq in acks:
        own[attempt.client].append((attempt.ended or 0, seq))
    for read in case.reads:
        session[read.session].append((read.ended, read.seq))
    own_floor = {name: Floor(points) for name, points in own.items()}
    session_floor = {name: Floor(points) for name, points in session.items()}
    nobody = Floor(())
    for read in case.reads:
        if read.is_final:
            yield from _final(case, read)
            continue
        yield from _explained(case, read)
        for anomaly, floor in (
            (Anomaly.MISSED_OWN_WRITE, own_floor.get(read.client, nobody)),
            (Anomaly.READ_WENT_BACK, session_floor[read.session]),
            (Anomaly.STALE_READ, anybody),
        ):
            known = floor.at(read.begun)
            if read.seq < known:
                yield case.found(anomaly, f"read {read.seq}, {known} was known", read=asdict(read))
                break


def _explained(case: Case, read: Read) -> Iterator[Finding]:
    fault = _unlike(case, read)
    if fault:
        yield case.found(Anomaly.READ_NOT_PREFIX, fault, read=asdict(read))
    elif read.balances is not None:
        yield from _balances(case, read.seq, read.balances, asdict(read))


def _unlike(case: Case, read: Read) -> str:
    """How the read differs from the ledger up to its seq; nothing if it doesn't."""
    if read.seq > case.head:
        return f"it goes up to {read.seq}, the ledger to {case.head}"
    if read.events is not None:
        if not read.events and read.after < read.seq:
            return f"nothing came after {read.after}, and there are events up to {read.seq}"
        for seq, event in enumerate(read.events, read.after + 1):
            if seq > case.head or event != seen(case.events[seq - 1]):
                return f"event {seq} was read as {event}"
    if read.things is not None and dict(read.things) != case.at.things[read.seq]:
        return "its expenses or settlements aren't those of its seq"
    return ""


def _balances(case: Case, seq: int, balances: Balances, evidence: Json) -> Iterator[Finding]:
    right = case.at.balances[seq]
    if sum(balances.values()) != 0:
        yield case.found(Anomaly.UNBALANCED, f"they sum to {sum(balances.values())}", got=evidence)
    elif dict(balances) != right:
        yield case.found(Anomaly.WRONG_BALANCES, f"balances after {seq}", right=right, got=evidence)


def _final(case: Case, read: Read) -> Iterator[Finding]:
    is_level = read.seq == case.head and not _unlike(case, read)
    is_whole = read.events is None or read.after + len(read.events) == case.head
    is_right = read.balances is None or dict(read.balances) == case.at.balances[case.head]
    if not (is_level and is_whole and is_right):
        what = f"{read.client} ended at {read.seq} of {case.head}"
        yield case.found(Anomaly.DIVERGED, what, read=asdict(read))


# --- broadcasts


def _broadcasts(case: Case) -> Iterator[Finding]:
    for session, many in case.heard.items():
        last, before = 0, set[int]()
        for heard in many:
            yield from _one_heard(case, heard)
            if heard.seq in before:
                what = f"session {session} heard {heard.seq} again"
                yield case.found(Anomaly.REPEATED_BROADCAST, what, heard=asdict(heard))
            elif heard.seq < last:
                what = f"session {session} heard {heard.seq} after {last}"
                yield case.found(Anomaly.BROADCAST_ORDER, what, heard=asdict(heard))
            last = max(last, heard.seq)
            before.add(heard.seq)


def _one_heard(case: Case, heard: Heard) -> Iterator[Finding]:
    event = case.event(heard.seq)
    evidence = asdict(heard)
    if event is None or not case.is_there(heard):
        yield case.found(
            Anomaly.PHANTOM_BROADCAST, f"event {heard.seq} isn't that", heard=evidence, event=event
        )
        return
    if heard.user_id not in case.at.members[heard.seq] and not _has_come_since(case, heard):
        yield case.found(Anomaly.OVERHEARD, f"{heard.user_id} wasn't in it at {heard.seq}", heard=evidence)
    name = event["type"] if event["type"] != "member:updated" else "group:updated"
    if heard.name != name or heard.digest != told(name, event):
        yield case.found(Anomaly.WRONG_BROADCAST, f"event {heard.seq}", heard=evidence, event=event)
    else:
        yield from _balances(case, heard.seq, heard.balances, evidence)


def _has_come_since(case: Case, heard: Heard) -> bool:
    """Whether they had asked to come in after that event when they heard it: members may know all that was before."""
    members = case.at.members
    came = next((seq for seq in range(heard.seq + 1, case.head + 1) if heard.user_id in members[seq]), None)
    joining = case.event(came) if came else None
    attempts = case.attempts.get(joining["commandId"], []) if joining else []
    return any(attempt.begun < heard.at for attempt in attempts)


def _missed(case: Case) -> Iterator[Finding]:
    """From where the session began to hear the group up to the last that it heard, or to the end if it stayed."""
    for session, ready in case.ready.items():
        many = case.heard.get(session, [])
        heard = {it.seq for it in many}
        if case.group_id in ready.seqs:
            start = ready.seqs[case.group_id] + 1
        elif heard:
            start = min(heard)
        else:
            continue
        end = case.head if session in case.quiet else min(max(heard, default=0), case.head)
        missed = [
            seq for seq in range(start, end + 1) if seq not in heard and ready.user_id in case.at.members[seq]
        ]
        if missed:
            what = f"session {session} never heard {missed[:10]} (of {len(missed)})"
            yield case.found(Anomaly.MISSED_BROADCAST, what, ready=asdict(ready), first=case.event(missed[0]))


CHECKS: Final[Sequence[Check]] = (
    _ledger,
    _answers,
    _repeated_firsts,
    _real_time,
    _reads,
    _broadcasts,
    _missed,
)
"""Everything that goes by place; `_holes` comes first."""
