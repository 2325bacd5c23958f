"""The OpenAPI 3.1 document of the REST interface, made from the table of operations."""

import re
from importlib.metadata import version
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from persplit.transport import results
from persplit.transport.cookies import CLIENT_HEADER, WEB_CLIENT
from persplit.transport.examples import RETRY_AFTER, example_of, problem_example
from persplit.transport.ground_rules import as_markdown
from persplit.transport.operations import Operation
from persplit.transport.plain_routes import PLAIN_TAG, plain_paths
from persplit.transport.problems import PROBLEMS
from persplit.transport.schemas import Schema, Schemas, components, ref, used_by, without
from persplit.transport.table import OPERATIONS, TAGGED
from persplit.transport.views import API

Json: TypeAlias = dict[str, Any]

_BODY: Final = "Body"
"""After the name of a request model: what of it goes into the body."""
_KEY: Final = "commandId"
_IN_QUERY: Final = ("get", "delete")
_PARAMETER: Final = re.compile(r"{(\w+)}")
_CREDENTIALS: Final = frozenset({"login", "createSession", "refresh"})
"""Public operations that may refuse who asks."""
_FOUNDING: Final = "createGroup"
"""The one write that no group's members and roles can refuse."""
_WHOLE_FILES: Final = frozenset({"importFile", "undoImport"})
"""Many writes in one, for admins."""
_EXTRAS: Final = frozenset({"exportPdf", "scanReceipt"})
"""What a server may lack."""
_UNIQUE_EMAIL: Final = frozenset({"register", "updateProfile"})


def openapi_document(server_url: str | None = None) -> Json:
    """The document. `server_url` is how the server is reached; without it: the origin of the document."""
    every = [operation for operation in OPERATIONS if operation.rest is not None]
    schemas = _schemas(every)
    paths = _paths(every, schemas)
    for path, methods in plain_paths().items():
        paths.setdefault(path, {}).update(methods)
    shared = {"headers": _HEADERS, "parameters": _PARAMETERS, "responses": _problem_responses()}
    return {
        "openapi": "3.1.0",
        "info": _INFO | {"version": version("persplit")},
        "servers": [{"url": server_url or "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in (*TAGGED, PLAIN_TAG)],
        "paths": paths,
        "components": {
            "schemas": used_by(schemas, [paths, shared]),
            **shared,
            "securitySchemes": {"bearer": _BEARER},
        },
    }


_INTRODUCTION: Final = (
    "REST does all that the socket does and answers from history; the socket is where a change is heard at once. "
    "Both share commands, shapes and error codes. `/docs` describes both, `/asyncapi.json` the socket's messages."
)
_INFO: Final = {
    "title": "PerSplit",
    "summary": "Group expenses, the same balances for everyone, UPI settlement",
    "description": f"{_INTRODUCTION}\n\n{as_markdown()}",
}
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The access token of a sign-in; it lives for ten minutes. Refresh it at `/api/v1/auth/refresh`.",
}
_HEADERS: Final = {
    "IdempotencyReplayed": {
        "description": "`true` where this is the answer to an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "RetryAfter": {
        "description": "How many seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
_PARAMETERS: Final = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The client's key, which makes the write safe to send again. Required unless `commandId` "
        "carries it; where both are given they have to be equal.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
    "WebClient": {
        "name": CLIENT_HEADER,
        "in": "header",
        "required": False,
        "description": f"Browsers send `{WEB_CLIENT}`: the refresh token then travels in a cookie that scripts can't "
        "read, and `refreshToken` in the answer is null. Other clients leave it out.",
        "schema": {"type": "string", "const": WEB_CLIENT},
    },
}


# --- schemas


def _schemas(operations: list[Operation]) -> Schemas:
    """The schemas of all models, and of each request what goes into the body."""
    used: list[type[BaseModel]] = [operation.result for operation in operations if operation.result]
    schemas = components([operation.request for operation in operations], [*used, results.Problem])
    for operation in operations:
        if operation.request.model_fields:
            name = operation.request.__name__
            schemas[name + _BODY] = _body_schema(operation, schemas[name])
    return dict(sorted(schemas.items()))


def _body_schema(operation: Operation, schema: Schema) -> Schema:
    """The request without what its path says; the key is optional, because a header may carry it."""
    # What isn't a write to a ledger takes the key and ignores it: sockets send one with everything.
    ignored = [*([] if operation.carries_key else [_KEY]), *(["file"] if operation.file_types else [])]
    rest = without(schema, [*_parameters_of(operation), *ignored])
    if operation.carries_key:
        key = {
            **rest["properties"][_KEY],
            "description": "The client's key. Required unless the header `Idempotency-Key` carries it.",
        }
        rest["properties"] = {**rest["properties"], _KEY: key}
        rest["required"] = [name for name in rest["required"] if name != _KEY]
    return rest


def _parameters_of(operation: Operation) -> list[str]:
    return _PARAMETER.findall(operation.rest or "")


# --- operations


def _paths(operations: list[Operation], schemas: Schemas) -> Json:
    tags = {operation.id: tag for tag, group in TAGGED.items() for operation in group}
    paths: Json = {}
    for operation in operations:
        method, path = (
            (operation.rest or "").lower().split(" ")[0],
            API + (operation.rest or "").split(" ")[1],
        )
        paths.setdefault(path, {})[method] = _operation(operation, method, tags[operation.id], schemas)
    return paths


def _operation(operation: Operation, method: str, tag: str, schemas: Schemas) -> Json:
    schema = schemas[operation.request.__name__] if operation.request.model_fields else {}
    described: Json = {
        "operationId": operation.id,
        "tags": [tag],
        "summary": operation.summary,
        "parameters": _parameters(operation, method, schema),
    }
    has_body = operation.file_types or schemas.get(operation.request.__name__ + _BODY, {}).get("properties")
    if method not in _IN_QUERY and has_body:
        described["requestBody"] = _request_body(operation, schemas)
    if operation.is_public:
        described["security"] = []
    described["responses"] = {str(operation.status): _success(operation, schemas)}
    for status in sorted(_failures(operation, method)):
        described["responses"][str(status)] = {"$ref": f"#/components/responses/{_response_name(status)}"}
    return described


def _parameters(operation: Operation, method: str, schema: Schema) -> list[Json]:
    fields = schema.get("properties", {})
    in_path = _parameters_of(operation)
    found = [
        {"name": name, "in": "path", "required": True, "schema": _without_description(fields[name])}
        for name in in_path
    ]
    if method in _IN_QUERY:
        hidden = {*in_path} if operation.carries_key else {*in_path, _KEY}
        found += [
            _in_query(operation, name, part, schema) for name, part in fields.items() if name not in hidden
        ]
    if operation.carries_key:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if operation.result is results.SignedIn:
        found.append({"$ref": "#/components/parameters/WebClient"})
    return found


def _in_query(operation: Operation, name: str, part: Schema, schema: Schema) -> Json:
    is_required = name in schema.get("required", ()) and not (operation.carries_key and name == _KEY)
    found = {"name": name, "in": "query", "required": is_required, "schema": _without_description(part)}
    if "description" in part:
        found["description"] = part["description"]
    return found


def _without_description(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "description"}


def _request_body(operation: Operation, schemas: Schemas) -> Json:
    name = operation.request.__name__ + _BODY
    if operation.file_types:
        return _file_body(operation, name, schemas)
    example = example_of(name, schemas)
    return {
        "required": bool(schemas[name].get("required")),
        "content": {"application/json": {"schema": ref(name), "example": example}},
    }


def _file_body(operation: Operation, name: str, schemas: Schemas) -> Json:
    """A file as the body itself; the other fields, if there are any, in JSON in its place."""
    content: Json = {media_type: {} for media_type in operation.file_types}
    if schemas[name]["properties"]:
        content["application/json"] = {"schema": ref(name), "example": example_of(name, schemas)}
    return {"required": True, "content": content}


def _success(operation: Operation, schemas: Schemas) -> Json:
    if operation.media_type is not None and operation.result is None:
        return {
            "description": operation.summary,
            "content": {operation.media_type: {"schema": {"type": "string"}}},
        }
    if operation.result is None:
        return {"description": "Done."}
    name = operation.result.__name__
    answer: Json = {
        "description": schemas[name].get("description", "Done."),
        "content": {"application/json": {"schema": ref(name), "example": example_of(name, schemas)}},
    }
    if operation.carries_key:
        answer["headers"] = {"Idempotency-Replayed": {"$ref": "#/components/headers/IdempotencyReplayed"}}
    return answer


# --- refusals


def _failures(operation: Operation, method: str) -> set[int]:
    """The statuses of the refusals that can happen."""
    found = {422, 429, 500, 503}
    if not operation.is_public or operation.id in _CREDENTIALS:
        found.add(401)
    acts_on_group = operation.carries_key and operation.id != _FOUNDING
    if acts_on_group or operation.is_for_admins or operation.id in _CREDENTIALS:
        found.add(403)
    if acts_on_group or _parameters_of(operation):
        found.add(404)
    if operation.carries_key or operation.id in _UNIQUE_EMAIL:
        found.add(409)
    if operation.id in _WHOLE_FILES:
        found |= {403, 409, 501}
    if operation.id in _EXTRAS:
        found.add(501)
    if operation.file_types:
        found |= {409, 415, 507}
    if method != "get":
        found.add(400)
    if method != "get" or operation.media_type is not None:
        found.add(413)
    return found


def _response_name(status: int) -> str:
    return f"Problem{status}"


def _problem_responses() -> Json:
    """One response per status, which lists its codes."""
    return {
        _response_name(status): _problem_response(status)
        for status in sorted({entry.status for entry in PROBLEMS.values()})
    }


def _problem_response(status: int) -> Json:
    entries = {error.code: entry for error, entry in PROBLEMS.items() if entry.status == status}
    lines = [f"* `{code}`: {entry.title}. Retry? {entry.retry}" for code, entry in entries.items()]
    examples = {code: {"value": problem_example(code, entry)} for code, entry in entries.items()}
    answer: Json = {
        "description": "\n".join(lines),
        "content": {"application/problem+json": {"schema": ref("Problem"), "examples": examples}},
    }
    if status in RETRY_AFTER:
        answer["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return answer
