"""The AsyncAPI 3.0 document of the socket, made from the table of operations and that of the server's events.

Actions are the server's, as the specification has it: it receives commands and sends events.
"""

from importlib.metadata import version
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel

from persplit.transport import results
from persplit.transport.broadcasts import BROADCASTS, CONNECT_ERROR, PERSONAL, SERVER_EVENTS, ServerEvent
from persplit.transport.examples import example_of
from persplit.transport.ground_rules import as_markdown
from persplit.transport.operations import Operation
from persplit.transport.requests import SincePoint
from persplit.transport.schemas import Schemas, acknowledgement, components, ref, used_by
from persplit.transport.table import COMMANDS

Json: TypeAlias = dict[str, Any]

_CHANNEL: Final = "namespace"
_ACK: Final = "Ack"
_REFUSED: Final = "Refused"
_CONNECT: Final = "Connect"
_READY: Final = "session:ready"
_TAGS: Final = {
    "commands": "What clients send",
    "broadcasts": "To everybody in a group",
    "personal": "To one person",
}


def asyncapi_document(server_url: str | None = None) -> Json:
    """The document. `server_url` is how the server is reached; without it, that is left open."""
    schemas = _schemas()
    messages = _messages(schemas)
    return {
        "asyncapi": "3.0.0",
        "info": _INFO | {"version": version("persplit")},
        "defaultContentType": "application/json",
        "servers": {"server": _server(server_url)},
        "channels": {_CHANNEL: _channel(messages)},
        "operations": _operations(),
        "components": {
            "messages": messages,
            "schemas": used_by(schemas, messages),
            "securitySchemes": {"token": _TOKEN},
        },
    }


def camel(event: str) -> str:
    """The event's name as a key: `expenseCreated` for `expense:created`."""
    first, *rest = event.replace("_", ":").split(":")
    return first + "".join(part.capitalize() for part in rest)


_INFO: Final = {
    "title": "PerSplit",
    "description": (
        "Socket.IO (protocol 5, Engine.IO 4) at the path `/socket.io`, namespace `/`. Connect over WebSocket with "
        "`auth: {token: <access token>}`; there are no rooms to join by hand. An event has exactly one argument, an "
        "object, and so has an ack: a command's ack is `{ok: true, …}` or `{ok: false, error}`. An unknown event, a "
        "missing argument or one too many is refused in the ack as well.\n\n" + as_markdown()
    ),
    "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
}
_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The access token of a sign-in over REST. It goes, without a scheme, into `token` of the "
    "connection's `auth`. Before it runs out the server sends `auth:expiring`; `auth:renew` takes the next one.",
}


def _server(url: str | None) -> Json:
    """Where to connect. The variable stands in where the server doesn't know how it is reached."""
    found: Json = {
        "pathname": "/socket.io",
        "protocol": "ws",
        "security": [{"$ref": _pointer("securitySchemes", "token")}],
    }
    if url is None:
        variable = {"default": "127.0.0.1:8000", "description": "host and port of the server"}
        return {"host": "{host}", **found, "variables": {"host": variable}}
    parts = urlsplit(url)
    return {"host": parts.netloc, **found, "protocol": "wss" if parts.scheme == "https" else "ws"}


def _pointer(kind: str, name: str) -> str:
    return f"#/components/{kind}/{name}"


# --- schemas


def _schemas() -> Schemas:
    """Of every command the request and the ack, of every event the payload."""
    answers: list[type[BaseModel]] = [it.result for it in COMMANDS.values() if it.result is not None]
    told: list[type[BaseModel]] = [event.payload for event in (*SERVER_EVENTS, CONNECT_ERROR)]
    schemas = components(
        [*(it.request for it in COMMANDS.values()), SincePoint], [*answers, *told, results.Problem]
    )
    for schema in schemas.values():
        # Here it would have to be a plain name; the constants of `type` tell the cases apart.
        schema.pop("discriminator", None)
    for result in answers:
        schemas[result.__name__ + _ACK] = acknowledgement(schemas[result.__name__])
    schemas[_REFUSED] = _REFUSED_SCHEMA
    schemas[_CONNECT] = _CONNECT_SCHEMA
    return dict(sorted(schemas.items()))


_REFUSED_SCHEMA: Final = {
    "type": "object",
    "description": "The ack of a command that was refused: nothing was written, unless its code says otherwise.",
    "properties": {"ok": {"const": False}, "error": ref("Problem")},
    "required": ["ok", "error"],
}
_CONNECT_SCHEMA: Final = {
    "type": "object",
    "description": "What goes into `auth`.",
    "properties": {
        "token": {"type": "string", "description": "the access token"},
        "since": {
            "type": "object",
            "description": "by group id: what the client has of it. The greeting then brings what it lacks.",
            "additionalProperties": ref("SincePoint"),
        },
    },
    "required": ["token"],
}


# --- messages


def _messages(schemas: Schemas) -> Json:
    found = {
        "connect": _message("connect", "Sign the socket in", _CONNECT, schemas),
        "refused": _message("ack", "The command was refused", _REFUSED, schemas),
    }
    for event, operation in COMMANDS.items():
        name = operation.request.__name__
        found[operation.id] = _message(event, operation.summary, name, schemas, tag="commands")
        found[operation.id + _ACK] = _message("ack", f"The ack of `{event}`", _ack_name(operation), schemas)
    for tag, events in (("broadcasts", BROADCASTS), ("personal", (*PERSONAL, CONNECT_ERROR))):
        for told in events:
            found[camel(told.name)] = _message(
                told.name, told.summary, told.payload.__name__, schemas, tag=tag
            )
    return found


def _message(name: str, summary: str, schema: str, schemas: Schemas, tag: str | None = None) -> Json:
    found: Json = {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        "payload": ref(schema),
        "examples": [{"name": "example", "payload": example_of(schema, schemas)}],
    }
    if tag is not None:
        found["tags"] = [{"name": tag}]
    return found


def _ack_name(operation: Operation) -> str:
    if operation.result is None:
        raise ValueError(f"{operation.id}: an ack says something")
    return operation.result.__name__ + _ACK


# --- the channel and what is done there


def _channel(messages: Json) -> Json:
    return {
        "address": "/",
        "title": "The namespace /",
        "description": "All messages of a signed-in socket. The address is the Socket.IO namespace; the path of the "
        "WebSocket is the server's.",
        "messages": {name: {"$ref": _pointer("messages", name)} for name in messages},
    }


def _operations() -> Json:
    found: Json = {
        "connect": _received("connect", "Connect and sign in", [camel(_READY), camel(CONNECT_ERROR.name)])
    }
    for operation in COMMANDS.values():
        found[operation.id] = _received(operation.id, operation.summary, [operation.id + _ACK, "refused"])
    for event in SERVER_EVENTS:
        found[camel(event.name)] = _sent(event)
    return found


def _received(message: str, summary: str, replies: list[str]) -> Json:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": summary,
        "messages": [_in_channel(message)],
        "reply": {
            "channel": {"$ref": f"#/channels/{_CHANNEL}"},
            "messages": [_in_channel(reply) for reply in replies],
        },
    }


def _sent(event: ServerEvent) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": event.summary,
        "messages": [_in_channel(camel(event.name))],
    }


def _in_channel(message: str) -> Json:
    return {"$ref": f"#/channels/{_CHANNEL}/messages/{message}"}
