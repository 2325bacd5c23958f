"""The OpenAPI document: valid, complete, and true to the models."""

import re
from typing import Any, cast

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from persplit.transport import documents
from persplit.transport.examples import example_of
from persplit.transport.openapi import openapi_document
from persplit.transport.operations import Operation
from persplit.transport.problems import PROBLEMS
from persplit.transport.requests import Write
from persplit.transport.rest import Rest
from persplit.transport.result import Posting, Result
from persplit.transport.schemas import components
from persplit.transport.table import OPERATIONS, TAGGED
from persplit.transport.web_page import WebPage

DOCUMENT = openapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]
IN_REST = [operation for operation in OPERATIONS if operation.rest is not None]
FROM_APP = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}
"""Routes that the application itself adds."""


def described(operation: Operation) -> dict[str, Any]:
    method, path = (operation.rest or "").split(" ")
    return cast("dict[str, Any]", DOCUMENT["paths"]["/api/v1" + path][method.lower()])


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": {"schemas": SCHEMAS}})


def walk(node: object) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for part in node for found in walk(part)]
    if isinstance(node, dict):
        return [node, *(found for part in node.values() for found in walk(part))]
    return []


def parameter_names(operation: Operation, where: str) -> set[str]:
    shared = DOCUMENT["components"]["parameters"]
    resolved = [
        shared[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        for given in described(operation)["parameters"]
    ]
    return {parameter["name"] for parameter in resolved if parameter["in"] == where}


def test_it_is_a_valid_openapi_document() -> None:
    told = openapi_document("https://split.example.org")
    assert not list(OpenAPIV31SpecValidator(cast("Any", told)).iter_errors())


def test_it_says_where_the_server_is() -> None:
    assert DOCUMENT["servers"] == [{"url": "/"}]
    assert openapi_document("https://split.example.org")["servers"] == [{"url": "https://split.example.org"}]


def test_the_same_operations_as_in_the_table() -> None:
    by_id = {
        operation["operationId"]: (method.upper() + " " + path.removeprefix("/api/v1"), operation["tags"])
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if operation["tags"][0] in TAGGED
    }
    assert by_id == {it.id: (it.rest, [tag]) for tag, group in TAGGED.items() for it in group if it.rest}


def test_the_same_routes_as_are_served() -> None:
    rest = Rest(*cast("tuple[Any, Any, Any, Any, Any]", (None,) * 5))
    served = {
        (route.method, path)
        for route in cast(
            "list[web.RouteDef]", [*rest.routes(), *documents.routes(None, lambda _: None, WebPage())]
        )
        for path in alternatives(route.path)
    }
    documented = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert documented == served | FROM_APP


def alternatives(path: str) -> list[str]:
    """Aiohttp's `{kind:png|svg}` written out."""
    choice = re.search(r"{\w+:([^}]+)}", path)
    return [path.replace(choice[0], kind) for kind in choice[1].split("|")] if choice else [path]


def test_every_reference_leads_somewhere() -> None:
    for node in walk(DOCUMENT):
        if "$ref" in node:
            found: Any = DOCUMENT
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]


def test_every_component_is_used() -> None:
    used = {node["$ref"] for node in walk(DOCUMENT) if "$ref" in node}
    for kind in ("schemas", "responses", "parameters", "headers"):
        for name in DOCUMENT["components"][kind]:
            if (kind, name) != ("responses", "Problem405"):
                assert f"#/components/{kind}/{name}" in used, name


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_fit_for_generators(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)
    for field, schema in SCHEMAS[name].get("properties", {}).items():
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", field)
        assert not {"anyOf", "oneOf", "allOf", "title"} & set(schema), "a nameless union"
        assert schema.get("type") != "object", "a nameless object"
        assert schema.get("default", "") is not None


@pytest.mark.parametrize("operation", IN_REST, ids=lambda it: it.id)
def test_a_request_has_every_field_of_its_model_once(operation: Operation) -> None:
    found = described(operation)
    content = found.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("schema", {})
    in_body = set(SCHEMAS[body["$ref"].rpartition("/")[2]]["properties"]) if body else set()
    if operation.file_types:
        assert content.keys() - {"application/json"} == set(operation.file_types)
        in_body.add("file")
    in_path, in_query = parameter_names(operation, "path"), parameter_names(operation, "query")
    assert in_path == set(re.findall(r"{(\w+)}", operation.rest or ""))
    assert not in_path & (in_body | in_query)
    fields = {it.alias or name for name, it in operation.request.model_fields.items()}
    # A read takes the key and ignores it; in REST there is no reason to send it.
    ignored = set() if operation.carries_key else {"commandId"}
    assert in_path | in_query | in_body == fields - ignored


@pytest.mark.parametrize("operation", IN_REST, ids=lambda it: it.id)
def test_writes_show_both_ways_to_carry_the_key(operation: Operation) -> None:
    assert operation.carries_key == issubclass(operation.request, Write)
    assert operation.carries_key == ("Idempotency-Key" in parameter_names(operation, "header"))
    answer = described(operation)["responses"][str(operation.status)]
    assert operation.carries_key == ("Idempotency-Replayed" in answer.get("headers", {}))
    body = described(operation).get("requestBody")
    if operation.carries_key and body:
        name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert "commandId" in SCHEMAS[name]["properties"]
        assert "commandId" not in SCHEMAS[name]["required"]


@pytest.mark.parametrize("operation", IN_REST, ids=lambda it: it.id)
def test_who_may_call_and_what_is_refused(operation: Operation) -> None:
    found = described(operation)
    assert (found.get("security") == []) == operation.is_public
    statuses = {int(status) for status in found["responses"]}
    assert {operation.status, 422, 429, 503} <= statuses
    assert operation.is_public or 401 in statuses
    assert ("{" not in (operation.rest or "")) or 404 in statuses


@pytest.mark.parametrize("operation", IN_REST, ids=lambda it: it.id)
def test_examples_are_what_the_models_take_and_say(operation: Operation) -> None:
    found = described(operation)
    if "application/json" in found.get("requestBody", {}).get("content", {}):
        content = found["requestBody"]["content"]["application/json"]
        assert validator(content["schema"]).is_valid(content["example"])
        names = re.findall(r"{(\w+)}", operation.rest or "")
        operation.request.model_validate(
            content["example"] | dict.fromkeys(names, "0199aaaa-0000-7000-8000-000000000001")
        )
    content = found["responses"][str(operation.status)].get("content", {}).get("application/json")
    if content:
        assert not list(validator(content["schema"]).iter_errors(content["example"]))


def test_every_code_is_listed_under_its_status() -> None:
    for error, entry in PROBLEMS.items():
        response = DOCUMENT["components"]["responses"][f"Problem{entry.status}"]
        assert f"`{error.code}`" in response["description"]
        example = response["content"]["application/problem+json"]["examples"][error.code]["value"]
        assert validator(SCHEMAS["Problem"]).is_valid(example)
        assert (example["code"], example["status"]) == (error.code, entry.status)


def test_an_object_that_may_be_null_is_refused_before_it_reaches_a_document() -> None:
    class Halved(Result):
        """A model of the kind that generators stumble over."""

        share: Posting | None

    with pytest.raises(ValueError, match="nullable object"):
        components([], [Halved])


def test_fields_that_the_examples_do_not_know_get_a_plain_value() -> None:
    class Unknown(Result):
        """Fields of names that nothing else has."""

        how_many: int
        is_so: bool
        why: str | None
        whither: str

    found = example_of("Unknown", components([], [Unknown]))
    assert found == {"howMany": 1, "isSo": False, "why": None, "whither": "…"}
