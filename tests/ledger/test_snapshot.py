"""A snapshot and the tail are as good as the whole ledger, at every cut."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from persplit.ledger import state as states
from persplit.ledger.commands import ConfirmSettlement, CreateSettlement, DeclineSettlement
from persplit.ledger.snapshot import state_from_json, state_to_json
from persplit.ledger.state import GroupState, apply, plan_of
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    LONG_PROPERTY,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    folded,
    histories,
    ledger_of,
    shared,
    spent,
)


def through_json(state: GroupState) -> GroupState:
    """The state as a store gives it back."""
    return state_from_json(json.loads(json.dumps(state_to_json(state))))


def assert_same(one: GroupState, other: GroupState) -> None:
    """Equal, and equal in what equality of mappings doesn't see: the order of people."""
    assert one == other
    assert list(one.members) == list(other.members)
    assert list(one.pending) == list(other.pending)
    assert plan_of(one) == plan_of(other)


@LONG_PROPERTY
@given(histories())
def test_a_state_comes_back_from_json_as_it_was_at_every_seq(ledger: Ledger) -> None:
    state: GroupState | None = None
    for recorded in ledger.events:
        state = apply(state, recorded)
        assert_same(state_from_json(state_to_json(state)), state)
        assert_same(through_json(state), state)


@LONG_PROPERTY
@given(histories())
def test_snapshot_and_tail_equal_the_full_fold_at_every_cut(ledger: Ledger) -> None:
    for cut in range(1, ledger.seq + 1):
        snapshot = through_json(folded(ledger.events[:cut]))
        assert_same(folded(ledger.events[cut:], snapshot), ledger.group)


@LONG_PROPERTY
@given(histories())
def test_a_state_is_the_same_with_a_snapshot_after_every_event(ledger: Ledger) -> None:
    state: GroupState | None = None
    for recorded in ledger.events:
        state = through_json(apply(state, recorded))
    assert state is not None
    assert_same(state, ledger.group)


def test_all_that_a_state_can_hold_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "STEADY_PAYMENTS_MAX", 2)
    ledger = ledger_of(
        *TRIP,
        WITH_GUEST,
        CLAIMED,
        spent("e1", shared(1000)),
        (RAVI, CreateSettlement("s1", ASHA, 10, note="Cash", utr="123456789012")),
        CreateSettlement("s2", RAVI, 5),
        (RAVI, DeclineSettlement("s2")),
        CreateSettlement("s3", RAVI, 7),
        ConfirmSettlement("s1"),
    )
    ledger.pay(RAVI, ASHA, 20)
    ledger.pay(RAVI, ASHA, 30)
    state = ledger.group
    assert state.basis.plan is not None
    assert state.basis.payments
    assert state.pending
    assert state.claims
    assert state.debts
    assert_same(through_json(state), state)


BROKEN: list[Callable[[dict[str, Any]], object]] = [
    lambda data: data.pop("basis"),
    lambda data: data.pop("claims"),
    lambda data: data["members"][0].pop("role"),
    lambda data: data["members"][0].update(role="OWNER"),
    lambda data: data.update(members=None),
    lambda data: data["basis"].update(payments=[["a", "b"]]),
    lambda data: data.update(settings=None),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_no_snapshot_of_ours_says_so(broken: Callable[[dict[str, Any]], object]) -> None:
    data = state_to_json(ledger_of(*TRIP, spent("e1", shared(100))).group)
    broken(data)
    with pytest.raises((KeyError, TypeError, ValueError)):
        state_from_json(data)
