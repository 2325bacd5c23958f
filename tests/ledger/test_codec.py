"""What is stored stays readable for ever, and comes back as it went in."""

import json
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given

from persplit.ledger import codec
from persplit.ledger.codec import (
    TYPES,
    UnknownEvent,
    event_from_json,
    event_to_document,
    event_to_json,
    expense_to_json,
    member_to_json,
    settings_to_json,
    settlement_to_json,
)
from persplit.ledger.events import (
    Event,
    ExpenseCreated,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberUnblocked,
    MemberUpdated,
    RecordedEvent,
    SettlementCreated,
    SettlementEvent,
)
from persplit.ledger.expense import Expense, Item, Posting, SplitType, SplitValue
from persplit.ledger.group import GroupSettings, Member, Role
from persplit.ledger.settlement import Settlement, SettlementStatus
from tests.strategies import recorded_events

GOLDEN = Path(__file__).parent.parent / "golden" / "events_v1"
BEFORE_UNITS = GOLDEN.parent / "events_v1_before_units"
GOLDEN_NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))

GROUP = "0192f3a0-0000-7000-8000-0000000000a1"
ASHA = "0192f3a0-0000-7000-8000-00000000a51a"
RAVI = "0192f3a0-0000-7000-8000-00000000ba0b"
MEERA = "0192f3a0-0000-7000-8000-00000000ee4a"


def stored(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return document


def decoded(name: str) -> Event:
    return event_from_json(stored(name)).event


def decoded_expense(name: str) -> Expense:
    event = decoded(name)
    assert isinstance(event, ExpenseCreated)
    return event.expense


def same_text(one: object, other: object) -> bool:
    """Equal to the letter: the order of keys counts, and 1 isn't 1.0 or true."""
    return json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_every_golden_event_is_written_back_as_it_was_read(name: str) -> None:
    assert same_text(event_to_document(event_from_json(stored(name))), stored(name))


@pytest.mark.parametrize("name", sorted(path.stem for path in BEFORE_UNITS.glob("*.json")))
def test_members_from_before_there_were_units_are_in_none_and_not_blocked(name: str) -> None:
    old: dict[str, Any] = json.loads((BEFORE_UNITS / f"{name}.json").read_text(encoding="utf-8"))
    assert "unit" not in repr(old)
    assert event_from_json(old) == event_from_json(stored(name))


def test_every_kind_of_event_has_a_golden_file() -> None:
    kinds = {type(decoded(name)) for name in GOLDEN_NAMES}
    assert kinds == set(get_args(Event)) == set(TYPES)


def test_every_split_type_has_a_golden_file() -> None:
    created = [event for event in map(decoded, GOLDEN_NAMES) if isinstance(event, ExpenseCreated)]
    assert {event.expense.split_type for event in created} == set(SplitType)


def test_the_record_around_the_event() -> None:
    assert event_from_json(stored("group_created")) == RecordedEvent(
        group_id=GROUP,
        seq=1,
        at="2026-11-14T09:01:00.125Z",
        by=ASHA,
        command_id="0192f3a0-0000-7000-8000-0000c0000001",
        content_hash="01" * 32,
        event=decoded("group_created"),
    )


def test_the_founding_of_a_group() -> None:
    asha = Member(ASHA, "Asha", Role.ADMIN, placeholder=False, joined_at="2026-11-14T09:01:00.125Z")
    goa = GroupSettings(
        "Goa, November",
        "Sun और sand 🏖️",
        "INR",
        simplify=True,
        has_password=False,
        archived_at=None,
        seq=1,
    )
    assert decoded("group_created") == GroupCreated(goa, asha)


def test_changed_settings_have_both_versions() -> None:
    event = decoded("group_updated")
    assert isinstance(event, GroupUpdated)
    assert (event.before.name, event.after.name) == ("Goa, November", "Goa 2026")
    assert (event.before.has_password, event.after.has_password) == (False, True)
    assert event.after.archived_at == "2026-11-14T09:02:00.125Z"


def test_members_who_join_change_and_leave() -> None:
    placeholder = decoded("member_joined_placeholder")
    assert isinstance(placeholder, MemberJoined)
    assert (placeholder.member.name, placeholder.member.placeholder) == ("मीरा", True)
    claiming = decoded("member_joined_claiming")
    assert isinstance(claiming, MemberJoined)
    assert claiming.member.claimed == placeholder.member.user_id
    updated = decoded("member_updated")
    assert isinstance(updated, MemberUpdated)
    assert (updated.before.role, updated.after.role) == (Role.MEMBER, Role.ADMIN)
    left = decoded("member_left")
    assert isinstance(left, MemberLeft)
    assert not left.member.is_active
    blocked, unblocked = decoded("member_left_blocked"), decoded("member_unblocked")
    assert isinstance(blocked, MemberLeft)
    assert isinstance(unblocked, MemberUnblocked)
    assert (blocked.member.blocked, unblocked.member.blocked) == (True, False)
    together = decoded("member_updated_unit")
    assert isinstance(together, MemberUpdated)
    assert (together.before.unit, together.after.unit) == (None, "Rao family")


def test_an_expense_split_equally() -> None:
    assert decoded_expense("expense_created_equal") == Expense(
        id="0192f3a0-0000-7000-8000-00000000e007",
        seq=7,
        description="Beach shack dinner: पनीर टिक्का, café, 海鮮 🍤",
        amount=100000,
        payers=(Posting(ASHA, 100000),),
        split_type=SplitType.EQUAL,
        participants=(ASHA, RAVI, MEERA),
        splits=(),
        items=(),
        include_payer=True,
        date="2026-11-14",
        category="food",
        notes="Tip included",
        shares=(Posting(ASHA, 33334), Posting(RAVI, 33333), Posting(MEERA, 33333)),
        created_by=ASHA,
        created_at="2026-11-14T09:07:00.125Z",
        updated_at="2026-11-14T09:07:00.125Z",
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("expense_created_exact", (50_000, 30_000, 20_000)),
        ("expense_created_percentage", (33_3333, 16_6667, 50_0000)),
        ("expense_created_shares", (1_0000, 5000, 2_5000)),
        ("expense_created_adjustment", (-4_000, 10_000)),
    ],
)
def test_split_values_are_in_the_unit_of_their_type(name: str, values: tuple[int, ...]) -> None:
    splits = decoded_expense(name).splits
    assert splits == tuple(SplitValue(*pair) for pair in zip((ASHA, RAVI, MEERA), values, strict=False))
    assert all(type(split.value) is int for split in splits)


def test_an_itemised_bill() -> None:
    assert decoded_expense("expense_created_itemized").items == (
        Item("Thali ×2", 60_000, (ASHA, RAVI)),
        Item("Fish curry", 40_000, (MEERA,)),
    )


def test_several_payers() -> None:
    expense = decoded_expense("expense_created_several_payers")
    assert expense.payers == (Posting(ASHA, 60_000), Posting(RAVI, 40_000))
    assert not expense.include_payer


def test_a_changed_expense_has_both_versions() -> None:
    event = decoded("expense_updated")
    assert isinstance(event, ExpenseUpdated)
    assert (event.before.amount, event.before.seq) == (100_000, 7)
    assert (event.after.amount, event.after.seq) == (90_000, 14)


def test_a_settlement() -> None:
    assert decoded("settlement_created") == SettlementCreated(
        Settlement(
            id="0192f3a0-0000-7000-8000-000000005e71",
            seq=17,
            from_id=RAVI,
            to_id=ASHA,
            amount=33_333,
            note="For दिनर",
            utr="432109876543",
            status=SettlementStatus.PENDING,
            created_by=RAVI,
            created_at="2026-11-14T09:17:00.125Z",
            updated_at="2026-11-14T09:17:00.125Z",
        )
    )


def test_every_answer_to_a_settlement_carries_its_status() -> None:
    for name in ("settlement_completed", "settlement_declined", "settlement_cancelled"):
        event = decoded(name)
        assert isinstance(event, SettlementEvent)
        assert event.settlement.status == name.removeprefix("settlement_").upper()


@given(recorded_events)
def test_what_is_encoded_comes_back(recorded: RecordedEvent) -> None:
    assert event_from_json(event_to_document(recorded)) == recorded
    assert event_from_json(orjson.loads(orjson.dumps(event_to_document(recorded)))) == recorded


@given(recorded_events)
def test_the_wire_form_is_the_stored_form_without_the_hash_and_with_every_time_zone(
    recorded: RecordedEvent,
) -> None:
    document = event_to_document(recorded)
    assert document.pop("contentHash") == recorded.content_hash
    for key in ("group", "before") if isinstance(recorded.event, GroupCreated | GroupUpdated) else ():
        if key in document:
            document[key] = {"timeZone": "UTC", "kind": "GROUP", **document[key]}
    assert document == event_to_json(recorded)
    assert event_from_json(document).content_hash == ""


def test_parts_have_the_form_that_they_have_in_events() -> None:
    founding = decoded("group_created")
    assert isinstance(founding, GroupCreated)
    assert settings_to_json(founding.settings) == stored("group_created")["group"]
    assert member_to_json(founding.member) == stored("group_created")["member"]
    equal = decoded_expense("expense_created_equal")
    assert expense_to_json(equal, GROUP) == stored("expense_created_equal")["expense"]
    created = decoded("settlement_created")
    assert isinstance(created, SettlementCreated)
    assert settlement_to_json(created.settlement, GROUP) == stored("settlement_created")["settlement"]


def test_keys_of_a_broadcast_that_are_no_part_of_the_event_are_ignored() -> None:
    assert event_from_json({**stored("member_left"), "updatedBalances": [], "settleUp": []}) == (
        event_from_json(stored("member_left"))
    )


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UnknownEvent, match="'expense:imagined'"):
        event_from_json({**stored("member_left"), "type": "expense:imagined"})


@pytest.mark.parametrize("version", [2, 0, None, "1"])
def test_an_unknown_version_is_refused(version: object) -> None:
    with pytest.raises(UnknownEvent, match="version"):
        event_from_json({**stored("member_left"), "v": version})


def test_an_older_version_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codec.UPCASTS, -1, lambda e: {**e, "by": e["actor"], "v": 0})
    monkeypatch.setitem(codec.UPCASTS, 0, lambda e: {**e, "type": e["type"].replace(".", ":"), "v": 1})
    today = stored("member_left")
    old = {key: value for key, value in today.items() if key != "by"}
    old |= {"v": -1, "actor": today["by"], "type": "member.left"}
    assert event_from_json(old) == event_from_json(today)
