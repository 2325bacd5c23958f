"""The book: what the server has told this device, what waits to be told, and what comes of both together.

Blocking; used from one thread. Every method is one transaction of the replica. Provisional states are kept in
memory until the server's part, or another process that uses the same file, changes what they are made of.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from persplit.client.changes import (
    Change,
    CommandDoubted,
    CommandDropped,
    CommandRefused,
    Confirmed,
    GroupGone,
    GroupReplaced,
    Happened,
    Pending,
)
from persplit.client.clock import Clock, local_clock, rfc3339
from persplit.client.errors import (
    SIGN_IN,
    TEMPORARY,
    Busy,
    Json,
    MaybeSent,
    NewerServer,
    OutboxFull,
    Refused,
    SignedOut,
    UnknownCommand,
    UnsentCommands,
    error_of,
)
from persplit.client.outbox import (
    COMMAND_BYTES_MAX,
    OUTBOX_MAX,
    PUSH_BYTES_MAX,
    PUSH_COMMANDS_MAX,
    Queued,
    Status,
    error_to_json,
)
from persplit.client.rebasing import Provisional, thing_of
from persplit.client.replica import Position, Replica
from persplit.ledger import codec
from persplit.ledger.errors import FieldError, Invalid, LedgerError
from persplit.ledger.events import RecordedEvent
from persplit.ledger.snapshot import state_from_json
from persplit.ledger.state import GroupState, apply

WAITING: Final = (Status.PENDING, Status.ACKED)
"""Commands that count: the server hasn't refused them, and their events aren't here yet."""
NEWS_MAX: Final = 1_000
"""Events that are told one by one; after more of them the group counts as replaced."""
GROUPS_MAX: Final = 500
"""Groups that one person is in at most."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in. The tokens never show in a log."""

    user: Json
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def user_id(self) -> str:
        """Whose data the replica holds."""
        return str(self.user["id"])

    @property
    def name(self) -> str:
        """What they are called."""
        return str(self.user["name"])


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an answer: what to tell, and whether there is more to pull."""

    changes: Sequence[Change]
    more: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a push: what to tell, the groups to pull, and the server's asking to come back later."""

    changes: Sequence[Change]
    group_ids: frozenset[str]
    busy: Busy | None


class Book:
    """See the module."""

    def __init__(self, path: Path, clock: Clock = local_clock) -> None:
        """Open the replica, or make it. Raises `ReplicaError`."""
        self.replica = Replica(path)
        self.clock = clock
        self._provisional: dict[str, Provisional] = {}
        self._doubts: dict[str, dict[str, str]] = {}
        self._announced: dict[str, Position] = {}
        with self.writing():
            self._renew_states()
            self._announced = self.replica.positions()

    def close(self) -> None:
        """Let go of the file."""
        self.replica.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A writing transaction. Raises `ReplicaError`; nothing was stored then."""
        try:
            with self.replica.writing():
                self._look_around()
                yield
        except LedgerError:
            raise  # refused before anything was written: what is in memory still holds
        except BaseException:
            self._provisional.clear()
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads that see the same moment. Raises `ReplicaError`."""
        with self.replica.reading():
            self._look_around()
            yield

    def _look_around(self) -> None:
        if self.replica.was_changed_elsewhere():
            self._provisional.clear()

    def _renew_states(self) -> None:
        """Fold anew what an older version of the rules has folded, or have it sent once more."""
        for group_id in self.replica.outdated():
            position = self.replica.position(group_id)
            state: GroupState | None = None
            if self.replica.missing_before(group_id) == 0:
                for recorded in self.replica.events(group_id):
                    state = apply(state, recorded)
            if state is None:
                self.replica.drop_group(group_id)
            else:
                self.replica.save_state(state, position.epoch)

    # --- the account

    def account(self) -> Account | None:
        """Who is signed in, or was until their session ended."""
        with self.reading():
            return self._account()

    def _account(self) -> Account | None:
        stored = self.replica.account()
        if stored is None:
            return None
        return Account(stored["user"], stored["accessToken"], stored["refreshToken"])

    def me(self) -> Account:
        """Who is signed in; inside a transaction. Raises `SignedOut`."""
        account = self._account()
        if account is None:
            raise SignedOut("nobody is signed in: register or log in first")
        return account

    def set_account(self, account: Account) -> None:
        """Keep who is signed in, durably."""
        with self.writing():
            self.replica.set_account(
                {
                    "user": account.user,
                    "accessToken": account.access_token,
                    "refreshToken": account.refresh_token,
                }
            )
            self._provisional.clear()

    def check_may_forget(self) -> None:
        """Return if nothing would be lost. Raises `UnsentCommands`."""
        with self.reading():
            kept = len(self.replica.queued(*Status))
            if kept:
                raise UnsentCommands(f"{kept} commands are not on the server: sync, mend or drop them first")

    def forget(self) -> None:
        """Forget everything."""
        with self.writing():
            self.replica.clear()
            self._provisional.clear()
            self._announced.clear()
            self._doubts.clear()

    # --- provisional states

    def provisional(self, group_id: str) -> Provisional:
        """The group with all waiting commands; inside a transaction."""
        held = self._provisional.get(group_id)
        if held is None:
            held = self._rebased(group_id)
            self._provisional[group_id] = held
        return held

    def _rebased(self, group_id: str) -> Provisional:
        me = self.me()
        held = Provisional(
            group_id,
            me.user_id,
            me.name,
            self.replica.state(group_id),
            lambda noun, id_: self.replica.thing(group_id, noun, id_),
            lambda expense_id: self.replica.comments(group_id, expense_id),
        )
        held.rebase(self.replica.queued(*WAITING, group_id=group_id))
        return held

    def group_ids(self) -> list[str]:
        """Every group that is held, or that a waiting command creates; inside a transaction."""
        made = (q.group_id for q in self.replica.queued(*WAITING) if q.type == "group:create")
        return list(dict.fromkeys([*self.replica.positions(), *made]))

    # --- writing

    def write(self, type_: str, group_id: str, fields: Json) -> tuple[Queued, Sequence[Change]]:
        """Decide the command here, and put it into the outbox: from then on it counts, and survives anything.

        Raises:
            LedgerError: the group's rules refuse it; nothing was stored.
            OutboxFull, ReplicaError, SignedOut: nothing was stored.

        """
        _check_size(fields)
        command_id, at = str(uuid.uuid4()), rfc3339(self.clock())
        with self.writing():
            if self.replica.outbox_size() >= OUTBOX_MAX:
                raise OutboxFull(f"{OUTBOX_MAX} commands wait: sync first")
            held = self.provisional(group_id)
            recorded = held.decided(Queued(0, command_id, group_id, type_, fields, at))
            queued = self.replica.enqueue(command_id, group_id, type_, fields, at)
        held.take(recorded)
        return queued, [Pending(group_id, command_id)]

    def resend(self, command_id: str, fields: Json) -> tuple[Queued, Sequence[Change]]:
        """Put a mended command at the end of the outbox, under a new id, and forget the one that was refused.

        Raises:
            LedgerError: the group's rules refuse it still; nothing changes.
            UnknownCommand: no refused command has this id.

        """
        _check_size(fields)
        new_id, at = str(uuid.uuid4()), rfc3339(self.clock())
        with self.writing():
            old = self._refused(command_id)
            held = self.provisional(old.group_id)
            recorded = held.decided(replace(old, command_id=new_id, fields=fields, at=at))
            self.replica.dequeue([command_id])
            queued = self.replica.enqueue(new_id, old.group_id, old.type, fields, at)
        held.take(recorded)
        return queued, [CommandDropped(old.group_id, command_id), Pending(old.group_id, new_id)]

    def refused_command(self, command_id: str) -> Queued:
        """The refused command. Raises `UnknownCommand`."""
        with self.reading():
            return self._refused(command_id)

    def _refused(self, command_id: str) -> Queued:
        queued = self.replica.one_queued(command_id)
        if queued is None or queued.status is not Status.REFUSED:
            raise UnknownCommand("no refused command has this id")
        return queued

    def drop(self, command_id: str) -> Sequence[Change]:
        """Take a command out: one that was refused, or was never sent.

        Raises:
            UnknownCommand: it isn't in the outbox.
            MaybeSent: the server may have it.

        """
        with self.writing():
            queued = self.replica.one_queued(command_id)
            if queued is None:
                raise UnknownCommand("no command of this id waits")
            if queued.status is not Status.REFUSED and queued.was_sent:
                raise MaybeSent("the server may have it already: sync first")
            self.replica.dequeue([command_id])
            return [CommandDropped(queued.group_id, command_id), *self._reconsider(queued.group_id)]

    def waiting(self) -> list[Queued]:
        """Commands that the server hasn't judged, oldest first, with what this device's rules say against them."""
        with self.reading():
            found = self.replica.queued(*WAITING)
            doubts = {id_: self.provisional(id_).doubts for id_ in {queued.group_id for queued in found}}
            return [_with_doubt(queued, doubts[queued.group_id]) for queued in found]

    def refused(self) -> list[Queued]:
        """Commands that the server refused, oldest first."""
        with self.reading():
            return self.replica.queued(Status.REFUSED)

    # --- pushing

    def to_push(self) -> list[Queued]:
        """The oldest commands that the server hasn't judged, as many as go at once; they count as sent now."""
        with self.writing():
            batch = list(_within_bytes(self.replica.queued(Status.PENDING, limit=PUSH_COMMANDS_MAX)))
            self.replica.mark_sent(queued.command_id for queued in batch if not queued.was_sent)
            return batch

    def judge(self, batch: Sequence[Queued], acks: Sequence[Json]) -> Judged:
        """Take in what the server says to each command of a push.

        What it took stays, as acked, until its event is here: only a pull takes it out. What it can't answer now
        stays pending.
        """
        changes: list[Change] = []
        touched: set[str] = set()
        busy: Busy | None = None
        with self.writing():
            for queued, ack in zip(batch, acks, strict=False):
                touched.add(queued.group_id)
                if ack.get("ok") is True:
                    changes += self._acked(queued, int(ack["seq"]))
                elif ack["error"]["code"] in TEMPORARY | SIGN_IN:
                    error = error_of(ack["error"])
                    busy = busy or (error if isinstance(error, Busy) else Busy(str(error)))
                else:
                    changes += self._was_refused(queued, ack["error"])
            for group_id in sorted(touched):
                changes += self._reconsider(group_id)
        return Judged(changes, frozenset(touched), busy)

    def _acked(self, queued: Queued, seq: int) -> Sequence[Change]:
        if self._is_my_exit(queued):
            # Its event will never come: who is out hears nothing of the group.
            self.replica.dequeue([queued.command_id])
            return [Confirmed(queued.group_id, queued.command_id, seq), *self._gone(queued.group_id)]
        present = self.replica.one_queued(queued.command_id)
        if present is not None and present.status is Status.PENDING:
            self.replica.mark_acked(queued.command_id, seq)
        return []

    def _is_my_exit(self, queued: Queued) -> bool:
        return queued.type == "group:leave" or (
            queued.type == "member:remove" and queued.fields["userId"] == self.me().user_id
        )

    def _was_refused(self, queued: Queued, problem: Json) -> Sequence[Change]:
        present = self.replica.one_queued(queued.command_id)
        if present is None or present.status is not Status.PENDING:
            return []
        error = error_of(problem)
        assert isinstance(error, Refused)  # noqa: S101 - the other kinds were told apart before
        self.replica.mark_refused(queued.command_id, error_to_json(error))
        return [CommandRefused(queued.group_id, queued.command_id, error)]

    # --- pulling

    def positions(self) -> dict[str, Position]:
        """Up to where each group is held."""
        with self.reading():
            return dict(list(self.replica.positions().items())[:GROUPS_MAX])

    def position(self, group_id: str) -> Position:
        """Up to where the group is held."""
        with self.reading():
            return self.replica.position(group_id)

    def take(self, group_id: str, have: Position, pulled: Json) -> Taken:
        """Take in the answer to a pull from `have`: all of it, with its seq, or nothing.

        Raises:
            NewerServer: it has events that this version doesn't know.

        """
        try:
            with self.writing():
                if self.replica.position(group_id) != have:
                    # Another process was faster: an answer for another position means nothing now.
                    return Taken([], more=True)
                if pulled["reset"]:
                    self._reset(group_id, have, pulled)
                seq = self._take_news(group_id, pulled)
                confirmed = list(self._confirm(group_id, 0 if pulled["reset"] else have.seq, seq))
        except (KeyError, TypeError, ValueError) as error:
            raise NewerServer(f"the answer can't be read ({error}): update this client") from error
        # Told only now that it is stored.
        return Taken([*confirmed, *self.news(group_id)], bool(pulled.get("more")))

    def _reset(self, group_id: str, have: Position, pulled: Json) -> None:
        self.replica.drop_group(group_id)
        self._provisional.pop(group_id, None)
        if have.epoch != pulled["epoch"] or have.seq > pulled["seq"]:
            # What was acked in another past may not be in this one: the server shall say so itself.
            self.replica.unack(group_id)

    def _take_news(self, group_id: str, pulled: Json) -> int:
        """The group's seq after it."""
        snapshot = pulled.get("snapshot")
        if snapshot is not None:
            state: GroupState | None = self._take_snapshot(group_id, snapshot)
        else:
            state = self._take_events(group_id, pulled["events"])
        if state is None:
            return 0
        position = Position(state.seq, pulled["epoch"])
        if position != self.replica.position(group_id):  # nothing new costs no write
            self.replica.save_state(state, position.epoch)
        return state.seq

    def _take_snapshot(self, group_id: str, snapshot: Json) -> GroupState:
        state = state_from_json(snapshot["state"])
        for noun, decode in (
            ("expenses", codec.expense_from_json),
            ("settlements", codec.settlement_from_json),
        ):
            for place, stored in enumerate(snapshot[noun]):
                # Newest first. Each has an event of its own, so these ranks stay below those of later events.
                self.replica.put_thing(group_id, decode(stored), state.seq - place)
        self._take_people(group_id, snapshot["group"], snapshot["settleUp"])
        return state

    def _take_events(self, group_id: str, told: Iterable[Json]) -> GroupState | None:
        state = self.replica.state(group_id)
        fresh: list[RecordedEvent] = []
        for event in told:
            recorded = codec.event_from_json(event)
            if recorded.seq != (state.seq if state else 0) + 1:
                break  # a hole: the next pull begins there
            state = apply(state, recorded)
            fresh.append(recorded)
            thing = thing_of(recorded.event)
            if thing is not None:
                self.replica.put_thing(group_id, thing, recorded.seq)
        self.replica.add_events(fresh)
        return state

    def _confirm(self, group_id: str, after: int, seq: int) -> Iterator[Change]:
        """Take out the commands whose events have come: those after `after`, up to `seq`."""
        me = self.me().user_id
        known = {
            recorded.command_id: recorded.seq
            for recorded in self.replica.events(group_id, after)
            if recorded.by == me
        }
        for queued in self.replica.queued(*WAITING, group_id=group_id):
            at = queued.acked_seq if queued.acked_seq is not None else known.get(queued.command_id)
            if at is not None and at <= seq:
                self.replica.dequeue([queued.command_id])
                yield Confirmed(group_id, queued.command_id, at)

    def _news(self, group_id: str) -> Sequence[Change]:
        told, now = self._announced.get(group_id, Position()), self.replica.position(group_id)
        self._announced[group_id] = now
        if now == told:
            return []
        news = self.replica.events(group_id, told.seq, NEWS_MAX)
        if told.epoch in (now.epoch, None) and len(news) == now.seq - told.seq:
            return [Happened(group_id, recorded) for recorded in news]
        return [GroupReplaced(group_id)]

    def news(self, group_id: str) -> Sequence[Change]:
        """What has come into the replica, from this process or another, and wasn't told of yet."""
        with self.reading():
            return [*self._news(group_id), *self._reconsider(group_id)]

    def _reconsider(self, group_id: str) -> Sequence[Change]:
        """Decide the waiting commands anew; tells what became doubtful, or no longer is."""
        self._provisional.pop(group_id, None)
        before = self._doubts.pop(group_id, {})
        if not self.replica.queued(*WAITING, group_id=group_id, limit=1):
            return []
        after = {id_: str(error) for id_, error in self.provisional(group_id).doubts.items()}
        self._doubts[group_id] = after
        waiting = {queued.command_id for queued in self.replica.queued(*WAITING, group_id=group_id)}
        return [
            CommandDoubted(group_id, id_, after.get(id_))
            for id_ in sorted(before.keys() | after.keys())
            if before.get(id_) != after.get(id_) and id_ in waiting
        ]

    # --- groups that came or went, and what isn't in the ledger

    def gone(self, group_id: str) -> Sequence[Change]:
        """The user isn't in the group any more: forget it, but none of its commands."""
        with self.writing():
            return [*self._gone(group_id), *self._reconsider(group_id)]

    def _gone(self, group_id: str) -> Sequence[Change]:
        was_there = self.replica.position(group_id).seq > 0
        self.replica.drop_group(group_id)
        self._announced.pop(group_id, None)
        self._provisional.pop(group_id, None)
        return [GroupGone(group_id)] if was_there else []

    def take_people(self, group: Json | None, group_id: str, settle_up: Iterable[Json] = ()) -> None:
        """Keep names and payment links, which are no part of the ledger, as the server gives them."""
        with self.writing():
            self._take_people(group_id, group, settle_up)

    def _take_people(self, group_id: str, group: Json | None, settle_up: Iterable[Json]) -> None:
        known, links = self.replica.names(group_id), self.replica.payees(group_id)
        for member in (group or {}).get("members", ()):
            if known.get(member["userId"]) != member["name"]:
                self.replica.put_name(group_id, member["userId"], member["name"])
        for row in settle_up:
            if links.get(row["to"]) != row["upiLink"]:
                self.replica.put_payee(group_id, row["to"], row["upiLink"])

    def first_gap(self, group_id: str) -> int | None:
        """The seq after which the first of the group's events is missing; None: all are here."""
        with self.reading():
            return self.replica.first_gap(group_id) if self.replica.missing_before(group_id) else None

    def add_old_events(self, group_id: str, have: Position, told: Iterable[Json]) -> None:
        """Keep events from before a snapshot, as long as the group is in the epoch for which they were asked."""
        events = [codec.event_from_json(event) for event in told]
        with self.writing():
            now = self.replica.position(group_id)
            if now.epoch == have.epoch:
                self.replica.add_events(event for event in events if event.seq <= now.seq)


def _check_size(fields: Json) -> None:
    if len(json.dumps(fields)) > COMMAND_BYTES_MAX:
        raise Invalid(FieldError("", f"a command has at most {COMMAND_BYTES_MAX} bytes"))


def _within_bytes(queued: Iterable[Queued]) -> Iterator[Queued]:
    """The first of them, and those after it that fit into one body."""
    total = 0
    for it in queued:
        total += len(json.dumps(it.to_wire())) + 1
        if total > PUSH_BYTES_MAX:
            return
        yield it


def _with_doubt(queued: Queued, doubts: dict[str, LedgerError]) -> Queued:
    doubt = doubts.get(queued.command_id)
    return queued if doubt is None else replace(queued, doubt=str(doubt))
