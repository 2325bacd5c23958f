"""Our own file: what went out comes in again, with its balances, its history and its plan."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given

from persplit.exchange.rows import Status
from persplit.ledger import codec
from persplit.ledger.codec import Json
from persplit.ledger.commands import UpdateGroup
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.state import plan_of
from tests.exchange.given import Target, exported
from tests.ledger.given import LONG_PROPERTY, Ledger, histories


def renamed(value: Any, people: Ledger) -> Any:
    """The JSON value with ids that are UUIDs, in the same order, so that ties are broken alike."""
    ids = sorted([*people.group.members, *people.things])
    names = {who: f"00000000-0000-4000-8000-{number:012d}" for number, who in enumerate(ids)}
    return _replaced(value, names)


def _replaced(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


def largest(value: Any) -> int:
    """The largest number in the JSON value."""
    if isinstance(value, dict):
        return max((largest(part) for part in value.values()), default=0)
    if isinstance(value, list):
        return max(map(largest, value), default=0)
    return value if isinstance(value, int) else 0


def history(events: list[Json]) -> Iterator[Json]:
    """What happened to expenses and settlements, without where and under what number that was."""
    for event in events:
        noun = event["type"].partition(":")[0]
        if noun in ("expense", "settlement"):
            yield {
                "type": event["type"],
                noun: without_place(event[noun]),
                "before": without_place(event.get("before")),
            }


def said(events: list[Json]) -> list[tuple[str, str, str]]:
    """What was said about which expense, without the name of an author who has no account here."""
    talk = [event for event in events if event["type"].startswith("comment:")]
    return [
        (event["type"], event["comment"]["expenseId"], event["comment"]["text"].rpartition(": ")[2])
        for event in talk
    ]


def without_place(thing: Json | None) -> Json | None:
    return thing and {k: v for k, v in thing.items() if k not in ("groupId", "seq")}


@given(histories())
@LONG_PROPERTY
def test_import_of_export_has_the_balances_the_history_and_the_plan(ledger: Ledger) -> None:
    document = renamed(exported(ledger), ledger)
    assume(largest(document["events"]) <= AMOUNT_MAX)
    me = document["group"]["members"][0]["userId"]
    target = Target.founded(ledger.group.settings.currency, name="u1", by=me)
    plan = target.takes(json.dumps(document))
    assert {row.status for row in plan.rows} <= {Status.NEW}
    assert not plan.differences
    wanted = {one["userId"]: one["amount"] for one in document["balances"]}
    assert {u: a for u, a in target.state.balances.items() if a} == {u: a for u, a in wanted.items() if a}
    ours = [codec.event_to_json(recorded) for recorded in target.ledger.events]
    claimed = {m["claimed"]: m["userId"] for m in document["group"]["members"] if m["claimed"]}
    assert list(history(ours)) == list(history(_replaced(document["events"], claimed)))
    assert said(ours) == said(document["events"])
    # Whoever left while debts could be rearranged could only do so then: so that comes last.
    target.ledger.do(me, UpdateGroup(simplify=ledger.group.settings.simplify))
    rows = [
        {"from": row.from_id, "to": row.to_id, "amount": row.amount}
        for row in plan_of(target.state).transfers
    ]
    assert rows == document["settleUp"]
