"""The page's types of what goes over the wire, from our own documents. Run by scripts/webapp types.

It writes `openapi.ts` (REST) and `asyncapi.ts` (the socket), by openapi-typescript, which must be installed in the
page's folder.
"""

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias

from persplit.transport.asyncapi import asyncapi_document
from persplit.transport.broadcasts import BROADCASTS, CONNECT_ERROR, PERSONAL
from persplit.transport.openapi import openapi_document
from persplit.transport.schemas import ref
from persplit.transport.table import COMMANDS
from scripts import build_webapp

Json: TypeAlias = dict[str, Any]

WEBAPP: Final = Path(__file__).parent.parent / "persplit/webapp"
WIRE: Final = WEBAPP / "src/wire"
GENERATOR: Final = WEBAPP / "node_modules/openapi-typescript/bin/cli.js"
OPTIONS: Final = (
    "--root-types",
    "--root-types-no-schema-prefix",
    # A default is filled in by the server: who asks may leave the field out.
    "--default-non-nullable=false",
)
HEADER: Final = """\
// Written by scripts/webapp types, from the server's own documents. Don't edit.
// SHA-256 of what they were made from: {made_from}
// SHA-256 of what follows: {text}
"""
_VERSION: Final = "0"
"""Of the documents that the types are made from: a release alone must not change the types."""


def documents() -> dict[str, Json]:
    """By the name of the file: what its types are made from."""
    return {"openapi": _rest(openapi_document()), "asyncapi": _socket(asyncapi_document())}


def _rest(openapi: Json) -> Json:
    """The document without examples, headers and refusals: each refusal is a `Problem`."""
    paths: dict[str, Json] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            paths.setdefault(path, {})[method] = operation | {"responses": _successes(operation["responses"])}
            for part in (*operation["responses"].values(), operation.get("requestBody", {})):
                for content in part.get("content", {}).values():
                    content.pop("example", None)
    return {
        "openapi": openapi["openapi"],
        "info": {"title": openapi["info"]["title"], "version": _VERSION},
        "paths": paths,
        "components": {kind: openapi["components"][kind] for kind in ("schemas", "parameters")},
    }


def _successes(responses: Json) -> Json:
    kept = {status: dict(response) for status, response in responses.items() if status.startswith("2")}
    for response in kept.values():
        response.pop("headers", None)
    return kept


def _socket(asyncapi: Json) -> Json:
    """The socket's schemas as a document without paths, with three tables by the event's name.

    `CommandRequests` and `CommandAcks` have what a command takes and what its ack says when it was carried out,
    `ServerEvents` the payloads of what the server sends. A refusal's ack is `Refused`.
    """
    acks = {name: f"{it.result.__name__}Ack" for name, it in COMMANDS.items() if it.result is not None}
    told = (*BROADCASTS, *PERSONAL, CONNECT_ERROR)
    tables = {
        "CommandRequests": _table((name, it.request.__name__) for name, it in COMMANDS.items()),
        "CommandAcks": _table(acks.items()),
        "ServerEvents": _table((event.name, event.payload.__name__) for event in told),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": asyncapi["info"]["title"], "version": _VERSION},
        "paths": {},
        "components": {"schemas": asyncapi["components"]["schemas"] | tables},
    }


def _table(rows: Iterable[tuple[str, str]]) -> Json:
    properties = {event: ref(schema) for event, schema in sorted(rows)}
    return {"type": "object", "properties": properties, "required": list(properties)}


def made_from(document: Json) -> str:
    """A hash of all that the file depends on: another one, and it is out of date."""
    packages = json.loads((WEBAPP / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    of = [document, OPTIONS, packages["openapi-typescript"], packages["typescript"]]
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()


def file_text(document: Json, types: str) -> str:
    """The file with its header."""
    return (
        HEADER.format(made_from=made_from(document), text=hashlib.sha256(types.encode()).hexdigest()) + types
    )


def generated(document: Json) -> str:
    """The document's types."""
    node = build_webapp.node()
    if node is None:
        raise SystemExit("Node.js is not there: run this by scripts/webapp types")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "document.json")
        source.write_text(json.dumps(document), encoding="utf-8")
        made = subprocess.run(  # noqa: S603 - ours
            [node, GENERATOR, source, *OPTIONS], capture_output=True, text=True, check=True
        )
    return "\n" + made.stdout


def main() -> None:
    """Write both files."""
    for name, document in documents().items():
        (WIRE / f"{name}.ts").write_text(file_text(document, generated(document)), encoding="utf-8")


if __name__ == "__main__":
    main()
