"""Erasing: what goes, what stays, who learns of it, and that it can be broken off anywhere and done again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from persplit.adapters.memory_store import MemoryDocuments
from persplit.adapters.mongo_store import MongoEvents
from persplit.ledger.commands import CreateGroup
from persplit.ledger.errors import NotFound
from persplit.service import erasure as erasure_module
from persplit.service.channels import Channels, group
from persplit.service.erasure import erase_account, erase_group
from persplit.service.errors import StoreUnavailable
from persplit.service.follower import Follower
from persplit.service.history import History
from persplit.service.people import DELETED_PERSON
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import Document, EventStore, Stores, TokenScope
from persplit.service.users import User, Users
from persplit.transport import views
from tests.keeping.conftest import Damage, MongoDamage
from tests.keeping.given import a_file, a_group, a_store, contents, findings, memory_stores, people
from tests.service.nodes import Clock, Node, check_span, ledger, whole

NOW = "2026-11-21T08:00:00.000Z"


# --- accounts


async def test_of_an_account_nothing_is_left_beside_the_ledgers(stores: Stores) -> None:
    await a_store(stores)
    await PersonalTokens(stores.personal_tokens, Clock()).create("asha", "script", TokenScope.READ)
    before = await contents(stores)
    assert await erase_account(stores, "ASHA@example.org") == "asha"
    kept = await contents(stores)
    assert kept["goa"] == before["goa"]
    assert kept["pune"] == before["pune"]
    assert [user.id for user in await stores.users.scan("", 9)] == ["ben", "chitra"]
    assert list(await stores.sessions.find("userId", "asha", 9)) == []
    assert list(await stores.personal_tokens.find("userId", "asha", 9)) == []
    assert list(await stores.invites.find("createdBy", "asha", 9)) == []
    assert await findings(stores) == []
    user = User("somebody-new", "Asha", "asha@example.org", None, None, None, NOW)
    await Users(stores.users).insert(user, "hash")


async def test_files_of_a_group_go_with_it_unless_another_group_has_them(stores: Stores) -> None:
    await a_store(stores)
    alone = await a_file(stores, "goa", b"only goa's")
    shared = await a_file(stores, "goa", b"both have it")
    assert await a_file(stores, "pune", b"both have it") == shared
    for _ in range(2):
        await erase_group(stores, "goa", Clock())
        assert await stores.files.get(alone) is None
        assert await stores.files.get(shared) == b"both have it"
        assert [document.keys["groupId"] for document in await stores.attachments.scan("", 9)] == ["pune"]
    assert await findings(stores) == []
    await erase_group(stores, "pune", Clock())
    assert await stores.files.scan("", 9) == []


async def test_what_somebody_attached_stays_when_their_account_goes(stores: Stores) -> None:
    await a_store(stores)
    hash_ = await a_file(stores)
    await erase_account(stores, "asha")
    assert await stores.files.get(hash_) == b"a bill"
    assert await findings(stores) == []


async def test_nobody_is_told_any_more_who_was_erased_or_of_a_group_that_was(stores: Stores) -> None:
    await a_store(stores)
    await stores.read_marks.insert(Document("ben", {"goa": 2}))
    for owner, channel in (("u:ben", "c1"), ("g:goa", "c2"), ("u:asha", "c3")):
        await stores.channels.insert(Document(owner, {"channels": [], "devices": []}))
        keys = {"groupId": "goa" if owner != "u:ben" else "pune", "owner": owner, "channel": channel}
        await stores.deliveries.insert(Document(channel, {}, keys))
    await erase_account(stores, "ben")
    assert [owned.id for owned in await stores.channels.scan("", 9)] == ["g:goa", "u:asha"]
    assert [told.id for told in await stores.deliveries.scan("", 9)] == ["c2", "c3"]
    assert not await stores.read_marks.scan("", 9)
    await erase_group(stores, "goa", Clock())
    assert [owned.id for owned in await stores.channels.scan("", 9)] == ["u:asha"]
    assert not await stores.deliveries.scan("", 9)


async def test_webhooks_that_somebody_made_for_groups_go_with_their_account(stores: Stores) -> None:
    await a_store(stores)
    channels = Channels(stores.channels, stores.deliveries, Clock())
    for number, (group_id, by) in enumerate((("goa", "ben"), ("goa", "asha"), ("left", "ben"))):
        made = await channels.add_webhook(group(group_id), by, f"https://example.org/{number}")
        keys = {"groupId": group_id, "owner": group(group_id), "channel": made.id}
        await stores.deliveries.insert(Document(f"told {number}", {}, keys))
    await erase_account(stores, "ben")
    left = [channel.by for owned in await channels.page("", 9) for channel in owned.channels]
    assert left == ["asha"]
    assert [told.id for told in await stores.deliveries.scan("", 9)] == ["told 1"]


async def test_an_account_is_found_by_its_id_too(stores: Stores) -> None:
    await a_store(stores)
    assert await erase_account(stores, "ben") == "ben"
    assert await Users(stores.users).get("ben") is None
    for again in ("ben", "ben@example.org", "nobody"):
        with pytest.raises(NotFound):
            await erase_account(stores, again)


async def test_what_is_left_of_an_account_that_is_gone_can_be_erased_by_its_id(stores: Stores) -> None:
    await a_store(stores)
    await stores.users.delete("ben")
    assert await erase_account(stores, "ben") == "ben"
    assert list(await stores.sessions.find("userId", "ben", 9)) == []


class Cut(MemoryDocuments):
    """Is cut off after so many deletions."""

    def __init__(self, unique_keys: Sequence[str] = ()) -> None:
        super().__init__(unique_keys)
        self.left = 0

    async def delete(self, id_: str) -> None:
        if self.left == 0:
            raise StoreUnavailable("the store did not answer")
        self.left -= 1
        await super().delete(id_)


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_an_account_half_erased_is_found_by_its_address_and_erased(left: int) -> None:
    cut = [Cut(), Cut(), Cut(("email",))]
    stores = replace(memory_stores(), sessions=cut[0], invites=cut[1], users=cut[2])
    await a_group(stores)
    await people(stores, "asha", "ben")
    for number, documents in enumerate(cut):
        documents.left = 1 if number < left else 0
    with pytest.raises(StoreUnavailable):
        await erase_account(stores, "asha@example.org")
    for documents in cut:
        documents.left = 99
    await erase_account(stores, "asha@example.org")
    assert await findings(stores) == []


async def test_who_has_no_account_any_more_has_no_name_and_the_same_balance(stores: Stores) -> None:
    await a_store(stores)
    before = (await whole(stores.events)).balances
    await erase_account(stores, "ben")
    state = await whole(stores.events)
    assert state.balances == before
    profiles = await Users(stores.users).get_many(list(state.members))
    names = {member["userId"]: member["name"] for member in views.group(state, profiles)["members"]}
    assert names == {"asha": "Asha", "ben": DELETED_PERSON, "chitra": "Chitra"}
    told = views.events(await ledger(stores.events), profiles)
    assert "Ben" not in repr(told)
    assert "Chitra" in repr(told)
    assert views.people_in(await ledger(stores.events)) == {"asha", "ben", "chitra"}


# --- groups


async def test_of_a_group_nothing_is_left_and_the_others_are_as_they_were(stores: Stores) -> None:
    await a_store(stores)
    before = await contents(stores)
    await erase_group(stores, "goa", Clock())
    kept = await contents(stores)
    assert "goa" not in kept
    assert kept["pune"] == before["pune"]
    assert kept["users:"] == before["users:"]
    assert kept["invites:"] == kept["group_passwords:"] == []
    assert await findings(stores) == []
    with pytest.raises(NotFound):
        await erase_group(stores, "nowhere", Clock())
    await erase_group(stores, "goa", Clock())


async def test_nothing_a_group_said_is_left_in_the_store(stores: Stores, damage: Damage) -> None:
    node = await a_group(stores)
    await node.spends("a-secret-dinner")
    await erase_group(stores, "goa", Clock())
    if isinstance(damage, MongoDamage):
        left = [*damage.events.find(), *damage.database["snapshots"].find()]
        assert "Dinner" not in repr(left)
        assert "asha" not in repr(left)


async def test_its_id_never_comes_back_through_an_outbox(stores: Stores) -> None:
    node = await a_group(stores)
    await erase_group(stores, "goa", Clock())
    for other in (node, Node(stores.events), Node(stores.events, is_shared=True)):
        with pytest.raises(NotFound):
            await other.spends("late")
        with pytest.raises(NotFound):
            await other.spends("tea")
        with pytest.raises(NotFound):
            await other.does("asha", CreateGroup("Asha", "Goa"), "make goa")
        with pytest.raises(NotFound):
            await other.does("asha", CreateGroup("Asha", "Goa again"), "another key")
        assert await other.groups.peek("goa") is None
        with pytest.raises(NotFound):
            await other.groups.state_for("goa", "asha")
    assert list(await stores.events.groups("", 9)) == []


class Broken(Exception):
    """The process ends here."""


@pytest.mark.parametrize("kind", ["mongodb"], indirect=True)
@pytest.mark.parametrize("pages", [0, 1, 3])
async def test_a_group_half_erased_is_gone_for_everybody_and_erasing_goes_on(
    stores: Stores, damage: Damage, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persplit.adapters.mongo_store.ERASED_AT_ONCE", 2)
    await a_store(stores)
    held = Node(stores.events, is_shared=True)
    await held.groups.state_for("goa", "asha")
    places = MongoEvents._places
    taken = 0

    async def dying(self: MongoEvents, group_id: str, after: int) -> list[dict[str, object]]:
        nonlocal taken
        taken += 1
        if taken > pages:
            raise Broken
        return await places(self, group_id, after)

    monkeypatch.setattr(MongoEvents, "_places", dying)
    with pytest.raises(Broken):
        await erase_group(stores, "goa", Clock())
    for node in (held, Node(stores.events, is_shared=True), Node(stores.events)):
        with pytest.raises(NotFound):
            await node.groups.state_for("goa", "asha")
        with pytest.raises(NotFound):
            await node.spends("late")
        with pytest.raises(NotFound):
            await node.spends("tea")
    assert {finding.rule for finding in await findings(stores)} == {"erasure_unfinished", "orphan"}
    monkeypatch.setattr(MongoEvents, "_places", places)
    await erase_group(stores, "goa", Clock())
    assert await findings(stores) == []
    assert isinstance(damage, MongoDamage)
    assert "Dinner" not in repr(list(damage.events.find({"groupId": "goa"})))


@pytest.mark.parametrize("left", [0, 1])
async def test_what_points_to_a_group_goes_when_it_is_done_again(left: int) -> None:
    invites, passwords = Cut(), Cut()
    stores = replace(memory_stores(), invites=invites, group_passwords=passwords)
    await a_store(stores)
    invites.left = left
    with pytest.raises(StoreUnavailable):
        await erase_group(stores, "goa", Clock())
    assert "erasure_unfinished" in {finding.rule for finding in await findings(stores)}
    invites.left = passwords.left = 99
    await erase_group(stores, "goa", Clock())
    assert await findings(stores) == []


async def test_two_that_erase_a_group_at_once_both_find_it_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = memory_stores()
    await a_group(stores)
    get = stores.erasures.get

    async def get_and_be_overtaken(ids: Sequence[str]) -> object:
        found = await get(ids)
        monkeypatch.setattr(stores.erasures, "get", get)
        with suppress(StoreUnavailable):
            await erase_group(stores, "goa", Clock())
        return found

    monkeypatch.setattr(stores.erasures, "get", get_and_be_overtaken)
    with suppress(NotFound):
        await erase_group(stores, "goa", Clock())
    await erasure_module._note(stores.erasures, "goa", Clock())
    assert await findings(stores) == []
    (note,) = await stores.erasures.scan("", 9)
    assert note == Document("goa", {"at": NOW, "finished": True}, {}, note.version)


# --- nodes that hold the group


def follower_of(node: Node, *, finds_people: bool) -> Follower:
    people_here = node.listeners if finds_people else None
    return Follower(node.wire, node.groups, node.listeners, node.hints, people_here)


async def swept(follower: Follower) -> None:
    """One sweep, and all that it finds to read."""
    await follower._sweep()
    follower._read_on_waiting()
    for task in list(follower._reading.values()):
        await task


@pytest.mark.parametrize("is_shared", [True, False])
async def test_a_node_forgets_an_erased_group_in_its_next_sweep_and_nobody_hears_it(
    stores: Stores, *, is_shared: bool
) -> None:
    await a_group(stores)
    await a_group(stores, "pune")
    node = Node(stores.events, is_shared=is_shared)
    spans = await node.connects("asha", "goa", "pune")
    follower = follower_of(node, finds_people=is_shared)
    await swept(follower)
    assert node.groups.seq_of("goa") == 9
    await stores.events.erase("goa")
    await swept(follower)
    assert node.groups.seq_of("goa") == 0
    assert node.listeners.heard_groups() == ["pune"]
    with pytest.raises(NotFound):
        await node.groups.state_for("goa", "asha")
    await node.spends("dinner", group_id="pune")
    check_span(spans[1], await ledger(stores.events, "pune"))


async def test_a_group_that_nobody_hears_is_forgotten_by_a_node_that_is_alone(stores: Stores) -> None:
    await a_group(stores)
    node = Node(stores.events)
    await node.groups.state_for("goa", "asha")
    await stores.events.erase("goa")
    await swept(follower_of(node, finds_people=False))
    assert node.groups.held() == ()


async def test_a_node_among_others_finds_out_when_somebody_reads(stores: Stores) -> None:
    await a_group(stores)
    node = Node(stores.events, is_shared=True)
    await node.groups.state_for("goa", "asha")
    await stores.events.erase("goa")
    with pytest.raises(NotFound):
        await node.groups.standing_for("goa", "asha")
    assert node.groups.held() == ()


async def test_whoever_writes_first_finds_out_and_lets_nobody_hear_it_any_more(stores: Stores) -> None:
    await a_group(stores)
    node = Node(stores.events)
    await node.connects("asha")
    await stores.events.erase("goa")
    with pytest.raises(NotFound):
        await node.spends("late")
    assert node.listeners.heard_groups() == []


async def test_a_group_that_does_not_exist_yet_is_not_read_over_and_over() -> None:
    store: EventStore = memory_stores().events
    node = Node(store)
    follower = follower_of(node, finds_people=False)
    await swept(follower)
    assert node.wire.reads == []


async def test_the_history_of_a_group_that_is_held_and_erased_is_not_there(stores: Stores) -> None:
    await a_group(stores)
    node = Node(stores.events)
    await node.groups.state_for("goa", "asha")
    await stores.events.erase("goa")
    history = History(node.wire, node.groups)
    with pytest.raises(NotFound):
        await history.events("goa", "asha", 0, 100)
    with pytest.raises(NotFound):
        await history.explain("goa", "asha", "chitra", "asha")
