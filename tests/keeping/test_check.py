"""`check` names what is wrong: every rule with a fault planted behind the store's back, and nothing else."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.bootstrap import DATABASE_FILE, open_stores
from persplit.config import Settings
from persplit.ledger.codec import event_from_json
from persplit.ledger.commands import ChangeUnit
from persplit.ledger.plan import Plan
from persplit.service import check as check_module
from persplit.service import snapshots
from persplit.service.check import REPEATS_MAX, Severity, Tally, check_store
from persplit.service.errors import StoreUnavailable
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import READ_LIMIT_MAX, Document, Stores, TokenScope, fields_of
from persplit.service.users import User, Users
from tests.keeping.conftest import Damage, Json, MongoDamage, SqliteDamage, rewrite
from tests.keeping.given import EVENTS, SNAPSHOT_AT, a_file, a_group, a_store, faults, findings, memory_stores
from tests.service.histories import written
from tests.service.nodes import BEFORE, Clock, Node, Wire, whole

Change = Callable[[Json], None]


@pytest.fixture(autouse=True)
async def _a_store(stores: Stores) -> None:
    await a_store(stores)


async def test_a_sound_store_has_no_findings_and_all_of_it_is_counted(stores: Stores) -> None:
    tally = Tally()
    assert [finding async for finding in check_store(stores, tally)] == []
    assert tally == Tally(groups=2, events=2 * EVENTS, documents=3 + 3 + 1 + 1)


async def test_a_missing_event_is_a_hole(stores: Stores, damage: Damage) -> None:
    damage.remove(4)
    assert await faults(stores) == {("seq_hole", 5)}


async def test_missing_events_at_the_beginning_are_a_hole(stores: Stores, damage: Damage) -> None:
    damage.remove(1)
    damage.remove(2)
    (finding,) = await findings(stores)
    assert (finding.rule, finding.place, finding.seq) == ("seq_hole", "goa", 3)
    assert "lacks 1 to 2" in finding.detail


async def test_two_events_in_one_place(stores: Stores, damage: Damage) -> None:
    damage.loosen()
    twin = {**damage.body(4), "commandId": "twin"}
    damage.add(twin, fields_of(event_from_json(twin)))
    found = {one for one in await faults(stores) if one[0] != "storage"}
    assert found == {("seq_duplicate", 4), ("creation_duplicate", 4)}


async def test_a_command_that_made_two_events(stores: Stores, damage: Damage) -> None:
    damage.loosen()
    first = damage.body(4)["commandId"]
    rewrite(damage, 5, lambda body: body.update(commandId=first))
    found = await faults(stores)
    assert {one for one in found if one[0] != "storage"} == {("command_duplicate", 5)}


async def test_two_creations_under_one_id(stores: Stores, damage: Damage) -> None:
    tea, paid = damage.body(4), damage.body(8)
    again = {**tea["expense"], "seq": 7}
    rewrite(damage, 7, lambda body: body.update(type="expense:created", expense=again))
    rewrite(damage, 9, lambda body: body.update(type="settlement:created", settlement=paid["settlement"]))
    assert {one for one in await faults(stores) if one[0] != "storage"} == {
        ("creation_duplicate", 7),
        ("creation_duplicate", 9),
    }


def without_amount(body: Json) -> None:
    del body["expense"]["amount"]


def of_the_future(body: Json) -> None:
    body["v"] = 99


def unheard_of(body: Json) -> None:
    body["type"] = "expense:eaten"


def a_list(body: Json) -> None:
    body["expense"] = [1, 2]


@pytest.mark.parametrize("change", [without_amount, of_the_future, unheard_of, a_list])
async def test_an_event_that_cannot_be_read(stores: Stores, damage: Damage, change: Change) -> None:
    fields = fields_of(event_from_json(damage.body(4)))
    body = damage.body(4)
    change(body)
    damage.put(4, body, fields)
    assert await faults(stores) == {("undecodable", 4)}


async def test_a_second_founding(stores: Stores, damage: Damage) -> None:
    founding = damage.body(1)
    again = {"type": "group:created", "group": founding["group"], "member": founding["member"]}
    rewrite(damage, 5, lambda body: body.update(again))
    assert await faults(stores) == {("first_event", 5)}


async def test_a_group_that_begins_with_something_else(stores: Stores, damage: Damage) -> None:
    joined = damage.body(2)
    rewrite(damage, 1, lambda body: body.update(type="member:joined", member=joined["member"]))
    assert await faults(stores) == {("first_event", 1)}


def wrong_share(body: Json) -> None:
    body["expense"]["shares"][0]["amount"] += 1


def wrong_payer(body: Json) -> None:
    body["expense"]["paidBy"] = [{"userId": "asha", "amount": 999}, {"userId": "ben", "amount": 2}]


def wrong_amount(body: Json) -> None:
    body["expense"]["paidBy"] = [{"userId": "asha", "amount": body["expense"]["amount"]}]
    body["expense"]["amount"] += 1


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (wrong_share, {"shares_sum", "balances_sum"}),
        (wrong_payer, {"payers_sum", "balances_sum"}),
        (wrong_amount, {"shares_sum", "payers_sum"}),
    ],
)
async def test_an_expense_that_does_not_add_up(
    stores: Stores, damage: Damage, change: Change, rules: set[str]
) -> None:
    damage.snapshot(SNAPSHOT_AT, b"")  # else it is found, too, that it is of other events
    rewrite(damage, 5, change)
    found = {one for one in await faults(stores) if one[0] != "snapshot_damaged"}
    # Rice is deleted at 7, as it was: that takes back more or less than was given.
    assert {rule for rule, seq in found if seq == 5} == rules
    assert found - {(rule, 5) for rule in rules} <= {("balances_sum", 7)}


async def test_an_expense_whose_version_before_was_another(stores: Stores, damage: Damage) -> None:
    damage.snapshot(SNAPSHOT_AT, b"")
    rewrite(damage, 4, lambda body: body["expense"].update(description="Something else"))
    assert await faults(stores) == {("before_differs", 6), ("snapshot_damaged", SNAPSHOT_AT)}


async def test_a_time_that_goes_back(stores: Stores, damage: Damage) -> None:
    rewrite(damage, 8, lambda body: body.update(at="2020-01-01T00:00:00.000Z"))
    assert await faults(stores) == {("time_back", 8)}


@pytest.mark.parametrize(
    ("field", "value"), [("noun", "settlement"), ("subjectId", "rice"), ("creation", False)]
)
async def test_an_event_that_is_looked_up_by_something_else(
    stores: Stores, damage: Damage, field: str, value: object
) -> None:
    body = damage.body(4)
    damage.put(4, body, {**fields_of(event_from_json(body)), field: value})
    (finding,) = await findings(stores)
    assert (finding.rule, finding.seq) == ("lookup_fields", 4)
    assert finding.detail.endswith(f": {field}")


async def test_an_event_that_does_not_fit_what_was_before(stores: Stores, damage: Damage) -> None:
    rewrite(damage, 3, lambda body: body["member"].update(claimed="nobody"))
    assert await faults(stores) == {("inapplicable", 3)}


async def test_a_plan_that_settles_nothing(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "plan_of", lambda _: Plan((), optimal=True))
    assert {(finding.place, finding.rule) for finding in await findings(stores)} == {
        ("goa", "plan"),
        ("pune", "plan"),
    }


# --- snapshots


async def test_a_damaged_snapshot_is_a_warning_that_names_it(stores: Stores, damage: Damage) -> None:
    damage.snapshot(SNAPSHOT_AT, b"\0" * 500)
    (finding,) = await findings(stores)
    assert (finding.rule, finding.place, finding.seq) == ("snapshot_damaged", "goa", SNAPSHOT_AT)
    assert finding.severity is Severity.WARNING


async def wrong_body(stores: Stores) -> bytes:
    """A snapshot that is whole, of a group in which Ben has more."""
    state = await whole(stores.events, up_to=SNAPSHOT_AT)
    balances = {**state.balances, "ben": state.balances["ben"] + 5, "chitra": state.balances["chitra"] - 5}
    return snapshots.encode(replace(state, balances=balances)).body


async def test_a_snapshot_that_is_whole_but_wrong_is_a_fault(stores: Stores, damage: Damage) -> None:
    damage.snapshot(SNAPSHOT_AT, await wrong_body(stores))
    (finding,) = await findings(stores)
    assert (finding.rule, finding.place, finding.seq) == ("snapshot_wrong", "goa", SNAPSHOT_AT)
    assert finding.severity is Severity.FAULT


async def test_a_snapshot_that_is_whole_and_no_state_is_a_fault(stores: Stores, damage: Damage) -> None:
    body = b"{}"
    damage.snapshot(SNAPSHOT_AT, hashlib.sha256(body).digest() + body)
    assert await faults(stores) == {("snapshot_wrong", SNAPSHOT_AT)}


async def test_a_snapshot_of_events_that_are_not_there_is_a_fault(stores: Stores, damage: Damage) -> None:
    damage.remove(EVENTS)
    state = await whole(stores.events, "pune")
    body = snapshots.encode(replace(state, group_id="goa")).body
    await stores.events.save_snapshot(replace(snapshots.encode(state), group_id="goa", body=body))
    assert await faults(stores) == {("snapshot_ahead", EVENTS)}


async def test_a_snapshot_of_another_version_is_nobodys_business(stores: Stores) -> None:
    old = replace(snapshots.encode(await whole(stores.events, up_to=3)), version=0, body=b"old")
    await stores.events.save_snapshot(old)
    assert await findings(stores) == []


# --- documents


async def test_two_accounts_with_one_address(stores: Stores, damage: Damage) -> None:
    (asha,) = (await stores.users.get(["asha"])).values()
    damage.document("users", "twin", asha.body, asha.keys)
    assert await faults(stores) == {("email_duplicate", "asha"), ("email_duplicate", "twin")}


async def test_an_account_that_is_not_found_by_its_address(stores: Stores, damage: Damage) -> None:
    (asha,) = (await stores.users.get(["asha"])).values()
    damage.document("users", "asha", asha.body, {"email": "other@example.org"})
    damage.document("users", "ben", {**asha.body, "email": "ben@example.org"}, {})
    assert await faults(stores) == {("lookup_fields", "asha"), ("lookup_fields", "ben")}


async def test_units_guests_and_personal_tokens_are_sound(stores: Stores) -> None:
    node = Node(stores.events)
    for who in ("asha", "chitra"):
        await node.does("asha", ChangeUnit(who, "Rao family"), group_id="goa")
    state = await whole(stores.events, "goa")
    assert state.settles_as
    assert state.balances["chitra"] != 0
    guest = User("gita", "Gita", None, None, None, None, "2026-11-21T08:00:00.000Z", guest_of="goa")
    await Users(stores.users).insert(guest, None)
    tokens = PersonalTokens(stores.personal_tokens, Clock())
    await tokens.create("asha", "script", TokenScope.READ)
    assert await findings(stores) == []
    _, orphan = await tokens.create("nobody", "script", TokenScope.READ)
    assert await faults(stores) == {("orphan", orphan.id)}


async def test_who_is_told_and_how_far_is_looked_at_as_well(stores: Stores, damage: Damage) -> None:
    damage.document("channels", "u:asha", {"channels": [{"kind": "pigeon"}]}, {})
    damage.document("channels", "u:gone", {}, {})
    damage.document("channels", "g:gone", {}, {})
    damage.document("channels", "g:goa", {}, {})
    damage.document("deliveries", "torn", {}, {})
    damage.document("read_marks", "gone", {}, {})
    assert {(found.rule, found.place, found.id) for found in await findings(stores)} == {
        ("undecodable", "channels", "u:asha"),
        ("orphan", "channels", "u:gone"),
        ("orphan", "channels", "g:gone"),
        ("undecodable", "deliveries", "torn"),
        ("orphan", "read_marks", "gone"),
    }


@pytest.mark.parametrize(
    "collection", ["users", "sessions", "personal_tokens", "invites", "group_passwords", "audit"]
)
async def test_a_document_that_cannot_be_read(stores: Stores, damage: Damage, collection: str) -> None:
    damage.document(collection, "torn", {"hash": 7}, {})
    (finding,) = await findings(stores)
    assert (finding.rule, finding.place, finding.id) == ("undecodable", collection, "torn")


async def test_what_points_to_nobody_is_a_warning(stores: Stores, damage: Damage) -> None:
    (session,) = await stores.sessions.find("userId", "ben", 9)
    damage.document("sessions", session.id, {**session.body, "userId": "gone"}, {"userId": "gone"})
    (invite,) = await stores.invites.scan("", 9)
    damage.document("invites", invite.id, {**invite.body, "groupId": "gone"}, {"groupId": "gone"})
    damage.document("group_passwords", "gone", {"hash": "a hash"}, {})
    damage.document("erasures", "begun", {"at": "", "finished": False}, {})
    found = await findings(stores)
    assert {(finding.rule, finding.id) for finding in found} == {
        ("orphan", session.id),
        ("orphan", invite.id),
        ("orphan", "gone"),
        ("erasure_unfinished", "begun"),
    }
    assert {finding.severity for finding in found} == {Severity.WARNING}


async def test_files_that_are_gone_or_altered_and_documents_that_point_nowhere(
    stores: Stores, damage: Damage
) -> None:
    gone, altered = await a_file(stores, "goa", b"gone"), await a_file(stores, "goa", b"altered")
    lost, astray = await a_file(stores, "nowhere", b"lost"), await a_file(stores, "goa", b"astray")
    assert await faults(stores) == {("orphan", f"nowhere:{lost}")}
    now = Clock()()
    for hash_ in (gone, altered):
        await stores.files.delete(hash_, now)
    # A file of this name with another content: as a disk or a hand would leave it.
    await stores.files.put(altered, b"something else", now)
    (found,) = (await stores.attachments.get([f"goa:{astray}"])).values()
    damage.document("attachments", found.id, found.body, {**found.keys, "groupId": "pune"})
    assert await faults(stores) == {
        ("attachment_missing", f"goa:{gone}"),
        ("attachment_damaged", f"goa:{altered}"),
        ("lookup_fields", f"goa:{astray}"),
        ("orphan", f"nowhere:{lost}"),
    }


async def test_an_invite_that_is_not_found_by_its_group(stores: Stores, damage: Damage) -> None:
    (invite,) = await stores.invites.scan("", 9)
    damage.document("invites", invite.id, invite.body, {"groupId": "pune"})
    assert await faults(stores) == {("lookup_fields", invite.id)}


# --- the medium


def as_mongodb(damage: Damage) -> MongoDamage:
    return damage if isinstance(damage, MongoDamage) else pytest.fail("it is another store")


@pytest.mark.parametrize("kind", ["mongodb"], indirect=True)
async def test_a_missing_index_is_named(stores: Stores, damage: Damage) -> None:
    as_mongodb(damage).database["events"].drop_index("command")
    (finding,) = await findings(stores)
    assert (finding.rule, finding.detail) == ("storage", "events: the index 'command' is missing")


@pytest.fixture
def file(store_settings: Settings) -> Path:
    return store_settings.data_dir / DATABASE_FILE


def checkpointed(file: Path) -> int:
    """Put everything into the file itself; the size of a page."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(connection.execute("PRAGMA page_size").fetchone()[0])


def root_page(file: Path, name: str) -> int:
    """The first page, from 1, of a table or an index."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        return int(found[0])


def torn(file: Path, name: str, size: int) -> None:
    """Half of the first page of a table or an index was not written."""
    whole_file = file.read_bytes()
    start = (root_page(file, name) - 1) * size
    half = size // 2
    file.write_bytes(whole_file[: start + 8] + b"\0" * half + whole_file[start + 8 + half :])


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "name", ["events", "events_at", "sqlite_autoindex_events_1", "documents", "snapshots"]
)
async def test_every_torn_page_is_detected_and_the_file_named(
    store_settings: Settings, file: Path, name: str
) -> None:
    torn(file, name, checkpointed(file))
    async with open_stores(store_settings, migrates=False) as stores:
        found = await findings(stores)
    assert "storage" in {finding.rule for finding in found}
    assert any(file.name in f"{finding.place} {finding.detail}" for finding in found)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_an_index_that_lacks_a_row_is_detected(stores: Stores, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'events_at'").fetchone()
        connection.execute(
            "UPDATE sqlite_master SET sql = ? WHERE name = 'events_at'", (sql + " WHERE seq < 3",)
        )
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("REINDEX events_at")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'events_at'", (sql,))
    found = await findings(stores)
    assert {finding.rule for finding in found} == {"storage"}
    assert "missing from index events_at" in found[0].detail


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_key_of_no_document_is_detected(stores: Stores, damage: Damage) -> None:
    assert isinstance(damage, SqliteDamage)
    damage.run("INSERT INTO document_keys VALUES ('users', 'email', 'x', 'nobody', 1)")
    (finding,) = await findings(stores)
    assert (finding.rule, finding.detail) == (
        "storage",
        f"{DATABASE_FILE}: a row of document_keys refers to none of documents",
    )


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_body_that_is_no_json_is_detected(stores: Stores, damage: Damage) -> None:
    assert isinstance(damage, SqliteDamage)
    damage.run("UPDATE events SET body = x'00ff' WHERE group_id = 'goa' AND seq = 4")
    damage.run("UPDATE documents SET body = x'00ff' WHERE collection = 'users' AND id = 'ben'")
    assert await faults(stores) == {("undecodable", 4), ("undecodable", "ben")}


# --- the whole


async def test_of_thousands_of_one_kind_a_few_are_told_and_all_counted() -> None:
    stores = memory_stores()
    for number in range(REPEATS_MAX + 5):
        await stores.sessions.insert(_broken(f"{number}"))
    tally = Tally()
    found = [finding async for finding in check_store(stores, tally)]
    assert (len(found), tally.faults) == (REPEATS_MAX, REPEATS_MAX + 5)


def _broken(id_: str) -> Document:
    return Document(id_, {})


async def test_a_store_that_does_not_answer_is_not_called_sound() -> None:
    stores = memory_stores()
    await a_group(stores)
    wire = Wire(stores.events)
    wire.read_faults.extend(["nothing happens", "nothing happens", BEFORE])
    with pytest.raises(StoreUnavailable):
        await findings(replace(stores, events=wire))


async def test_a_group_that_grows_while_it_is_checked_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "PAGE", 4)
    stores = memory_stores()
    node = await a_group(stores)
    async for _ in check_store(stores, Tally(), lambda: None):
        raise AssertionError("it is sound")
    found = []
    checking = check_module.check_group(stores.events, "goa", tally := Tally())
    await node.spends("late")
    await snapshots.save(stores.events, await whole(stores.events))
    found = [finding async for finding in checking]
    assert (found, tally.events) == ([], EVENTS + 1)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
async def test_whatever_people_do_the_ledger_is_sound(data: st.DataObject) -> None:
    stores = memory_stores()
    events = await written(Node(stores.events), data.draw)
    for cut in (1, len(events) // 2 + 1):
        await snapshots.save(stores.events, await whole(stores.events, up_to=cut))
    assert len(events) <= READ_LIMIT_MAX
    assert await findings(stores) == []
