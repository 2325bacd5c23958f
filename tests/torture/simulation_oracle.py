"""What must always hold in a simulated world, checked at every step by somebody who sees everything.

The numbers are those of the design's list: 1 money, 2 seq, 3 durable when acknowledged, 4 once, 5 convergence,
6 nobody hears a group they aren't in, 7 snapshots, 8 an unknown outcome is no failure, 9 always a coded answer.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger import codec
from persplit.ledger.events import ExpenseUpdated, RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.service import snapshots
from persplit.service.groups import LOCK_SECONDS_MAX
from persplit.service.handler import ATTEMPTS_MAX
from persplit.service.ports import NewEvent
from persplit.service.subjects import thing_of
from persplit.transport import views
from persplit.transport.broadcasts import BROADCASTS
from persplit.transport.views import Json
from tests.torture.simulation_loop import Actor, VirtualLoop
from tests.torture.simulation_node import Link, Node
from tests.torture.simulation_phone import TEMPORARY, Held, Storage, Wish
from tests.torture.simulation_trace import Trace

LATE_SECONDS_MAX: Final = 8.0
"""From a commit to every socket on nodes whose store works: the sweep's 5 s, and a few slow steps after it."""
VIOLATIONS_MAX: Final = 10
"""A world that is this broken needn't go on."""
_BROADCASTS: Final = frozenset(event.name for event in BROADCASTS)
_READS: Final = frozenset({"sync:pull", "balances:get"})


@dataclass
class Asked:
    """A request under way: when it came, and how things were."""

    user_id: str
    event: str
    body: Json
    at: float
    head: int
    was_member: bool
    flips: int
    node: Node
    is_answered: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nobody works on it any more."""
        return self.is_answered or self.node.actor.is_dead


@dataclass
class Past:
    """One group as the store has it: `states[n]` after event n; `flips` counts each user's comings and goings."""

    events: list[RecordedEvent] = field(default_factory=list)
    states: list[GroupState | None] = field(default_factory=lambda: [None])
    flips: Counter[str] = field(default_factory=Counter)
    committed_at: dict[str, float] = field(default_factory=dict)
    """By command."""

    def was_member(self, user_id: str, seq: int) -> bool:
        """Whether the user was in the group after event `seq`."""
        state = self.states[seq] if seq < len(self.states) else None
        return state is not None and state.is_member(user_id)

    def is_member(self, user_id: str) -> bool:
        """Whether the user is in the group now."""
        return self.was_member(user_id, len(self.events))


class WatchedEvents(MemoryEvents):
    """The one store that all nodes share; the oracle sees each event at the instant at which it is durable."""

    def __init__(self, oracle: "Oracle") -> None:
        super().__init__()
        self._oracle = oracle

    async def append(self, new: NewEvent) -> RecordedEvent:
        """See the port."""
        head = len(self._events(new.group_id))
        recorded = await super().append(new)
        if len(self._events(new.group_id)) > head:
            self._oracle.committed(recorded)
        return recorded


class Oracle:
    """Raises nothing by itself: what it finds is in `violations`."""

    def __init__(self, loop: VirtualLoop, trace: Trace, counts: Counter[str]) -> None:
        self.violations: list[str] = []
        self.pasts: dict[str, Past] = {}
        self.nodes: dict[str, Node] = {}
        self.wishes: dict[str, tuple[str, Wish]] = {}
        self.latest_seconds = 0.0
        self._loop = loop
        self._trace = trace
        self._counts = counts
        self._actor = Actor(loop, "oracle")
        self._acked: dict[str, int] = {}
        self._attempts: dict[str, list[Asked]] = {}
        self._refused: dict[str, list[Asked]] = {}

    def broken(self, number: int, text: str) -> None:
        """Write down a promise that was broken."""
        violation = f"promise {number}: {text}"
        self._trace.add("BROKEN", violation)
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(f"{self._loop.time():.3f} {violation}")

    def past(self, group_id: str) -> Past:
        """The group so far."""
        return self.pasts.setdefault(group_id, Past())

    # --- commands and events

    def wished(self, user_id: str, wish: Wish) -> None:
        """A phone has stored a command."""
        self.wishes[wish.command_id] = (user_id, wish)

    def committed(self, recorded: RecordedEvent) -> None:
        """The event is durable from now on."""
        past = self.past(recorded.group_id)
        self._trace.add("committed", recorded.group_id[:4], recorded.seq, type(recorded.event).__name__)
        self._counts["events"] += 1
        self._counts[f"event {type(recorded.event).__name__}"] += 1
        if recorded.seq != len(past.events) + 1:
            self.broken(2, f"seq {recorded.seq} after {len(past.events)}")
            return
        before = past.states[-1]
        state = apply(before, recorded)
        past.events.append(recorded)
        past.states.append(state)
        past.committed_at[recorded.command_id] = self._loop.time()
        if before is not None and recorded.at < before.at:
            self.broken(2, f"the clock of {recorded.group_id[:4]} went back at {recorded.seq}")
        for user_id in state.members:
            if state.is_member(user_id) != (before is not None and before.is_member(user_id)):
                past.flips[user_id] += 1
        self._check_money(state, recorded)
        self._check_wish(recorded)
        self._expect_soon(recorded)

    def _check_money(self, state: GroupState, recorded: RecordedEvent) -> None:
        if sum(state.balances.values()):
            self.broken(1, f"balances of {state.group_id[:4]} at {state.seq} don't sum to zero")
        left = dict(state.balances)
        for row in plan_of(state).transfers:
            left[row.from_id] += row.amount
            left[row.to_id] -= row.amount
        if any(left.values()):
            self.broken(1, f"the plan of {state.group_id[:4]} at {state.seq} leaves {left}")
        thing = thing_of(recorded.event)
        if isinstance(thing, Expense) and sum(share.amount for share in thing.shares) != thing.amount:
            self.broken(1, f"shares of {thing.id} don't sum to {thing.amount}")

    def _check_wish(self, recorded: RecordedEvent) -> None:
        """Only what somebody asked for, by them, once, and never after a final refusal."""
        known = self.wishes.get(recorded.command_id)
        if known is None:
            self.broken(4, f"nobody asked for {recorded.command_id} ({type(recorded.event).__name__})")
            return
        user_id, wish = known
        if user_id != recorded.by:
            self.broken(6, f"{recorded.command_id} of {user_id} was recorded as {recorded.by}'s")
        if recorded.command_id in self._refused:
            self._check_refused(recorded.command_id)
        expected = wish.body.get("expectedSeq")
        if isinstance(recorded.event, ExpenseUpdated) and expected not in (None, recorded.event.before.seq):
            self.broken(4, f"{recorded.command_id} overwrote {recorded.event.before.seq}, not {expected}")

    def _check_refused(self, command_id: str) -> None:
        """A command that was refused is in the ledger now.

        Nobody remembers refusals: of two copies under way at once the one may be refused and the other carried out.
        But once all attempts before a refusal are over, nothing may come of them.
        """
        over = self._refused[command_id]
        if all(any(asked is earlier for earlier in over) for asked in self._attempts[command_id]):
            self.broken(8, f"{command_id} was refused when its outcome wasn't known, and is in the ledger")
        else:
            self._counts["refused, and a copy of it carried out"] += 1

    # --- requests

    def asked(self, node: Node, user_id: str, event: str, body: Json) -> Asked:
        """See `Watcher`."""
        past = self.past(str(body.get("groupId", "")))
        asked = Asked(
            user_id,
            event,
            body,
            self._loop.time(),
            len(past.events),
            past.is_member(user_id),
            past.flips[user_id],
            node,
        )
        for command in body.get("commands", [body]):
            self._attempts.setdefault(command.get("commandId", ""), []).append(asked)
        return asked

    def answered(self, node: Node, asked: Asked, ack: Json) -> None:
        """See `Watcher`."""
        self._trace.add(node.name, "answers", asked.user_id[:4], asked.event, _brief(ack))
        asked.is_answered = True
        self._check_answer(node, asked, ack)
        if asked.event == "sync:push" and ack["ok"]:
            if len(ack["results"]) != len(asked.body["commands"]):
                self.broken(9, "a push with another number of acks")
            for command, each in zip(asked.body["commands"], ack["results"], strict=False):
                self._counts["commands answered"] += 1
                self._check_code(node, asked, each)
                self._check_write(asked, command["commandId"], command, each)
        elif "commandId" in asked.body and asked.event not in _READS:
            self._counts["commands answered"] += 1
            self._check_write(asked, asked.body["commandId"], {"type": asked.event, **asked.body}, ack)
        elif asked.event in _READS:
            self._check_read(asked, ack)

    def _check_answer(self, node: Node, asked: Asked, ack: Json) -> None:
        if (asked.event not in _READS and asked.event != "sync:push") or not ack["ok"]:
            self._check_code(node, asked, ack)

    def _may_fail(self, asked: Asked, ack: Json) -> bool:
        """Who waited long for a slow store, or lost every race with other nodes, is told to come back."""
        is_over = self._loop.time() - asked.at >= LOCK_SECONDS_MAX
        since = (sum(at >= asked.at for at in past.committed_at.values()) for past in self.pasts.values())
        return is_over or ("from too many sides" in ack["error"]["detail"] and max(since) >= ATTEMPTS_MAX)

    def _check_code(self, node: Node, asked: Asked, ack: Json) -> None:
        """No fault of ours, and no "unavailable" without a reason."""
        code = None if ack["ok"] else ack["error"]["code"]
        self._counts[f"answer {code or ('replayed' if ack.get('replayed') else 'ok')}"] += 1
        if code == "internal_error":
            self.broken(9, f"{asked.event} was answered with internal_error")
        if (
            code == "store_unavailable"
            and node.wire.trouble_until < asked.at
            and not self._may_fail(asked, ack)
        ):
            self.broken(9, f"{asked.event} was answered with store_unavailable, and the store is fine")

    def _check_write(self, asked: Asked, command_id: str, body: Json, ack: Json) -> None:
        known = self.wishes.get(command_id)
        is_misuse = known is None or {"type": known[1].type, **known[1].body} != body
        if is_misuse:
            self._counts["keys misused"] += 1
            if ack["ok"]:
                self.broken(4, f"another use of {command_id} was answered with ok")
            return
        if ack["ok"]:
            self._check_ok(command_id, body, ack)
        elif ack["error"]["code"] not in TEMPORARY:
            self._check_refusal(asked, command_id, body, ack["error"]["code"])

    def _check_ok(self, command_id: str, body: Json, ack: Json) -> None:
        """Durable at the instant of the answer, under the seq that it says, and the same at every answer."""
        group_id = str(ack["group"]["id"] if "group" in ack else body["groupId"])
        past = self.past(group_id)
        seq = ack["seq"]
        if seq > len(past.events) or past.events[seq - 1].command_id != command_id:
            self.broken(3, f"{command_id} was acknowledged as {seq}, where the ledger has something else")
            return
        if self._acked.setdefault(command_id, seq) != seq:
            self.broken(4, f"{command_id} was acknowledged as {self._acked[command_id]} and as {seq}")
        thing = thing_of(past.events[seq - 1].event)
        for noun in ("expense", "settlement"):
            if noun in ack and (thing is None or views.thing(thing, group_id) != ack[noun]):
                self.broken(3, f"the ack of {command_id} shows another {noun} than the ledger")

    def _check_refusal(self, asked: Asked, command_id: str, body: Json, code: str) -> None:
        past = self.past(str(body.get("groupId", "")))
        user_id = self.wishes[command_id][0]
        if any(recorded.command_id == command_id for recorded in past.events):
            # Who isn't in the group any more learns nothing of it, not even of what they did.
            if code == "not_found" and not past.is_member(user_id):
                self._counts["not_found after leaving"] += 1
            elif past.committed_at[command_id] >= asked.at:
                # Refused while another copy of it was under way, which was carried out when it had become right.
                self._counts["refused before another copy"] += 1
            else:
                self.broken(8, f"{command_id} is in the ledger and was refused with {code}")
        else:
            over = [asked for asked in self._attempts[command_id] if asked.is_over]
            self._refused.setdefault(command_id, []).extend(over)

    def _check_read(self, asked: Asked, ack: Json) -> None:
        """A read sees all that was durable when it began, and is for members only."""
        past = self.past(asked.body["groupId"])
        self._counts[f"{asked.event} answered"] += 1
        if not ack["ok"]:
            if (
                ack["error"]["code"] == "not_found"
                and asked.was_member
                and asked.flips == past.flips[asked.user_id]
            ):
                self.broken(5, f"{asked.event} told a member of {asked.body['groupId'][:4]} not_found")
            return
        # Alone, a node knows with its next sweep what came of writes that weren't answered, and not before.
        is_unsure = asked.node.is_alone and asked.node.wire.trouble_until + LATE_SECONDS_MAX > asked.at
        if not is_unsure and not asked.was_member and asked.flips == past.flips[asked.user_id]:
            self.broken(6, f"{asked.event} was answered to {asked.user_id[:4]}, who isn't in the group")
        wanted = asked.body.get("seq")
        if is_unsure:
            pass
        elif wanted is not None and wanted <= asked.head:
            if ack["seq"] != wanted:
                self.broken(5, f"balances of seq {wanted} were asked for and those of {ack['seq']} given")
        elif ack["seq"] < asked.head:
            self.broken(5, f"{asked.event} answered as of {ack['seq']}, when {asked.head} was durable")
        if asked.event == "balances:get":
            self._check_balances(asked.body["groupId"], ack["seq"], ack["balances"], "balances:get")
        elif "events" in ack:
            self._check_tail(asked, past, ack)

    def _check_tail(self, asked: Asked, past: Past, ack: Json) -> None:
        after = 0 if ack["reset"] else asked.body["after"]
        seqs = [event["seq"] for event in ack["events"]]
        if seqs != list(range(after + 1, after + 1 + len(seqs))):
            self.broken(5, f"a pull after {after} got {seqs}")
        for event in ack["events"]:
            if event != codec.event_to_json(past.events[event["seq"] - 1]):
                self.broken(5, f"a pull got another event {event['seq']} than the ledger's")
        if not ack["more"] and ack["seq"] > after + len(seqs):
            self.broken(5, f"a pull after {after} ended early, at {after + len(seqs)} of {ack['seq']}")

    # --- what sockets hear

    def entered(self, link: Link, room: str, *, is_in: bool) -> None:
        """See `Watcher`."""
        if room.startswith("g:") and is_in != (room in link.rooms):
            group_id = room.removeprefix("g:")
            link.first.pop(group_id, None)
            link.last.pop(group_id, None)
            if not is_in:
                link.ready_seqs.pop(group_id, None)

    def emitted(self, node: Node, link: Link, event: str, data: Json) -> None:
        """See `Watcher`."""
        self._trace.add(node.name, "emits", event, link.sid, data.get("groupId", "")[:4], data.get("seq", ""))
        if node.actor.is_dead:
            self.broken(9, "a dead node speaks")
        if event in _BROADCASTS:
            self._counts["broadcasts"] += 1
            self._heard(node, link, event, data)
        elif event == "session:ready":
            self._ready(node, link, data)
        elif event == "settlement:due" and not self.past(data["groupId"]).was_member(
            link.user_id, data["seq"]
        ):
            self.broken(6, f"{link.user_id[:4]} was told what is due in a group that they aren't in")

    def _heard(self, node: Node, link: Link, event: str, data: Json) -> None:
        group_id, seq = data["groupId"], data["seq"]
        past = self.past(group_id)
        if seq > len(past.events):
            self.broken(3, f"{node.name} announced {group_id[:4]} {seq} before it was durable")
            return
        recorded = past.events[seq - 1]
        told = (data["commandId"], data["at"], data["by"])
        if told != (recorded.command_id, recorded.at, recorded.by):
            self.broken(4, f"{node.name} announced another {group_id[:4]} {seq} than the ledger's")
        if not past.was_member(link.user_id, seq):
            self.broken(6, f"{link.user_id[:4]} heard {event} {seq} of a group that they weren't in then")
        self._check_balances(group_id, seq, data["updatedBalances"], event)
        self._check_order(node, link, group_id, seq)

    def _check_order(self, node: Node, link: Link, group_id: str, seq: int) -> None:
        last = link.last.get(group_id)
        if last is not None and seq <= last:
            self.broken(4, f"{node.name} told {link.sid} {group_id[:4]} {seq} after {last}: a second time")
        elif last is not None and seq > last + 1:
            self.broken(5, f"{node.name} told {link.sid} {group_id[:4]} {seq} after {last}: a hole")
        elif last is None and seq > link.ready_seqs.get(group_id, seq - 1) + 1:
            self.broken(
                5, f"{node.name} told {link.sid} {seq} first, and greeted with {link.ready_seqs[group_id]}"
            )
        link.first.setdefault(group_id, seq)
        link.last[group_id] = max(seq, last or 0)

    def _came_back(self, link: Link, group_id: str, seq: int, first: int) -> bool:
        """Whether they left and joined anew between what they were greeted with and what they heard first."""
        past = self.past(group_id)
        return not all(past.was_member(link.user_id, between) for between in range(seq + 1, first))

    def _ready(self, node: Node, link: Link, data: Json) -> None:
        link.ready_at = self._loop.time()
        self._counts["greetings"] += 1
        for group in data["groups"]:
            seq, group_id = group["seq"], group["id"]
            first, last = link.first.get(group_id), link.last.get(group_id)
            if first is None or last is None or self._came_back(link, group_id, seq, first):
                pass
            elif not first <= seq + 1 <= last + 1:
                self.broken(5, f"{link.sid} was greeted with {seq} and has heard {first} to {last}")
            if f"g:{group_id}" in link.rooms:  # they may have left since it was read
                link.ready_seqs[group_id] = seq
            if not self.past(group_id).was_member(link.user_id, seq):
                self.broken(6, f"{link.user_id[:4]} was greeted with a group that they weren't in")

    def _check_balances(self, group_id: str, seq: int, rows: Iterable[Json], where: str) -> None:
        state = self.past(group_id).states[seq]
        if state is None or {row["userId"]: row["amount"] for row in rows} != dict(state.balances):
            self.broken(
                1, f"{where} tells other balances of {group_id[:4]} at {seq} than follow from the ledger"
            )

    # --- how late

    def _expect_soon(self, recorded: RecordedEvent) -> None:
        at = self._loop.time()
        flips = Counter(self.past(recorded.group_id).flips)
        self._actor.soon(LATE_SECONDS_MAX, lambda: self._check_arrived(recorded, at, flips))

    def _check_arrived(self, recorded: RecordedEvent, at: float, flips: Counter[str]) -> None:
        """Every socket that could hear it has been told by now, whatever became of the hints."""
        past = self.past(recorded.group_id)
        for node in list(self.nodes.values()):
            if node.wire.trouble_until >= at or not node.is_up or node.is_stopping:
                self._counts["lateness not judged"] += 1
                continue
            for link in list(node.switchboard.links.values()):
                if link.is_gone or link.is_closing or link.ready_at is None or link.ready_at > at:
                    continue
                state = past.states[recorded.seq]
                # Who left and came back begins anew.
                has_moved = flips[link.user_id] != past.flips[link.user_id]
                if node.is_alone and f"g:{recorded.group_id}" not in link.rooms:
                    continue  # a group whose making wasn't answered: its maker's retry lets them hear it
                if state is None or not state.is_member(link.user_id) or has_moved:
                    continue
                self._counts["lateness judged"] += 1
                told = max(link.last.get(recorded.group_id, 0), link.ready_seqs.get(recorded.group_id, 0))
                if told < recorded.seq:
                    self.broken(
                        5,
                        f"{node.name} hasn't told {link.sid} {recorded.group_id[:4]} {recorded.seq} "
                        f"within {LATE_SECONDS_MAX} s; it is at {told}",
                    )

    # --- at the end

    async def check_snapshots(self, store: MemoryEvents) -> None:
        """Snapshot and tail equal the fold at every cut."""
        for group_id, past in self.pasts.items():
            for seq in range(1, len(past.events) + 1):
                if await snapshots.load(store, group_id, seq) != past.states[seq]:
                    self.broken(7, f"{group_id[:4]} from a snapshot differs from the fold at {seq}")

    def check_nodes(self) -> None:
        """What nodes hold is what the ledgers say; no lock is left held."""
        for node in self.nodes.values():
            for group_id, live in node.groups._held.items():
                if live.users or live.lock.locked():
                    self.broken(9, f"{node.name} holds the lock of {group_id[:4]} for ever")
                elif live.state is not None and live.state != self.past(group_id).states[live.state.seq]:
                    self.broken(7, f"{node.name} holds another state of {group_id[:4]} than the fold")
            ghosts = set(node.fan_out._audience._user_of) - set(node.switchboard.links)
            if ghosts:
                self.broken(9, f"{node.name} remembers sockets that have gone: {sorted(ghosts)}")

    def groups_of(self, user_id: str) -> set[str]:
        """The groups that the user is in."""
        return {group_id for group_id, past in self.pasts.items() if past.is_member(user_id)}

    def differences(self, storage: Storage, *, with_gone: bool) -> list[str]:
        """How a phone differs from the ledgers. `with_gone`: groups that it holds and shouldn't count, too."""
        mine = self.groups_of(storage.user_id)
        found = [f"{id_[:4]}: isn't there" for id_ in sorted(mine - storage.groups.keys())]
        if with_gone:
            found += [f"{id_[:4]}: is still there" for id_ in sorted(storage.groups.keys() - mine)]
        for group_id in sorted(mine & storage.groups.keys()):
            found += [
                f"{group_id[:4]}: {text}" for text in self._held_differs(storage.groups[group_id], group_id)
            ]
        return found

    def _held_differs(self, held: Held, group_id: str) -> list[str]:
        past = self.past(group_id)
        state = past.states[-1]
        if state is None or held.seq != state.seq:
            return [f"at {held.seq} of {len(past.events)}"]
        found = []
        if held.balances != dict(state.balances) or held.balances_seq != held.seq:
            found.append(f"other balances at {held.seq} (as of {held.balances_seq})")
        if (held.name, held.archived_at) != (state.settings.name, state.settings.archived_at):
            found.append("other settings")
        things: dict[str, Expense | Settlement] = {}
        for recorded in past.events:
            thing = thing_of(recorded.event)
            if thing is not None:
                things[thing.id] = thing
        if _text(held.things) != _text({id_: views.thing(thing, group_id) for id_, thing in things.items()}):
            found.append("other expenses or settlements")
        return found

    def check_acked(self, storages: Iterable[Storage]) -> None:
        """What phones were told is done is in the ledger under that seq; what they were told is refused is not."""
        by_command = {
            recorded.command_id: recorded for past in self.pasts.values() for recorded in past.events
        }
        total = sum(len(past.events) for past in self.pasts.values())
        if len(by_command) != total:
            self.broken(4, "a command made two events")
        for storage in storages:
            for command_id, seq in storage.done.items():
                if command_id not in by_command or by_command[command_id].seq != seq:
                    self.broken(3, f"{command_id} was acknowledged as {seq} and isn't there")


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _brief(ack: Json) -> str:
    """An ack in a word or two."""
    if not ack["ok"]:
        return str(ack["error"]["code"])
    if "results" in ack:
        return ",".join(_brief(result) for result in ack["results"])
    return f"ok {ack.get('seq', '')}{' replayed' if ack.get('replayed') else ''}"
