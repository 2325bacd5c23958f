"""What every event store keeps to, real or not."""

import asyncio
import itertools
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from persplit.adapters import mongo_store
from persplit.ledger.codec import event_to_document
from persplit.ledger.events import ExpenseCreated, MemberLeft, MemberUnblocked, Noun, RecordedEvent
from persplit.service import ports
from persplit.service.ports import (
    CommandKnown,
    EventStore,
    GroupErased,
    NewEvent,
    SeqTaken,
    Snapshot,
    fields_of,
)
from tests.adapters.conftest import OpenEvents
from tests.adapters.examples import (
    added,
    changed,
    confirmed,
    fill,
    founded,
    instant,
    joined,
    left,
    new,
    paid,
    renamed,
    seqs,
)

CONTENDERS = 50


async def outcome(appending: Awaitable[RecordedEvent]) -> RecordedEvent | CommandKnown | SeqTaken:
    try:
        return await appending
    except (CommandKnown, SeqTaken) as refusal:
        return refusal


def contender(number: int, command_id: str) -> NewEvent:
    """What one of many nodes would append at the same moment: they all differ in something."""
    return new(1, added(f"expense-{number}"), command_id=command_id, at=instant(number))


async def test_what_is_appended_is_recorded_as_it_was_asked_for(events: EventStore) -> None:
    wished = new(1, founded())
    recorded = await events.append(wished)
    assert recorded == RecordedEvent(
        wished.group_id, 1, wished.at, wished.by, wished.command_id, wished.content_hash, wished.event
    )
    assert list(await events.read("goa", 0, 10)) == [recorded]


async def test_events_are_read_in_order_from_after_a_seq(events: EventStore) -> None:
    await fill(events, founded(), joined("ravi"), added("a"), added("b"), added("c"))
    assert [recorded.seq for recorded in await events.read("goa", 2, 10)] == [3, 4, 5]
    assert [recorded.seq for recorded in await events.read("goa", -1, 10)] == [1, 2, 3, 4, 5]
    assert list(await events.read("goa", 5, 10)) == []


async def test_a_read_returns_at_most_what_was_asked_for(events: EventStore) -> None:
    await fill(events, founded(), joined("ravi"), added("a"))
    assert [recorded.seq for recorded in await events.read("goa", 0, 2)] == [1, 2]
    assert list(await events.read("goa", 0, 0)) == []
    assert list(await events.read_creations("goa", Noun.EXPENSE, 9, 0)) == []


async def test_no_read_returns_more_than_the_limit_of_all(
    events: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persplit.adapters.recording.READ_LIMIT_MAX", 2)
    await fill(events, added("a"), added("b"), added("c"))
    assert len(await events.read("goa", 0, ports.READ_LIMIT_MAX)) == 2
    assert len(await events.read_creations("goa", Noun.EXPENSE, 9, ports.READ_LIMIT_MAX)) == 2


async def test_groups_know_nothing_of_each_other(events: EventStore) -> None:
    await events.append(new(1, group_id="goa", command_id="same"))
    await events.append(new(1, group_id="pune", command_id="same"))
    assert await seqs(events, "goa") == await seqs(events, "pune") == [1]
    assert list(await events.read("nowhere", 0, 10)) == []


async def test_a_seq_is_taken_once(events: EventStore) -> None:
    await fill(events, founded(), added("a"))
    with pytest.raises(SeqTaken):
        await events.append(new(2, added("b"), command_id="other"))
    assert await seqs(events) == [1, 2]


async def test_a_command_makes_one_event(events: EventStore) -> None:
    await fill(events, founded())
    first = await events.append(new(2, added("a"), command_id="same"))
    with pytest.raises(CommandKnown) as known:
        await events.append(new(3, added("b"), command_id="same", content_hash="other"))
    assert known.value.recorded == first
    assert await seqs(events) == [1, 2]


async def test_a_known_command_is_said_before_a_taken_seq(events: EventStore) -> None:
    await fill(events, founded(), added("a"))
    with pytest.raises(CommandKnown) as known:
        await events.append(new(2, added("b"), command_id="command-1"))
    assert known.value.recorded.seq == 1
    with pytest.raises(CommandKnown):
        await events.append(new(1, founded(), at=instant(99)))


async def test_an_append_that_had_succeeded_is_recognised_when_sent_again(events: EventStore) -> None:
    recorded = await events.append(new(1, founded()))
    assert await events.append(new(1, founded())) == recorded
    assert await seqs(events) == [1]


async def test_several_events_come_together(events: EventStore) -> None:
    await fill(events, founded())
    wished = [new(2, joined("ravi")), new(3, added("a")), new(4, added("b"))]
    recorded = await events.append_all(wished)
    assert [(one.seq, one.command_id, one.event) for one in recorded] == [
        (one.seq, one.command_id, one.event) for one in wished
    ]
    assert list(await events.read("goa", 1, 10)) == list(recorded)
    assert (await events.latest("goa", Noun.EXPENSE, ["b"]))["b"] == recorded[-1]
    assert await events.append(new(5, added("c")))


async def test_of_several_events_none_is_there_if_one_cannot_be(events: EventStore) -> None:
    await fill(events, founded())
    with pytest.raises(SeqTaken):
        await events.append_all([new(2, added("a")), new(3, added("b"), command_id="command-1")])
    assert await seqs(events) == [1]
    assert not await events.latest("goa", Noun.EXPENSE, ["a", "b"])


async def test_several_events_do_not_come_where_others_are(events: EventStore) -> None:
    await fill(events, founded(), added("a"))
    with pytest.raises(SeqTaken):
        await events.append_all([new(2, added("b"), command_id="b"), new(3, added("c"))])
    assert await seqs(events) == [1, 2]


async def test_several_events_leave_no_hole(events: EventStore) -> None:
    await fill(events, founded())
    with pytest.raises(ValueError, match="no event 2 for 3"):
        await events.append_all([new(3), new(4)])
    assert await seqs(events) == [1]


async def test_several_events_do_not_come_into_an_erased_group(events: EventStore) -> None:
    await fill(events, founded())
    await events.erase("goa")
    with pytest.raises(GroupErased):
        await events.append_all([new(2), new(3)])


async def test_of_several_who_append_several_one_wins(events: EventStore) -> None:
    await fill(events, founded())
    batches = [
        [new(2, added(f"a{n}"), command_id=f"a{n}"), new(3, added(f"b{n}"), command_id=f"b{n}")]
        for n in range(4)
    ]
    outcomes = await asyncio.gather(*map(events.append_all, batches), return_exceptions=True)
    won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert list(await events.read("goa", 1, 10)) == [one for outcome in won for one in outcome]
    assert await seqs(events) == [1, 2, 3]
    assert len(won) == 1


async def test_no_append_leaves_a_hole(events: EventStore) -> None:
    with pytest.raises(ValueError, match="no event 1 for 2"):
        await events.append(new(2))
    await fill(events, founded())
    with pytest.raises(ValueError, match="no event 2 for 3"):
        await events.append(new(3))
    assert await seqs(events) == [1]


async def test_a_known_command_is_said_before_a_hole(events: EventStore) -> None:
    await fill(events, founded())
    with pytest.raises(CommandKnown):
        await events.append(new(9, command_id="command-1"))


async def test_a_node_that_has_read_nothing_can_append_at_the_head(open_events: OpenEvents) -> None:
    await fill(await open_events(), founded(), added("a"))
    await (await open_events()).append(new(3))
    assert await seqs(await open_events()) == [1, 2, 3]


async def test_of_many_that_want_the_same_seq_one_wins(open_events: OpenEvents) -> None:
    nodes = [await open_events(), await open_events()]
    outcomes = await asyncio.gather(
        *(outcome(nodes[n % 2].append(contender(n, command_id=f"{n}"))) for n in range(CONTENDERS))
    )
    assert sum(isinstance(one, RecordedEvent) for one in outcomes) == 1
    assert sum(isinstance(one, SeqTaken) for one in outcomes) == CONTENDERS - 1
    assert await seqs(nodes[0]) == [1]


async def test_of_many_with_the_same_command_one_makes_the_event_and_all_learn_of_it(
    open_events: OpenEvents,
) -> None:
    nodes = [await open_events(), await open_events()]
    outcomes = await asyncio.gather(
        *(outcome(nodes[n % 2].append(contender(n, command_id="same"))) for n in range(CONTENDERS))
    )
    (made,) = [one for one in outcomes if isinstance(one, RecordedEvent)]
    told = [one for one in outcomes if isinstance(one, CommandKnown)]
    assert [one.recorded for one in told] == [made] * (CONTENDERS - 1)
    assert list(await nodes[1].read("goa", 0, 10)) == [made]


async def test_many_groups_grow_at_once(events: EventStore) -> None:
    groups = [f"group-{n:02d}" for n in range(20)]
    await asyncio.gather(*(fill(events, founded(), added("a"), added("b"), group_id=g) for g in groups))
    assert await events.heads(groups) == dict.fromkeys(groups, 3)


async def test_two_handles_see_each_others_events(open_events: OpenEvents) -> None:
    one, other = await open_events(), await open_events()
    await one.append(new(1, founded()))
    assert await seqs(other) == [1]
    await other.append(new(2))
    with pytest.raises(SeqTaken):
        await one.append(new(2, command_id="late"))
    assert await one.heads(["goa"]) == {"goa": 2}


async def test_a_command_is_found_by_its_id(events: EventStore) -> None:
    recorded = await events.append(new(1, founded(), command_id="found"))
    assert await events.find_command("goa", "found") == recorded
    assert await events.find_command("goa", "lost") is None
    assert await events.find_command("pune", "found") is None


async def test_events_are_found_by_what_their_command_ids_begin_with(events: EventStore) -> None:
    ids = ["import b c 3", "import a c 2", "import a! c 9", "importer", "import a b 1", "undo a 4"]
    await events.append(new(1, founded(), command_id="import a"))
    for place, id_ in enumerate(ids, 2):
        await events.append(new(place, added(f"e{place}"), command_id=id_))

    async def found(prefix: str, after: str = "", limit: int = 9) -> list[str]:
        return [it.command_id for it in await events.of_commands("goa", prefix, after, limit)]

    assert await found("import a ") == ["import a b 1", "import a c 2"]
    assert await found("import a ", after="import a b 1") == ["import a c 2"]
    assert await found("import ", after="import a!", limit=1) == ["import a! c 9"]
    assert await found("import ", after="import a~") == ["import b c 3"]
    assert await found("import ", limit=0) == await found("undo b ") == []
    assert await events.of_commands("pune", "import ", "", 9) == []
    assert (await events.of_commands("goa", "undo ", "", 9))[0].event == added("e7")


async def test_the_latest_event_about_each_thing(events: EventStore) -> None:
    await fill(
        events, founded(), added("a"), added("b"), changed("a", 5), paid("s"), confirmed("s"), renamed("Diu")
    )
    latest = await events.latest("goa", Noun.EXPENSE, ["a", "b", "unknown"])
    assert {id_: recorded.seq for id_, recorded in latest.items()} == {"a": 4, "b": 3}
    assert (await events.latest("goa", Noun.SETTLEMENT, ["s"]))["s"].seq == 6
    assert (await events.latest("goa", Noun.MEMBER, ["asha"]))["asha"].seq == 1
    assert (await events.latest("goa", Noun.GROUP, [""]))[""].seq == 7


async def test_the_first_events_about_one_thing_in_order(events: EventStore) -> None:
    await fill(events, founded(), added("a"), added("b"), changed("a", 5), paid("a"), changed("a", 6))

    async def about(noun: Noun, id_: str, limit: int = 10) -> list[int]:
        return [recorded.seq for recorded in await events.about("goa", noun, id_, limit)]

    assert await about(Noun.EXPENSE, "a") == [2, 4, 6]
    assert await about(Noun.EXPENSE, "a", 2) == [2, 4]
    assert await about(Noun.SETTLEMENT, "a") == [5]
    assert await about(Noun.EXPENSE, "c") == await about(Noun.EXPENSE, "a", 0) == []
    assert not await events.about("pune", Noun.EXPENSE, "a", 10)


async def test_the_latest_of_nothing_elsewhere_or_of_another_kind_is_nothing(events: EventStore) -> None:
    await fill(events, founded(), added("a"))
    assert await events.latest("goa", Noun.EXPENSE, []) == {}
    assert await events.latest("goa", Noun.SETTLEMENT, ["a"]) == {}
    assert await events.latest("pune", Noun.EXPENSE, ["a"]) == {}


async def test_the_latest_of_more_things_than_are_looked_up_at_once(events: EventStore) -> None:
    ids = [f"expense-{n}" for n in range(mongo_store.LOOKUPS_AT_ONCE * 2 + 1)]
    await fill(events, *map(added, ids))
    assert list(await events.latest("goa", Noun.EXPENSE, ids)) == ids


async def test_creations_are_read_newest_first(events: EventStore) -> None:
    await fill(
        events, founded(), added("a"), paid("s"), changed("a", 5), added("b"), confirmed("s"), added("c")
    )
    expenses = await events.read_creations("goa", Noun.EXPENSE, 100, 10)
    assert [recorded.seq for recorded in expenses] == [7, 5, 2]
    assert [recorded.seq for recorded in await events.read_creations("goa", Noun.EXPENSE, 7, 1)] == [5]
    assert [recorded.seq for recorded in await events.read_creations("goa", Noun.SETTLEMENT, 9, 9)] == [3]
    assert [recorded.seq for recorded in await events.read_creations("goa", Noun.MEMBER, 9, 9)] == [1]
    assert list(await events.read_creations("goa", Noun.EXPENSE, 2, 9)) == []
    assert list(await events.read_creations("goa", Noun.EXPENSE, 0, 9)) == []


async def test_heads_leave_out_groups_with_no_events(events: EventStore) -> None:
    await fill(events, founded(), added("a"), group_id="goa")
    await fill(events, founded(), group_id="pune")
    assert await events.heads(["goa", "pune", "nowhere"]) == {"goa": 2, "pune": 1}
    assert await events.heads([]) == {}


async def test_the_seq_at_an_instant_includes_it(events: EventStore) -> None:
    for seq, second in enumerate([10, 20, 20, 30], start=1):
        await events.append(new(seq, at=instant(second)))
    at = {second: await events.seq_at("goa", instant(second)) for second in (9, 10, 19, 20, 29, 30, 59)}
    assert at == {9: 0, 10: 1, 19: 1, 20: 3, 29: 3, 30: 4, 59: 4}
    assert await events.seq_at("nowhere", instant(59)) == 0


async def test_a_user_is_in_the_groups_founded_and_joined_but_not_left(events: EventStore) -> None:
    await fill(events, founded("asha"), joined("ravi"), group_id="pune")
    await fill(events, founded("asha"), joined("ravi"), left("ravi"), group_id="goa")
    await fill(events, founded("ravi"), left("ravi"), joined("ravi"), added("ravi"), group_id="diu")
    gone = replace(left("ravi").member, blocked=True)
    blocked = (MemberLeft(gone), MemberUnblocked(replace(gone, blocked=False)))
    await fill(events, founded("asha"), joined("ravi"), *blocked, group_id="agra")
    assert list(await events.groups_of("asha")) == ["agra", "goa", "pune"]
    assert list(await events.groups_of("ravi")) == ["diu", "pune"]
    assert list(await events.groups_of("nobody")) == []


async def test_a_user_may_be_in_many_groups(events: EventStore) -> None:
    groups = [f"group-{n:03d}" for n in range(120)]
    await asyncio.gather(*(fill(events, founded("asha"), group_id=group_id) for group_id in groups))
    assert list(await events.groups_of("asha")) == groups


async def test_any_text_and_the_largest_amounts_survive(events: EventStore) -> None:
    description = 'पनीर टिक्का 🏖️ "quoted" \\ \u0000 \u2028 عربى'
    recorded = await events.append(new(1, added("a", amount=2**53 - 1, description=description)))
    (read,) = await events.read("goa", 0, 1)
    assert read == recorded
    assert isinstance(read.event, ExpenseCreated)
    assert read.event.expense.amount == 2**53 - 1
    assert read.event.expense.description == description


async def test_a_snapshot_comes_back_as_it_was(events: EventStore) -> None:
    snapshot = Snapshot("goa", 500, 3, bytes(range(256)))
    await events.save_snapshot(snapshot)
    assert await events.load_snapshot("goa", 3, 500) == snapshot


async def test_the_newest_snapshot_up_to_a_seq_is_loaded(events: EventStore) -> None:
    for seq in (100, 300, 200):
        await events.save_snapshot(Snapshot("goa", seq, 1, b"%d" % seq))
    loaded = {up_to: await events.load_snapshot("goa", 1, up_to) for up_to in (99, 100, 299, 1000)}
    assert {up_to: snapshot and snapshot.seq for up_to, snapshot in loaded.items()} == {
        99: None,
        100: 100,
        299: 200,
        1000: 300,
    }
    assert await events.load_snapshot("pune", 1, 1000) is None


async def test_snapshots_of_another_version_are_ignored(events: EventStore) -> None:
    await events.save_snapshot(Snapshot("goa", 100, 1, b"old"))
    await events.save_snapshot(Snapshot("goa", 200, 2, b"new"))
    loaded = await events.load_snapshot("goa", 1, 1000)
    assert loaded is not None
    assert loaded.seq == 100
    assert await events.load_snapshot("goa", 3, 1000) is None


async def test_a_snapshot_at_the_same_seq_is_replaced(events: EventStore) -> None:
    first = Snapshot("goa", 100, 1, b"one")
    second = replace(first, version=2, body=b"two")
    await events.save_snapshot(first)
    await events.save_snapshot(second)
    assert await events.load_snapshot("goa", 2, 100) == second
    assert await events.load_snapshot("goa", 1, 100) is None


async def test_snapshots_saved_by_many_at_once_leave_one(events: EventStore) -> None:
    await asyncio.gather(*(events.save_snapshot(Snapshot("goa", 100, 1, b"%d" % n)) for n in range(10)))
    loaded = await events.load_snapshot("goa", 1, 100)
    assert loaded is not None


async def test_a_snapshot_is_no_event(events: EventStore) -> None:
    await events.save_snapshot(Snapshot("goa", 100, 1, b""))
    assert await events.heads(["goa"]) == {}
    assert list(await events.groups_of("asha")) == []


async def test_a_store_that_answers_can_be_pinged(events: EventStore) -> None:
    await events.ping()


# --- walking through everything


async def test_the_ids_of_all_groups_are_paged_in_order(events: EventStore) -> None:
    for group_id in ("pune", "diu", "goa"):
        await fill(events, founded(), added("a"), group_id=group_id)
    assert list(await events.groups("", 10)) == ["diu", "goa", "pune"]
    assert list(await events.groups("", 2)) == ["diu", "goa"]
    assert list(await events.groups("goa", 2)) == ["pune"]
    assert list(await events.groups("pune", 2)) == []
    assert list(await events.groups("", 0)) == []


async def test_a_group_with_a_snapshot_and_no_event_is_none(events: EventStore) -> None:
    await events.save_snapshot(Snapshot("goa", 1, 1, b""))
    assert list(await events.groups("", 10)) == []


async def test_events_are_shown_as_they_lie_in_the_store(events: EventStore) -> None:
    await fill(events, founded(), added("a"), renamed("Diu"))
    recorded = await events.read("goa", 0, 10)
    stored = await events.stored("goa", 0, 10)
    assert [one.seq for one in stored] == [1, 2, 3]
    for one, event in zip(stored, recorded, strict=True):
        assert one.body == event_to_document(event)
        assert one.fields
        assert one.fields.items() <= fields_of(event).items()
    assert [one.seq for one in await events.stored("goa", 1, 1)] == [2]
    assert list(await events.stored("goa", 3, 10)) == []
    assert list(await events.stored("goa", 0, 0)) == []


async def test_snapshots_of_all_versions_are_paged_in_order(events: EventStore) -> None:
    kept = [Snapshot("goa", seq, seq % 3, b"%d" % seq) for seq in (300, 100, 200)]
    for snapshot in kept:
        await events.save_snapshot(snapshot)
    await events.save_snapshot(Snapshot("pune", 100, 1, b""))
    assert [one.seq for one in await events.snapshots("goa", 0, 10)] == [100, 200, 300]
    assert list(await events.snapshots("goa", 100, 1)) == [kept[2]]
    assert list(await events.snapshots("goa", 300, 10)) == []
    assert list(await events.snapshots("goa", 0, 0)) == []


# --- restoring


async def test_events_that_are_put_are_there_as_if_they_had_been_appended(open_events: OpenEvents) -> None:
    one, other = await open_events(), await open_events()
    await fill(one, founded(), joined("ravi"), added("a"), group_id="goa")
    recorded = [replace(r, group_id="pune") for r in await one.read("goa", 0, 10)]
    await other.put(recorded)
    await other.put([])
    assert list(await one.read("pune", 0, 10)) == recorded
    assert list(await one.groups_of("ravi")) == ["goa", "pune"]
    assert await one.find_command("pune", "command-2") == recorded[1]
    await one.append(new(4, group_id="pune"))


async def test_what_is_put_again_is_left_as_it_is(events: EventStore) -> None:
    await fill(events, founded(), added("a"))
    recorded = list(await events.read("goa", 0, 10))
    third = replace(recorded[1], seq=3, command_id="third")
    await events.put([replace(recorded[0], at=instant(99)), recorded[1], third])
    assert list(await events.read("goa", 0, 10)) == [*recorded, third]


# --- erasing


async def erased(events: EventStore, group_id: str = "goa") -> bool:
    """Whether nothing of the group can be found, and it says so."""
    with pytest.raises(GroupErased):
        await events.read(group_id, 0, 10)
    found = [
        await events.heads([group_id]),
        await events.latest(group_id, Noun.EXPENSE, ["a"]),
        await events.read_creations(group_id, Noun.EXPENSE, 99, 10),
        await events.find_command(group_id, "command-1"),
        await events.of_commands(group_id, "command", "", 9),
        await events.load_snapshot(group_id, 1, 99),
        await events.stored(group_id, 0, 10),
        await events.snapshots(group_id, 0, 10),
        await events.seq_at(group_id, instant(99)),
        group_id in await events.groups("", 10),
        group_id in await events.groups_of("asha"),
    ]
    return not any(found)


async def test_nothing_is_left_of_an_erased_group_and_the_others_are_untouched(events: EventStore) -> None:
    for group_id in ("diu", "goa", "pune"):
        await fill(events, founded(), added("a"), group_id=group_id)
        await events.save_snapshot(Snapshot(group_id, 2, 1, b"state"))
    await events.erase("goa")
    assert await erased(events)
    assert list(await events.groups("", 10)) == ["diu", "pune"]
    assert await seqs(events, "diu") == await seqs(events, "pune") == [1, 2]
    assert await events.load_snapshot("pune", 1, 2) is not None


async def test_no_node_can_write_into_an_erased_group_wherever_it_had_read_to(
    open_events: OpenEvents,
) -> None:
    erasing = await open_events()
    await fill(erasing, founded(), added("a"), added("b"))
    behind = [await open_events() for _ in range(4)]
    for limit, node in enumerate(behind):
        await node.read("goa", 0, limit)
    await erasing.erase("goa")
    for node in [*behind, await open_events()]:
        for seq in (1, 2, 3, 4, 5):
            with pytest.raises(GroupErased):
                await node.append(new(seq, command_id=f"late-{seq}"))
        with pytest.raises(GroupErased):
            await node.read("goa", 2, 10)
        await node.save_snapshot(Snapshot("goa", 2, 1, b"state"))
    assert await erased(erasing)


async def test_erasing_again_and_erasing_what_never_was_is_no_error(events: EventStore) -> None:
    await fill(events, founded())
    for _ in range(2):
        await events.erase("goa")
        await events.erase("nowhere")
    assert await erased(events)
    assert await erased(events, "nowhere")
    with pytest.raises(GroupErased):
        await events.append(new(1, founded(), group_id="nowhere"))


async def test_a_group_that_is_written_to_while_it_is_erased_is_erased(open_events: OpenEvents) -> None:
    one, other = await open_events(), await open_events()
    await fill(one, founded())

    async def write() -> int:
        for seq in itertools.count(2):
            try:
                await other.append(new(seq, at=instant(59)))
            except GroupErased:
                return seq
            await asyncio.sleep(0)
        raise AssertionError("a count has no end")

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.01)
    await one.erase("goa")
    assert await writing >= 2
    assert await erased(one)
