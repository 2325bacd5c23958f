"""The checker passes what is right, and finds and names everything that is wrong."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture.checker import Anomaly, Finding, check
from tests.torture.fold import moments
from tests.torture.history import (
    Attempt,
    Heard,
    Json,
    Killed,
    Outcome,
    Quiet,
    Read,
    Ready,
    Recorder,
    load,
    seen,
    thing_in,
    told,
)
from tests.torture.made_up import GROUP, World

STEPS: Final = 400
SEEDS: Final = (1, 2, 3)
END: Final = 10**9
"""Later than anything that happened."""


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(0, 250))
def test_a_history_of_a_server_that_keeps_its_promises_passes(seed: int, steps: int) -> None:
    world = World(seed, steps)
    assert check(world.history, world.ledgers) == []
    # Had it all stopped at some moment, what was known by then would agree with what was there by then.
    moment = seed % (world.now + 1)
    then = [event for event in world.events if int(event["at"]) < moment]
    assert check(world.history.until(moment), {GROUP: then}) == []


# --- one wrong thing at a time, planted in a history that is right

Plant = Callable[[World], None]
PLANTS: dict[Anomaly, Plant] = {}


def plants(anomaly: Anomaly) -> Callable[[Plant], Plant]:
    def register(plant: Plant) -> Plant:
        PLANTS[anomaly] = plant
        return plant

    return register


def acknowledged(world: World, command: str = "") -> list[Attempt]:
    """Commands that were sent once and acknowledged, oldest first."""
    sent = [attempt.command_id for attempt in world.history.attempts]
    return [
        a
        for a in world.history.attempts
        if a.outcome is Outcome.OK and sent.count(a.command_id) == 1 and a.command.startswith(command)
    ]


def put(world: World, old: Attempt, new: Attempt) -> None:
    world.history.attempts[world.history.attempts.index(old)] = new


def one_read(world: World, **wanted: bool) -> Read:
    """A read with balances, or with events, from the middle of the run."""
    found = [
        read
        for read in world.history.reads
        if not read.is_final
        and (not wanted.get("balances") or read.balances)
        and (not wanted.get("events") or len(read.events or ()) > 1)
    ]
    return found[len(found) // 2]


def put_read(world: World, old: Read, new: Read) -> None:
    world.history.reads[world.history.reads.index(old)] = new


def from_the_middle(world: World) -> tuple[int, Heard, int]:
    """A broadcast with one before and one after it in its session: the places of it and of the next, and it."""
    for place, heard in enumerate(world.history.heard):
        later = [
            later
            for later, other in enumerate(world.history.heard)
            if later > place and other.session == heard.session and other.seq == heard.seq + 1
        ]
        sooner = any(
            other.session == heard.session and other.seq == heard.seq - 1
            for other in world.history.heard[:place]
        )
        if later and sooner:
            return place, heard, later[0]
    raise AssertionError("a longer run has one")


def forget_what_was_seen(world: World) -> None:
    """Leave only the ledger and whether commands were acknowledged."""
    world.history.reads.clear()
    world.history.heard.clear()
    world.history.ready.clear()
    world.history.attempts[:] = [replace(attempt, thing="") for attempt in world.history.attempts]


def a_read(world: World, client: str, begun: int, seq: int) -> None:
    world.history.reads.append(Read(client, client, GROUP, begun, begun + 1, seq))


@plants(Anomaly.LOST_ACK)
def _(world: World) -> None:
    asked = {"amount": 5, "description": "gone"}
    lost = Attempt(
        9_999, "x", "x", GROUP, "gone", "expense:create", "asha", asked, END, END + 1, Outcome.OK, 7
    )
    world.history.attempts.append(lost)


@plants(Anomaly.WRONG_SEQ)
def _(world: World) -> None:
    acked = acknowledged(world)[-1]
    put(world, acked, replace(acked, seq=acked.seq + 1))


@plants(Anomaly.WRONG_CONTENT)
def _(world: World) -> None:
    acked = acknowledged(world, "expense:")[-1]
    put(world, acked, replace(acked, thing="another"))


@plants(Anomaly.GHOST)
def _(world: World) -> None:
    acked = acknowledged(world)[-1]
    put(world, acked, replace(acked, outcome=Outcome.REFUSED, seq=0, thing="", code="conflict"))


@plants(Anomaly.UNSENT)
def _(world: World) -> None:
    world.history.attempts.remove(acknowledged(world)[-1])


@plants(Anomaly.COMMAND_TWICE)
def _(world: World) -> None:
    acked = acknowledged(world, "expense:create")[-1]
    put(
        world,
        acked,
        replace(acked, asked={name: value for name, value in acked.asked.items() if name != "id"}),
    )
    event = world.events[acked.seq - 1]
    again = {**event["expense"], "id": "the-second", "seq": len(world.events) + 1}
    world.events.append(
        {**event, "seq": len(world.events) + 1, "at": world.events[-1]["at"], "expense": again}
    )
    world.history.quiet.clear()
    world.history.reads[:] = [read for read in world.history.reads if not read.is_final]


@plants(Anomaly.CONFLICTING_ANSWERS)
def _(world: World) -> None:
    acked = acknowledged(world)[-1]
    refused = replace(acked, begun=END, ended=END + 1, outcome=Outcome.REFUSED, code="not_found")
    world.history.attempts.append(refused)


@plants(Anomaly.HOLE)
def _(world: World) -> None:
    del world.events[len(world.events) // 2]


@plants(Anomaly.INVALID_EVENT)
def _(world: World) -> None:
    forget_what_was_seen(world)
    event = next(event for event in reversed(world.events) if event["type"] == "expense:created")
    event["expense"]["shares"][0]["amount"] += 1


@plants(Anomaly.REAL_TIME_ORDER)
def _(world: World) -> None:
    forget_what_was_seen(world)
    acked = acknowledged(world)[-1]
    put(world, acked, replace(acked, begun=-2, ended=-1))


@plants(Anomaly.LOST_UPDATE)
def _(world: World) -> None:
    replaced = moments(world.events).version_before
    acked = next(a for a in reversed(acknowledged(world, "expense:")) if replaced[a.seq] > 0)
    put(world, acked, replace(acked, asked={**acked.asked, "expectedSeq": replaced[acked.seq] - 1}))


@plants(Anomaly.UNBALANCED)
def _(world: World) -> None:
    read = one_read(world, balances=True)
    put_read(world, read, replace(read, balances={**(read.balances or {}), "asha": 1_000_000}))


@plants(Anomaly.WRONG_BALANCES)
def _(world: World) -> None:
    read = one_read(world, balances=True)
    put_read(world, read, replace(read, balances={"asha": 1_000_000, "ben": -1_000_000}))


@plants(Anomaly.READ_NOT_PREFIX)
def _(world: World) -> None:
    read = one_read(world, events=True)
    put_read(world, read, replace(read, events=(read.events or ())[1:]))


@plants(Anomaly.READ_WENT_BACK)
def _(world: World) -> None:
    event = world.events[-1]
    taken_effect = int(event["at"])
    a_read(world, "x", taken_effect + 1, event["seq"])
    a_read(world, "x", taken_effect + 4, event["seq"] - 1)


@plants(Anomaly.MISSED_OWN_WRITE)
def _(world: World) -> None:
    acked = max(acknowledged(world), key=lambda attempt: attempt.seq)
    a_read(world, acked.client, END, acked.seq - 1)


@plants(Anomaly.STALE_READ)
def _(world: World) -> None:
    a_read(world, "x", END, len(world.events) - 1)


@plants(Anomaly.PHANTOM_BROADCAST)
def _(world: World) -> None:
    heard = world.history.heard[-1]
    world.history.heard.append(replace(heard, seq=len(world.events) + 1, command_id="nobody's"))


@plants(Anomaly.WRONG_BROADCAST)
def _(world: World) -> None:
    place, heard, _ = from_the_middle(world)
    world.history.heard[place] = replace(heard, digest="another")


@plants(Anomaly.REPEATED_BROADCAST)
def _(world: World) -> None:
    world.history.heard.append(world.history.heard[len(world.history.heard) // 2])


@plants(Anomaly.BROADCAST_ORDER)
def _(world: World) -> None:
    place, _, later = from_the_middle(world)
    heard = world.history.heard
    heard[place], heard[later] = heard[later], heard[place]


@plants(Anomaly.MISSED_BROADCAST)
def _(world: World) -> None:
    del world.history.heard[from_the_middle(world)[0]]


@plants(Anomaly.OVERHEARD)
def _(world: World) -> None:
    _, heard, _ = from_the_middle(world)
    world.history.heard.append(replace(heard, client="eve", session="eve", user_id="eve"))


@plants(Anomaly.DIVERGED)
def _(world: World) -> None:
    final = next(read for read in world.history.reads if read.is_final)
    put_read(world, final, replace(final, seq=final.seq - 1))


def classes(findings: Iterable[Finding]) -> set[Anomaly]:
    return {finding.anomaly for finding in findings}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("anomaly", Anomaly, ids=lambda anomaly: anomaly.name)
def test_what_is_wrong_is_found_and_named_and_nothing_else(anomaly: Anomaly, seed: int) -> None:
    world = World(seed, STEPS)
    PLANTS[anomaly](world)
    findings = check(world.history, world.ledgers)
    assert classes(findings) == {anomaly}
    assert all(finding.evidence and finding.what in str(finding) for finding in findings)


# --- what is subtle


def an_expense(seq: int, **fields: object) -> Json:
    """An event of Asha's that nobody else has a part in."""
    expense = {"id": f"e{seq}", "seq": seq, "description": "tea", "amount": 6, "paidBy": "asha"}
    expense |= {"shares": [{"userId": "asha", "amount": 6}], "deletedAt": None}
    head = {"groupId": GROUP, "seq": seq, "at": "1", "by": "asha", "commandId": f"c{seq}"}
    return {**head, "type": "expense:created", "expense": expense, **fields}


def an_attempt(begun: int, ended: int | None, outcome: Outcome, **fields: Any) -> Attempt:
    made = Attempt(begun, "a", "a", GROUP, "c1", "expense:create", "asha", {"amount": 6}, begun, ended)
    return replace(made, outcome=outcome, **fields)


def found_in(events: list[Json], *attempts: Attempt, killed: int | None = None) -> set[Anomaly]:
    history = World(0, 0).history.until(0)
    history.attempts += attempts
    if killed is not None:
        history.add(Killed(killed))
    return classes(check(history, {GROUP: events}))


def test_refused_while_another_attempt_was_still_under_way_it_may_be_there() -> None:
    lost = an_attempt(1, 2, Outcome.UNKNOWN)
    refused = an_attempt(5, 6, Outcome.REFUSED, code="conflict")
    assert found_in([an_expense(1)], lost, refused) == set()
    # But not when the server that had the first attempt was killed before the second.
    assert found_in([an_expense(1)], lost, refused, killed=4) == {Anomaly.GHOST}
    assert found_in([an_expense(1)], lost, refused, killed=7) == set()
    assert found_in([], lost, refused, killed=4) == set()


def test_a_key_refused_for_other_content_must_have_been_used() -> None:
    refused = an_attempt(5, 6, Outcome.REFUSED, code="idempotency_key_reused", asked={"amount": 7})
    first = an_attempt(1, 2, Outcome.OK, seq=1)
    assert found_in([an_expense(1)], first, refused) == set()
    assert found_in([], refused) == {Anomaly.CONFLICTING_ANSWERS}


def test_acknowledged_again_it_says_that_it_was_before() -> None:
    first, again = an_attempt(1, 2, Outcome.OK, seq=1), an_attempt(3, 4, Outcome.OK, seq=1)
    assert found_in([an_expense(1)], first, replace(again, is_replayed=True)) == set()
    assert found_in([an_expense(1)], first, again) == {Anomaly.CONFLICTING_ANSWERS}


def test_an_unknown_outcome_allows_both_but_not_other_content_nor_twice() -> None:
    lost = an_attempt(1, None, Outcome.UNKNOWN)
    assert found_in([], lost) == found_in([an_expense(1)], lost) == set()
    assert found_in([an_expense(1, by="ben")], lost) == {Anomaly.WRONG_CONTENT}
    assert found_in([an_expense(1), an_expense(2, commandId="c1")], lost) == {Anomaly.COMMAND_TWICE}


def test_who_has_come_since_may_hear_what_was_before() -> None:
    made = an_expense(1)
    joined = {**an_expense(2), "type": "member:joined", "by": "ben", "member": {"userId": "ben"}}
    del joined["expense"]
    heard = Heard("b", "b", "ben", GROUP, 9, 1, "c1", made["type"], told(made["type"], made), {})
    join = an_attempt(5, 6, Outcome.OK, seq=2, command_id="c2", command="group:join", actor="ben", asked={})
    history = World(0, 0).history.until(0)
    history.attempts += [an_attempt(1, 2, Outcome.OK, seq=1), join]
    for at, found in ((9, set()), (4, {Anomaly.OVERHEARD})):
        history.heard[:] = [replace(heard, at=at)]
        assert classes(check(history, {GROUP: [made, joined]})) == found


def test_the_ledgers_own_versions_must_follow_from_each_other() -> None:
    made = an_expense(1)
    changed = {**made["expense"], "seq": 2, "description": "coffee"}
    update = an_expense(2, commandId="c2", type="expense:updated", expense=changed, before=made["expense"])
    assert moments([made, update]).faults == []
    other = {**update, "before": {**made["expense"], "amount": 7}}
    assert moments([made, other]).faults == [(2, "the version before isn't the one that was there")]
    deleted = an_expense(2, type="expense:deleted", expense={**made["expense"], "deletedAt": "1"})
    restored = an_expense(3, type="expense:restored", expense=made["expense"])
    assert moments([made, deleted, restored]).faults == []
    assert moments([made, restored]).faults != []


def test_who_claims_a_placeholder_has_what_stood_under_it() -> None:
    made = an_expense(1, type="expense:created")
    made["expense"] |= {
        "paidBy": [{"userId": "asha", "amount": 6}],
        "shares": [{"userId": "uncle", "amount": 6}],
    }
    joined = an_expense(2, type="member:joined", member={"userId": "ben", "claimed": "uncle"})
    again = an_expense(3)
    again["expense"]["shares"] = [{"userId": "uncle", "amount": 6}]
    whole = moments([made, {key: value for key, value in joined.items() if key != "expense"}, again])
    assert (whole.faults, whole.balances[2]) == ([], {"asha": 6, "ben": -6})
    assert whole.balances[3] == {"asha": 12, "ben": -12}


def test_what_clients_wrote_to_their_files_is_read_back(tmp_path: Path) -> None:
    world = World(1, 100)
    paths = [tmp_path / "a", tmp_path / "b"]
    recorder = Recorder(paths[0], "a", is_durable=True)
    begun = recorder.begin("s", GROUP, "c1", "expense:create", "asha", {"amount": 6})
    ended = recorder.end(begun, Outcome.OK, seq=1, thing="x")
    lost = recorder.begin("s", GROUP, "c2", "expense:create", "asha", {"amount": 6})
    event = an_expense(1)
    read = Read("a", "s", GROUP, 1, 2, 1, 0, (seen(event),), {"asha": 1}, {"e1": "x"})
    heard = Heard("a", "s", "asha", GROUP, 3, 1, "c1", "expense:created", told("expense:created", event), {})
    for record in (read, heard, Ready("a", "s", "asha", 1, {GROUP: 1}), Quiet("s"), Killed(9)):
        recorder.note(record)
    recorder.close()
    paths[1].write_text('{"kind":"killed","at":1}\n{"kind":"kil')
    history = load(paths)
    assert history.attempts == [ended, lost]
    assert (history.reads, history.heard) == ([read], [heard])
    assert (history.ready[0].seqs, history.quiet, history.killed) == ({GROUP: 1}, {"s"}, [9, 1])
    assert thing_in(event) == event["expense"]
    assert world.ledgers[GROUP] == world.events
