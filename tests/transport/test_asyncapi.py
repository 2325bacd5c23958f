"""The AsyncAPI document: sound, complete, and true to what really goes over a socket."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

import persplit.transport
from persplit.ledger import codec
from persplit.ledger.attachment import Attachment
from persplit.ledger.commands import (
    AddAttachment,
    AddMember,
    CancelSettlement,
    ChangeRole,
    ChangeUnit,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    DeleteLoan,
    DeletePreset,
    JoinGroup,
    LeaveGroup,
    MakeInstance,
    RemoveAttachment,
    RemoveMember,
    RestoreExpense,
    RestoreLoan,
    SavePreset,
    SaveRecurrence,
    StopRecurrence,
    UnblockMember,
    UpdateExpense,
    UpdateGroup,
    UpdateLoan,
)
from persplit.ledger.comment import Comment
from persplit.ledger.decide import Asked, decide
from persplit.ledger.events import CommentAdded, CommentDeleted, Event, RecordedEvent, ReminderSent
from persplit.ledger.expense import Expense, ExpenseDraft, Posting, SplitType, SplitValue
from persplit.ledger.group import Role
from persplit.ledger.loan import LoanDraft
from persplit.ledger.preset import PresetDraft
from persplit.ledger.recurrence import Frequency, Schedule
from persplit.ledger.reminder import Reminder
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.service.standing import Payment, Standing
from persplit.service.subjects import thing_of
from persplit.service.users import User
from persplit.transport import views
from persplit.transport.asyncapi import asyncapi_document, camel
from persplit.transport.broadcasts import BROADCASTS, CONNECT_ERROR, PERSONAL, SERVER_EVENTS
from persplit.transport.problems import PROBLEMS, problem_of
from persplit.transport.table import COMMANDS

DOCUMENT = asyncapi_document()
CHANNEL = DOCUMENT["channels"]["namespace"]
MESSAGES = DOCUMENT["components"]["messages"]
SCHEMAS = DOCUMENT["components"]["schemas"]
NOW = "2026-03-01T12:00:00.000Z"


def walk(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for part in node:
            yield from walk(part)
    elif isinstance(node, dict):
        yield node
        for part in node.values():
            yield from walk(part)


def followed(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def faults(schema: dict[str, Any], value: object) -> list[str]:
    """What is wrong with the value. AsyncAPI's own schemas are draft-07 with a few words more."""
    whole = {**schema, "components": {"schemas": SCHEMAS}}
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(whole).iter_errors(value)]


# --- the document


def test_it_has_the_parts_that_the_specification_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert set(DOCUMENT) <= {
        "asyncapi",
        "id",
        "info",
        "defaultContentType",
        "servers",
        "channels",
        "operations",
        "components",
    }
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for server in DOCUMENT["servers"].values():
        assert {"host", "protocol"} <= set(server)
    for operation in DOCUMENT["operations"].values():
        assert set(operation) <= {"action", "channel", "summary", "messages", "reply"}
        assert operation["action"] in ("send", "receive")
    for kind in DOCUMENT["components"].values():
        assert all(re.fullmatch(r"[\w.-]+", name) for name in kind)


@pytest.mark.parametrize(
    ("url", "host", "protocol"),
    [
        ("https://split.example.org", "split.example.org", "wss"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "ws"),
        (None, "{host}", "ws"),
    ],
)
def test_it_says_where_the_server_is(url: str | None, host: str, protocol: str) -> None:
    (server,) = asyncapi_document(url)["servers"].values()
    assert (server["host"], server["protocol"], server["pathname"]) == (host, protocol, "/socket.io")
    assert set(re.findall(r"{(\w+)}", host)) == set(server.get("variables", {}))


def test_every_reference_leads_somewhere() -> None:
    for node in walk(DOCUMENT):
        if "$ref" in node:
            assert followed(node["$ref"])


def test_operations_and_replies_refer_to_messages_of_their_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        for part in (operation, operation.get("reply", operation)):
            assert part["channel"] == {"$ref": "#/channels/namespace"}
            for message in part["messages"]:
                assert message["$ref"].startswith("#/channels/namespace/messages/")
    used = {node["$ref"] for node in walk(DOCUMENT["operations"]) if "$ref" in node}
    assert used == {"#/channels/namespace", *(f"#/channels/namespace/messages/{name}" for name in MESSAGES)}


def test_the_channel_has_every_message() -> None:
    assert CHANNEL["messages"] == {name: {"$ref": f"#/components/messages/{name}"} for name in MESSAGES}


def test_every_schema_is_used() -> None:
    used = {node["$ref"] for node in walk(DOCUMENT) if "$ref" in node}
    assert {f"#/components/schemas/{name}" for name in SCHEMAS} <= used


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_valid_and_never_null_by_default(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])
    for node in walk(SCHEMAS[name]):
        assert "discriminator" not in node or isinstance(node["discriminator"], dict), "a field's name only"
        assert node.get("default", "") is not None


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_examples_fit_their_payload(name: str) -> None:
    for example in MESSAGES[name]["examples"]:
        assert faults(MESSAGES[name]["payload"], example["payload"]) == []


# --- commands


def test_the_same_commands_as_in_the_table() -> None:
    received = {
        followed(followed(operation["messages"][0]["$ref"])["$ref"])["name"]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "receive"
    }
    assert received == {"connect", *COMMANDS}


@pytest.mark.parametrize("event", sorted(COMMANDS))
def test_a_command_has_its_request_and_two_kinds_of_ack(event: str) -> None:
    operation = COMMANDS[event]
    described = DOCUMENT["operations"][operation.id]
    assert MESSAGES[operation.id]["name"] == event
    assert MESSAGES[operation.id]["payload"] == {"$ref": f"#/components/schemas/{operation.request.__name__}"}
    replies = [reply["$ref"].rpartition("/")[2] for reply in described["reply"]["messages"]]
    assert replies == [f"{operation.id}Ack", "refused"]
    assert operation.result is not None
    ack = followed(MESSAGES[f"{operation.id}Ack"]["payload"]["$ref"])
    assert ack["properties"]["ok"] == {"const": True}
    assert set(ack["properties"]) == {
        "ok",
        *(it.alias or n for n, it in operation.result.model_fields.items()),
    }


@pytest.mark.parametrize("event", sorted(COMMANDS))
def test_the_example_of_a_command_is_one_that_the_server_reads(event: str) -> None:
    operation = COMMANDS[event]
    operation.request.model_validate(MESSAGES[operation.id]["examples"][0]["payload"])


@pytest.mark.parametrize("error", [it for it in PROBLEMS if it.code != "validation_failed"])
def test_a_refusal_is_described(error: Any) -> None:
    more = {"retry_after_ms": 1000} if error.code == "rate_limited" else {}
    refusal = {"ok": False, "error": problem_of(error("why", **more))}
    assert faults(MESSAGES["refused"]["payload"], refusal) == []


def test_a_command_without_an_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = dataclasses.replace(COMMANDS["sync:pull"], answers=None)
    monkeypatch.setitem(COMMANDS, "sync:pull", silent)
    with pytest.raises(ValueError, match="an ack says something"):
        asyncapi_document()


# --- events of the server


def test_the_same_events_as_in_the_table() -> None:
    sent = {
        followed(followed(operation["messages"][0]["$ref"])["$ref"])["name"]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "send"
    }
    assert sent == {event.name for event in SERVER_EVENTS}
    assert MESSAGES[camel(CONNECT_ERROR.name)]["name"] == "connect_error"


def test_every_event_that_the_code_emits_by_name_is_in_the_table() -> None:
    """The first argument of each `emit` in the source, where it is written out; the others come from views."""
    emitted = set()
    for file in Path(persplit.transport.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "emit"
            ):
                emitted |= {it.value for it in node.args[:1] if isinstance(it, ast.Constant)}
    assert emitted == {event.name for event in PERSONAL}


class Group:
    """A group that records what it is asked, and remembers what each expense and settlement is now."""

    def __init__(self) -> None:
        self.state: GroupState | None = None
        self.things: dict[str, Expense | Settlement] = {}
        self.told: list[tuple[RecordedEvent, GroupState]] = []

    def do(self, actor: str, command: Command) -> None:
        id_ = str(getattr(command, "expense_id", getattr(command, "settlement_id", "")))
        event = decide(self.state, command, Asked(actor, NOW, self.things.get(id_)))
        self.record(actor, event)

    def record(self, actor: str, event: Event) -> None:
        seq = len(self.told) + 1
        recorded = RecordedEvent("trip", seq, NOW, actor, f"command-{seq}", "", event)
        self.state = apply(self.state, recorded)
        thing = thing_of(event)
        if thing is not None:
            self.things[thing.id] = thing
        self.told.append((recorded, self.state))


def everything() -> list[tuple[RecordedEvent, GroupState]]:
    """A group in which each kind of event has happened."""
    group = Group()
    group.do("asha", CreateGroup("Asha", "Goa trip", "three days"))
    group.do("asha", AddMember("ravi", "Ravi"))
    group.do("asha", AddMember("meera", "Meera", placeholder=True))
    group.do("asha", ChangeRole("ravi", Role.ADMIN))
    group.do("ravi", UpdateGroup(name="Goa"))
    group.do("asha", CreateExpense("dinner", ExpenseDraft("Dinner", 100_00, SplitType.EQUAL)))
    both = (Posting("asha", 60_00), Posting("ravi", 40_00))
    percents = (SplitValue("asha", 33_3333), SplitValue("ravi", 66_6667))
    draft = ExpenseDraft("Dinner", 100_00, SplitType.PERCENTAGE, both, splits=percents, notes="late")
    group.do("ravi", UpdateExpense("dinner", draft))
    bill = Attachment("ab" * 32, "application/pdf", 1_000)
    group.do("ravi", AddAttachment("dinner", bill))
    group.do("asha", AddAttachment("dinner", Attachment("cd" * 32, "image/png", 2_000, 10, 20, "menu.png")))
    group.do("asha", RemoveAttachment("dinner", bill.id))
    group.do("asha", DeleteExpense("dinner"))
    group.do("asha", RestoreExpense("dinner"))
    for id_, answer in (("paid", ConfirmSettlement), ("lost", DeclineSettlement), ("typo", CancelSettlement)):
        group.do("ravi", CreateSettlement(id_, "asha", 10_00, note="by UPI"))
        group.do("ravi" if answer is CancelSettlement else "asha", answer(id_))
    terms = LoanDraft(50_00, NOW[:10], rate="6.5")
    group.do("asha", CreateLoan("loan", "asha", "ravi", terms))
    group.do("ravi", UpdateLoan("loan", dataclasses.replace(terms, principal=60_00)))
    group.do("ravi", DeleteLoan("loan"))
    group.do("asha", RestoreLoan("loan"))
    group.do("ravi", CreateSettlement("repaid", "asha", 70_00, loan_id="loan"))
    group.do("asha", ConfirmSettlement("repaid"))
    said = Comment("said", "dinner", len(group.told) + 1, "With wine", "ravi", NOW)
    group.record("ravi", CommentAdded(said))
    group.record("ravi", CommentDeleted(dataclasses.replace(said, deleted_at=NOW)))
    group.record("asha", ReminderSent(Reminder(len(group.told) + 1, "asha", "ravi", 10_00, NOW)))
    group.do("meera", LeaveGroup())
    group.do("jon", JoinGroup("Jon"))
    group.do("asha", ChangeUnit("jon", "Rao family"))
    group.do("asha", RemoveMember("jon", block=True))
    group.do("asha", UnblockMember("jon"))
    group.do("asha", SavePreset("halves", PresetDraft("Halves", SplitType.PERCENTAGE, splits=percents)))
    group.do("asha", CreateExpense("tea", ExpenseDraft("Tea", 40, SplitType.EQUAL, preset_id="halves")))
    group.do("asha", DeletePreset("halves"))
    museum = ExpenseDraft("Museum", 45_00, SplitType.EQUAL, currency="EUR", rate="97.25")
    group.do("asha", SaveRecurrence("club", Schedule(Frequency.MONTHLY, NOW[:10]), museum))
    group.do("asha", MakeInstance("club", NOW[:10], "club 1"))
    group.do("asha", StopRecurrence("club"))
    return group.told


def standing(state: GroupState) -> Standing:
    plan = plan_of(state)
    return Standing(state, tuple(Payment(row, None, None) for row in plan.transfers), plan.optimal)


def broadcasts() -> list[tuple[str, dict[str, Any]]]:
    people = {"asha": User("asha", "Asha", "asha@example.org", None, None, None, NOW)}
    return [views.broadcast(recorded, standing(state), people) for recorded, state in everything()]


def test_each_kind_of_event_of_the_ledger_is_broadcast_under_a_name_of_the_table() -> None:
    happened = {codec.TYPES[type(recorded.event)] for recorded, _ in everything()}
    assert happened == set(codec.TYPES.values())
    assert {name for name, _ in broadcasts()} == {event.name for event in BROADCASTS}


@pytest.mark.parametrize(("name", "payload"), broadcasts(), ids=lambda it: it if isinstance(it, str) else "")
def test_a_broadcast_is_as_described(name: str, payload: dict[str, Any]) -> None:
    (model,) = (event.payload for event in BROADCASTS if event.name == name)
    schema = SCHEMAS[model.__name__]
    assert faults(schema, payload) == []
    assert set(schema["required"]) <= set(payload) <= set(schema["properties"]), "no field more, none less"


@pytest.mark.parametrize("recorded", [it for it, _ in everything()], ids=lambda it: f"seq{it.seq}")
def test_an_event_of_the_ledger_is_as_described(recorded: RecordedEvent) -> None:
    told = codec.event_to_json(recorded)
    assert faults(SCHEMAS["Event"], told) == []
    (kind,) = (name for name in EVENT_KINDS if told["type"] in types_of(name))
    assert set(told) <= set(SCHEMAS[kind]["properties"])


def types_of(kind: str) -> list[str]:
    """The types of event that the schema is of."""
    schema = SCHEMAS[kind]["properties"]["type"]
    return [schema["const"]] if "const" in schema else list(schema["enum"])


EVENT_KINDS = [branch["$ref"].rpartition("/")[2] for branch in SCHEMAS["Event"]["oneOf"]]


def test_balances_and_the_group_are_as_described() -> None:
    _, state = everything()[-1]
    assert faults(SCHEMAS["Group"], views.group(state, {})) == []
    assert faults(SCHEMAS["BalancesAck"], {"ok": True, **views.standing(standing(state))}) == []
