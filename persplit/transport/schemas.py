"""JSON Schemas of the models on the wire: named components, in a shape that code generators read well.

What pydantic makes is right but hard on generators: optional fields become unions with null, unions stay
nameless. Here an optional field is one that may be absent; a field that is always there and may be null has two
types; and every other union has a name of its own.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, of the 2020-12 draft; only keywords that draft-07 has too are used."""
Schemas: TypeAlias = dict[str, Schema]

PREFIX: Final = "#/components/schemas/"
_SCALARS: Final = frozenset({"string", "integer", "number", "boolean"})
_DESCRIPTIONS: Final = {
    "SplitType": (
        "How the amount is divided. EQUAL: the same for every participant. EXACT: minor units for each. "
        "PERCENTAGE: percents that sum to exactly 100. SHARES: by weights. ADJUSTMENT: equal after a plus or "
        "minus for each. ITEMIZED: item by item, what is left spread in proportion."
    ),
}
"""Where the docstring speaks to readers of the source rather than of the wire."""


def ref(name: str) -> Schema:
    """A reference to the component."""
    return {"$ref": PREFIX + name}


def name_of(reference: Mapping[str, Any]) -> str | None:
    """The name of the component that is referred to, or None."""
    target = reference.get("$ref")
    return target.removeprefix(PREFIX) if isinstance(target, str) else None


def components(requests: Iterable[type[BaseModel]], results: Iterable[type[BaseModel]]) -> Schemas:
    """The schemas of the models and of all that they use, by name, in alphabetical order."""
    wanted: dict[tuple[type[BaseModel], Literal["validation", "serialization"]], None] = {}
    wanted.update({(model, "validation"): None for model in requests})
    wanted.update({(model, "serialization"): None for model in results})
    _, made = models_json_schema(list(wanted), ref_template=PREFIX + "{model}")
    found: Schemas = {}
    for name, schema in made.get("$defs", {}).items():
        found[name] = _plain(schema)
        _name_unions(found, name)
        if name in _DESCRIPTIONS:
            found[name]["description"] = _DESCRIPTIONS[name]
    return dict(sorted(found.items()))


def acknowledgement(result: Schema) -> Schema:
    """The result as a Socket.IO ack: the same fields after `ok: true`."""
    return {
        **result,
        "properties": {"ok": {"const": True}, **result.get("properties", {})},
        "required": ["ok", *result.get("required", ())],
    }


def without(schema: Schema, fields: Iterable[str]) -> Schema:
    """The object's schema without these fields."""
    gone = frozenset(fields)
    return {
        **schema,
        "properties": {name: it for name, it in schema.get("properties", {}).items() if name not in gone},
        "required": [name for name in schema.get("required", ()) if name not in gone],
    }


def used_by(schemas: Schemas, document: object) -> Schemas:
    """Those of the schemas that the document refers to, itself or by way of others."""
    found: set[str] = set()
    left = _names_in(document)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left |= _names_in(schemas[name])
    return {name: schema for name, schema in schemas.items() if name in found}


def _names_in(node: object) -> set[str]:
    if isinstance(node, list):
        return set().union(*(_names_in(part) for part in node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*(_names_in(part) for part in node.values()))
    target = node.get("$ref")
    if isinstance(target, str) and target.startswith(PREFIX):
        found.add(target.removeprefix(PREFIX))
    return found


def _plain(node: Any) -> Any:
    """The schema without generated titles, and with unions in the form that the top of this module describes."""
    if isinstance(node, list):
        return [_plain(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _plain(value) for key, value in node.items() if key != "title" or not isinstance(value, str)
    }
    return _union(plain) if "anyOf" in plain else plain


def _union(node: Schema) -> Schema:
    branches = [branch for branch in node["anyOf"] if branch != {"type": "null"}]
    has_null = len(branches) < len(node["anyOf"])
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if has_null and rest.get("default", ...) is None:
        # Null says the same as leaving the field out.
        del rest["default"]
        has_null = False
    if [branch.get("type") for branch in branches] == ["integer", "number"]:
        branches = branches[1:]
    if len(branches) > 1:
        return {**rest, "anyOf": [*branches, {"type": "null"}] if has_null else branches}
    only = {**branches[0], **rest}
    if has_null:
        only["type"] = [_scalar(branches[0]), "null"]
    return only


def _scalar(schema: Schema) -> str:
    kind = schema.get("type")
    if kind not in _SCALARS:
        raise ValueError(
            f"generators stumble over a nullable {kind or 'object'}: let the field be absent instead"
        )
    return str(kind)


def _name_unions(schemas: Schemas, owner: str) -> None:
    """Give each union in the owner's fields a name: that of the owner and of the field."""
    for field, schema in schemas[owner].get("properties", {}).items():
        if "anyOf" in schema:
            name = owner + field[0].upper() + field[1:]
            schemas[name] = {"anyOf": schema.pop("anyOf")}
            if "description" in schema:
                schemas[name]["description"] = schema["description"]
            schema.update(ref(name))
