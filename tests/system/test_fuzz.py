"""Requests made from the models and then broken, at every command and every REST operation.

Whatever is sent, the answer is coded and documented; what is refused writes nothing; serving goes on.
"""

import json
import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from yarl import URL

from persplit.service.errors import TokenInvalid
from persplit.service.groups import GROUPS_HELD_MAX
from persplit.transport.operations import Operation
from persplit.transport.problems import PROBLEMS
from persplit.transport.table import COMMANDS, OPERATIONS
from tests.system import documented
from tests.system.attacker import Raw, RawSocket, Stage, text_of
from tests.system.conftest import serving, settings_for
from tests.system.phone import Json, key

pytestmark = pytest.mark.asyncio(loop_scope="module")

fuzzed = settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
CODES = {error.code for error in PROBLEMS}
EVENTS_MAX = {"direct:open": 2, "loan:create": 3}
"""Of commands that may write more than one: at first use they make the ledger of two people, with both of them in it."""


class CountingStore:
    """The event store, counting what is appended."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.appended = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, event: Any) -> Any:
        """Append, and count it."""
        recorded = await self._store.append(event)
        self.appended += 1
        return recorded


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for the whole file. Some attacks succeed at what they say: groups are left, devices signed out."""
    fields = settings_for(tmp_path_factory.mktemp("fuzzed"))
    async with serving(fields) as (node, url), aiohttp.ClientSession() as http:
        handler: Any = node.services.handler
        handler._store = CountingStore(handler._store)
        stage = await Stage.set(url, node, http)
        yield stage
        await mend(stage)
        await stage.check_serving()
        held: Any = node.services.groups
        assert len(held._held) <= GROUPS_HELD_MAX
        assert all(live.state is not None for live in held._held.values()), "ids of no group are kept"
        await stage.socket.close()


# --- what is sent

IDS = (
    "@group",
    "@otherGroup",
    "@nobody",
    "@asha",
    "@ben",
    "@mallory",
    "@expense",
    "@deleted",
    "@settlement",
    "@settled",
)
POOLS = {
    "groupId": ("@group", "@group", "@group", "@otherGroup", "@nobody"),
    "expenseId": ("@expense", "@expense", "@deleted", "@otherExpense", "@nobody"),
    "settlementId": ("@settlement", "@settled", "@otherSettlement", "@nobody"),
    "userId": ("@asha", "@ben", "@asha", "@ben", "@mallory"),
    "toUserId": ("@asha", "@ben", "@mallory"),
    "fromUserId": ("@asha", "@ben", "@mallory"),
    "claim": IDS,
    "code": ("@code", "@otherCode", "nonsense"),
    "from": ("@asha", "@ben"),
    "to": ("@asha", "@ben"),
    "paidBy": ("@asha", "@ben"),
    "participants": ("@asha", "@ben"),
    "currency": ("INR", "EUR", "JPY", "XYZ"),
    "email": ("asha@example.org", "zoe@example.org"),
    "password": ("a long walk by the sea", "short"),
    "vpa": ("asha@okaxis", "asha@gmail.com"),
    "locale": ("en-IN", "hi"),
    "phone": ("+91 98765 43210",),
    "utr": ("123456789012",),
    "cursor": ("MQ", "Mw", "x"),
}
NUMBERS = (0, 1, -1, 2, 100, 1000, 10**13, 10**13 + 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63))
STRANGE_TEXTS = ("", " ", "\0", "\u202e", "\ufeff", "\u0301" * 300, "\U0001f469\u200d\U0001f4bb", "x" * 3_000, "null", "@group", "../..", "$where", "' OR 1=1 --", "2026-02-30", "Infinity")  # fmt: skip
STRANGE_TOKENS = (
    "1e999",
    "1e19",
    "18446744073709551616",
    "-0.0",
    "1E2",
    r'"\ud800"',
    "[" * 40 + "]" * 40,
    r'"\u0000"',
)
texts = st.sampled_from(STRANGE_TEXTS) | st.text(max_size=20)
leaves = (
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(IDS)
    | st.sampled_from([Raw(token) for token in STRANGE_TOKENS])
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(1, 1000) | st.sampled_from(NUMBERS),
    "number": st.sampled_from((1, 100, 50, 33.3333, 0.5, 1000, 0.00001)),
    "boolean": st.booleans(),
    "null": st.none(),
}


def like(schema: Json, definitions: Json, name: str = "") -> st.SearchStrategy[Any]:
    """Values that the JSON schema describes, more or less; `name` is the field's."""
    if "$ref" in schema:
        return like(definitions[schema["$ref"].rpartition("/")[2]], definitions, name)
    if "anyOf" in schema:
        return st.one_of([like(branch, definitions, name) for branch in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object" if "properties" not in schema:
            return commands
        case "object":
            fields = {field: like(part, definitions, field) for field, part in schema["properties"].items()}
            required = {field: fields.pop(field) for field in schema.get("required", ())}
            return st.fixed_dictionaries(required, optional=fields)
        case "array":
            return st.lists(like(schema["items"], definitions, name), max_size=3)
        case "string":
            return _texts_for(schema, name)
        case simple:
            return SIMPLE[str(simple)]


def _texts_for(schema: Json, name: str) -> st.SearchStrategy[Any]:
    match schema.get("format"):
        case "uuid":
            return st.uuids().map(str) | st.sampled_from(("@group", "@expense"))
        case "date":
            return st.dates().map(str)
        case "date-time":
            return st.sampled_from(("2026-11-21T09:30:00Z", "2100-01-01T00:00:00+05:30"))
    if name == "commandId":
        return st.builds(key) | st.sampled_from(("command-1", "command-5"))
    return st.sampled_from(POOLS[name]) if name in POOLS else texts | st.just("Tea")


def places(value: object) -> list[tuple[Any, Any]]:
    """Every (container, key or index) inside the value."""
    if isinstance(value, Raw) or not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, at) for at in keys] + [place for at in keys for place in places(value[at])]


def request_of(operation: Operation) -> st.SearchStrategy[Any]:
    """Requests of the operation, more or less."""
    return requests_like(operation.request)


@cache
def requests_like(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Made once: it takes as long as what is made with it."""
    schema = model.model_json_schema(by_alias=True)
    return like(schema, schema.get("$defs", {}))


# What an outbox holds. Outboxes in it are no commands, but somebody may try.
commands = st.deferred(
    lambda: st.sampled_from(sorted(COMMANDS)).flatmap(
        lambda event: request_of(COMMANDS[event]).map(lambda body: {"type": event, **body})
    )
)


@st.composite
def broken(draw: st.DrawFn, operation: Operation) -> str:
    """A request of the operation as JSON text, with up to three things wrong."""
    body: Any = draw(request_of(operation))
    for _ in range(draw(st.integers(0, 3))):
        found = places(body)
        container: Any
        at: Any
        container, at = draw(st.sampled_from(found)) if found else (None, None)
        match draw(st.sampled_from(("replace", "drop", "extra", "twice", "whole"))):
            case "replace" if found:
                container[at] = draw(anything)
            case "drop" if found:
                del container[at]
            case "extra" if isinstance(body, dict):
                body[draw(texts)] = draw(anything)
            case "twice" if isinstance(container, list):
                container.append(container[at])
            case "twice" if isinstance(container, dict):
                container[at] = Raw(f"{text_of(container[at])},{json.dumps(at)}:{text_of(draw(anything))}")
            case "whole" if draw(st.integers(0, 4)) == 0:
                body = draw(anything)
            case _:
                pass
    return text_of(body)


# --- sending it


def named(stage: Stage, text: str) -> str:
    """The text with ids in place of their names."""
    return re.sub(r"@\w+", lambda match: stage.names.get(match[0], match[0]), text)


async def mend(stage: Stage) -> None:
    """Asha is signed in, and in an open group with Ben."""
    services = stage.node.services
    try:
        await services.accounts.authenticate(stage.asha.token)
        state = await services.groups.peek(stage.names["@group"])
        groups = await services.overview.group_ids(stage.asha.user_id)
        is_good = (
            state is not None
            and state.settings.archived_at is None
            and state.is_admin(stage.asha.user_id)
            and state.is_member(stage.ben.user_id)
            and len(groups) < 100
        )
    except TokenInvalid:
        is_good = False
    if not is_good:
        await stage.socket.close()
        anew = await Stage.set(stage.url, stage.node, stage.http)
        stage.asha, stage.ben, stage.mallory, stage.names = anew.asha, anew.ben, anew.mallory, anew.names
        stage.socket = anew.socket
    if not stage.socket.is_open:
        stage.socket = await RawSocket.open(stage.url, stage.http, stage.asha.token)


def appended(stage: Stage) -> int:
    """Events written since the server started."""
    store: Any = stage.node.services.handler
    return int(store._store.appended)


async def check_still_serving(stage: Stage) -> None:
    """A good read works, over both."""
    await mend(stage)
    ack = await stage.over_socket("balances:get", {"groupId": stage.names["@group"]})
    assert ack["ok"], ack
    answer = await stage.over_rest("GET", f"/groups/{stage.names['@group']}/balances", None)
    assert answer.status == 200


@pytest.mark.parametrize("event", COMMANDS)
@fuzzed
@given(data=st.data())
async def test_every_command(stage: Stage, event: str, data: st.DataObject) -> None:
    await mend(stage)
    text = named(stage, data.draw(broken(COMMANDS[event]), label="body"))
    before = appended(stage)
    ack = await stage.socket.call(f"{json.dumps(event)},{text}")
    documented.check_ack(event, ack)
    if not ack["ok"]:
        assert ack["error"]["code"] in CODES
        assert ack["error"]["status"] < 500
        assert appended(stage) == before
    elif event == "sync:push":
        for result in ack["results"]:
            assert result["ok"] or (result["error"]["code"] in CODES and result["error"]["status"] < 500)
        sent = json.loads(text)["commands"]
        written = [
            command["type"]
            for command, result in zip(sent, ack["results"], strict=True)
            if result["ok"] and result.get("replayed") is False
        ]
        most = sum(EVENTS_MAX.get(type_, 1) for type_ in written)
        assert len(written) <= appended(stage) - before <= most, written
    elif (
        event.startswith(("expense", "settlement:c", "settlement:d", "group", "member"))
        and event != "group:read"
    ):
        assert appended(stage) - before == (0 if ack["replayed"] else 1)
    await check_still_serving(stage)


# Giving the account up would end whoever asks for all the others.
REST = [operation for operation in OPERATIONS if operation.rest and operation.id != "deleteAccount"]


@pytest.mark.parametrize("operation", REST, ids=[operation.id for operation in REST])
@fuzzed
@given(data=st.data())
async def test_every_rest_operation(stage: Stage, operation: Operation, data: st.DataObject) -> None:
    await mend(stage)
    method, _, path = str(operation.rest).partition(" ")
    for name in re.findall(r"{(\w+)}", path):
        id_ = data.draw(st.sampled_from(POOLS.get(name, IDS)) | texts, label=name)
        path = path.replace(f"{{{name}}}", quote(named(stage, id_), safe=""))
    text = named(stage, data.draw(broken(operation), label="body"))
    content: bytes | None = text.encode("utf-8", "surrogatepass")
    if method == "GET":
        path += _as_query(text, data)
        content = data.draw(st.none() | st.just(content))
    elif data.draw(st.integers(0, 9)) == 0:
        content = data.draw(st.binary(max_size=50), label="bytes")
    headers = {
        "Idempotency-Key": data.draw(st.sampled_from((key(), key(), "a b", "\u00e9", "x" * 200)), label="key")
    }
    if data.draw(st.integers(0, 9)) == 0:
        headers["Authorization"] = data.draw(
            st.sampled_from(("", "Bearer", "Bearer x.y.z", "Basic x")), label="auth"
        )
    before = appended(stage)
    answer = await _sent(stage, method, path, content, headers)
    if operation.id == "push":
        pass  # tested as a command
    elif answer >= 400 or not operation.is_write:
        assert appended(stage) == before
    else:
        assert appended(stage) - before <= 1
    await check_still_serving(stage)


def _as_query(text: str, data: st.DataObject) -> str:
    """The fields of the body that fit into a query."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    fields = [(name, str(value)) for name, value in body.items()] if isinstance(body, dict) else []
    pairs = data.draw(st.lists(st.sampled_from(fields), max_size=4), label="query") if fields else []
    return f"?{urlencode(pairs, errors='surrogatepass')[:4_000]}" if pairs else ""


async def _sent(stage: Stage, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> int:
    """The status of the answer, which is as documented and isn't a fault of ours."""
    url = URL(f"{stage.url}/api/v1{path}", encoded=True)
    sent = {"Authorization": f"Bearer {stage.asha.token}", **headers}
    async with stage.http.request(method, url, data=content, headers=sent) as response:
        body = await response.read()
        is_file = response.content_type in ("text/csv", "application/pdf")
        parsed = json.loads(body) if body and not is_file else {}
        assert response.status < 500 or response.status == 501, parsed  # what this server doesn't offer
        if response.status >= 400:
            assert parsed["code"] in CODES
        if not is_file:
            documented.check_answer(method, path, response.status, parsed)
        return response.status
