"""The reference for people, at /docs: made from the two documents, the table of refusals and the settings."""

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final, TypeAlias

import orjson
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticUndefined

from persplit.config import Settings
from persplit.ledger.errors import PerSplitError
from persplit.transport.connecting import PROGRAMS, STEPS
from persplit.transport.field_tables import field_table, type_section
from persplit.transport.ground_rules import GROUND_RULES, Rule
from persplit.transport.html import Html, joined, prose, tag
from persplit.transport.limits_table import RATE_ROWS, SIZES, Row
from persplit.transport.pages import page
from persplit.transport.plain_routes import PLAIN_TAG
from persplit.transport.problems import PROBLEMS, Problem
from persplit.transport.schemas import Schema, Schemas, name_of

Json: TypeAlias = dict[str, Any]

_SNAKE: Final = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
_SECTIONS: Final = (
    ("rules", "Ground rules"),
    ("connect", "How to connect"),
    ("rest", "REST"),
    ("commands", "Socket: commands"),
    ("events", "Socket: events"),
    ("types", "Types"),
    ("errors", "Errors"),
    ("limits", "Limits"),
    ("settings", "Settings"),
)


def reference(openapi: Json, asyncapi: Json) -> bytes:
    """The page."""
    body = (
        _rules(),
        _connect(),
        _rest(openapi),
        _commands(asyncapi),
        _events(asyncapi),
        _types(openapi, asyncapi),
        _errors(),
        _limits(),
        _settings(),
    )
    sections = (_section(id_, title, part) for (id_, title), part in zip(_SECTIONS, body, strict=True))
    return page("PerSplit reference", _header(), _contents(openapi, asyncapi), tag("main", *sections))


def _header() -> Html:
    links = (
        tag("a", "OpenAPI", href="/openapi.json"),
        ", ",
        tag("a", "AsyncAPI", href="/asyncapi.json"),
        ". For whoever runs it: ",
        tag("a", "how much it takes", href="/docs/capacity"),
        ".",
    )
    said = f"Version {version('persplit')}. For generators: "
    return tag("header", tag("h1", "PerSplit reference"), tag("p", said, *links))


def _section(id_: str, title: str, content: Html) -> Html:
    return tag("section", tag("h2", title, id=id_), content)


def _paragraphs(rules: tuple[Rule, ...]) -> Html:
    return joined(*(joined(tag("h3", rule.title), tag("p", prose(rule.text))) for rule in rules))


def _rules() -> Html:
    return _paragraphs(GROUND_RULES)


def _connect() -> Html:
    programs = (joined(tag("h3", title), tag("pre", tag("code", text))) for title, text in PROGRAMS)
    return joined(_paragraphs(STEPS), *programs)


# --- table of contents


def _contents(openapi: Json, asyncapi: Json) -> Html:
    inside = {
        "rest": [id_ for _, _, operation in _table_routes(openapi) if (id_ := operation["operationId"])],
        "commands": [message["name"] for message in _tagged(asyncapi, "commands")],
        "events": [message["name"] for message in _server_events(asyncapi)],
        "errors": [error.code for error in PROBLEMS],
    }
    entries = (
        tag(
            "li",
            tag("a", title, href=f"#{id_}"),
            tag("ul", *(tag("li", tag("a", it, href=f"#{it}")) for it in inside[id_]))
            if id_ in inside
            else "",
        )
        for id_, title in _SECTIONS
    )
    return tag("nav", tag("details", tag("summary", "Contents"), tag("ul", *entries)), aria_label="Contents")


# --- REST


def _table_routes(openapi: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and operation of each route of the table."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if PLAIN_TAG not in operation["tags"]:
                yield method.upper(), path, operation


def _rest(openapi: Json) -> Html:
    schemas: Schemas = openapi["components"]["schemas"]
    parts: list[Html] = []
    last_tag = None
    for method, path, operation in sorted(_table_routes(openapi), key=lambda it: _rank(openapi, it[2])):
        if operation["tags"][0] != last_tag:
            last_tag = operation["tags"][0]
            parts.append(tag("h3", last_tag))
        parts.append(_rest_operation(method, path, operation, openapi["components"]["parameters"], schemas))
    return joined(*parts, tag("h3", PLAIN_TAG), _plain(openapi))


def _rank(openapi: Json, operation: Json) -> int:
    return [it["name"] for it in openapi["tags"]].index(operation["tags"][0])


def _rest_operation(method: str, path: str, operation: Json, shared: Json, schemas: Schemas) -> Html:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    status, answer = next(iter(operation["responses"].items()))
    result = answer.get("content", {}).get("application/json", {})
    refused = sorted(set(operation["responses"]) - {status})
    return tag(
        "article",
        tag("h4", tag("code", f"{method} {path}"), id=operation["operationId"]),
        tag("p", operation["summary"], ". ", "No sign-in needed." if "security" in operation else ""),
        field_table(_parameters_schema(operation, shared), "Parameters"),
        field_table(_resolved(body.get("schema", {}), schemas), "Body"),
        tag(
            "p",
            f"Answer {status}: ",
            _type_link(result.get("schema", {})),
            ". Refusals: ",
            ", ".join(refused),
            ".",
        ),
        _example("Example", body.get("example"), result.get("example")),
    )


def _parameters_schema(operation: Json, shared: Json) -> Schema:
    """The parameters as if they were the fields of one object."""
    fields: Schemas = {}
    required = []
    for given in operation["parameters"]:
        parameter = shared[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        where = f"in the {parameter['in']}"
        said = f"{where}; {parameter['description']}" if "description" in parameter else where
        fields[parameter["name"]] = {**parameter["schema"], "description": said}
        if parameter["required"]:
            required.append(parameter["name"])
    return {"properties": fields, "required": required}


def _resolved(schema: Schema, schemas: Schemas) -> Schema:
    name = name_of(schema)
    return schema if name is None else schemas[name]


def _type_link(schema: Schema) -> Html:
    name = name_of(schema)
    return Html("nothing") if name is None else tag("a", name, href=f"#type-{name}")


def _plain(openapi: Json) -> Html:
    rows = (
        tag("li", tag("code", f"GET {path}"), ": ", methods["get"]["summary"])
        for path, methods in openapi["paths"].items()
        if PLAIN_TAG in methods.get("get", {}).get("tags", ())
    )
    return tag("ul", *rows)


def _example(title: str, *values: object) -> Html:
    shown = [tag("pre", tag("code", _json(value))) for value in values if value is not None]
    return tag("details", tag("summary", title), *shown) if shown else Html("")


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


# --- the socket


def _tagged(asyncapi: Json, name: str) -> list[Json]:
    messages = asyncapi["components"]["messages"].values()
    return [message for message in messages if {"name": name} in message.get("tags", ())]


def _server_events(asyncapi: Json) -> list[Json]:
    return [*_tagged(asyncapi, "personal"), *_tagged(asyncapi, "broadcasts")]


def _commands(asyncapi: Json) -> Html:
    components = asyncapi["components"]
    acks = {id_: message for id_, message in components["messages"].items() if id_.endswith("Ack")}
    ids = {message["name"]: id_ for id_, message in components["messages"].items() if id_ + "Ack" in acks}
    return joined(
        tag("p", prose("Each has an ack: `{ok: true, …}` with what stands below, or `{ok: false, error}`.")),
        *(
            _message(message, components["schemas"], acks[ids[message["name"]] + "Ack"])
            for message in _tagged(asyncapi, "commands")
        ),
    )


def _events(asyncapi: Json) -> Html:
    schemas: Schemas = asyncapi["components"]["schemas"]
    return joined(*(_message(message, schemas) for message in _server_events(asyncapi)))


def _message(message: Json, schemas: Schemas, ack: Json | None = None) -> Html:
    examples = [it["payload"] for it in message["examples"]]
    answered = Html("")
    if ack is not None:
        answered = field_table(_resolved(ack["payload"], schemas), "Ack")
        examples += [it["payload"] for it in ack["examples"]]
    return tag(
        "article",
        tag("h4", tag("code", message["name"]), id=message["name"]),
        tag("p", prose(message["summary"])),
        field_table(_resolved(message["payload"], schemas), "Fields"),
        answered,
        _example("Example", *examples),
    )


# --- types


def _types(openapi: Json, asyncapi: Json) -> Html:
    """The types that others refer to, from both documents; whole requests, acks and events stand above."""
    schemas: Schemas = {**asyncapi["components"]["schemas"], **openapi["components"]["schemas"]}
    shown_above = {name_of(it["payload"]) for it in asyncapi["components"]["messages"].values()}
    return joined(
        *(
            type_section(name, schema)
            for name, schema in sorted(schemas.items())
            if name not in shown_above and not name.endswith("Body")
        )
    )


# --- errors and settings


def _errors() -> Html:
    return joined(
        tag("p", prose("The same codes in a problem of REST, in an ack's `error` and in `connect_error`.")),
        *(_error(error, entry) for error, entry in PROBLEMS.items()),
    )


def _error(error: type[PerSplitError], entry: Problem) -> Html:
    return tag(
        "article",
        tag("h3", tag("code", error.code), id=error.code),
        tag("p", f"{entry.status} · {entry.title}. ", prose(_meaning(error))),
        tag("p", tag("strong", "Does a retry help? "), prose(entry.retry)),
    )


def _meaning(error: type[PerSplitError]) -> str:
    """What the class says of itself, its attributes by their names on the wire."""
    said = (inspect.getdoc(error) or "").partition("\n\n")[0]
    return _SNAKE.sub(lambda found: f"`{to_camel(found[1])}`", said)


def _limits() -> Html:
    return joined(
        tag("h3", "Sizes and times"),
        tag("p", "Always in force."),
        _rows(SIZES),
        tag("h3", "Rates and counts"),
        tag(
            "p",
            prose(
                "Counted by each node for itself. What is one too many is answered with `rate_limited` and "
                "`retryAfterMs`; over REST that is 429, with `Retry-After` in seconds as well. A socket that may "
                "not be opened now gets `connect_error` with the same in `data`: wait, then connect. An address is "
                "an IPv4 address or the /64 of an IPv6 one."
            ),
        ),
        _rows(RATE_ROWS),
    )


def _rows(rows: tuple[Row, ...]) -> Html:
    head = tag("tr", *(tag("th", title) for title in ("Of what", "How much", "Beyond", "Why")))
    return tag(
        "table",
        tag("thead", head),
        tag("tbody", *(tag("tr", *(tag("td", prose(cell)) for cell in row)) for row in rows)),
    )


def _settings() -> Html:
    rows = (
        tag(
            "tr",
            tag("td", tag("code", f"PERSPLIT_{name.upper()}")),
            tag("td", _default(field.default)),
            tag("td", prose(field.description or "")),
        )
        for name, field in Settings.model_fields.items()
    )
    head = tag("tr", *(tag("th", title) for title in ("Variable", "Default", "Meaning")))
    return joined(
        tag(
            "p", "How a server is run: environment variables, with the values that hold where none is given."
        ),
        tag("table", tag("thead", head), tag("tbody", *rows)),
    )


def _default(value: object) -> Html:
    if value in (None, (), PydanticUndefined):
        return Html("–")
    if isinstance(value, tuple):
        value = ",".join(value)
    return tag(
        "code", {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )
