"""Fields of a schema as a table for people: name, type, bounds, whether required, meaning."""

from typing import Any, Final

from persplit.transport.html import Html, joined, prose, tag
from persplit.transport.schemas import Schema, name_of

_COLUMNS: Final = ("Field", "Type", "Bounds", "Required", "Meaning")


def field_table(schema: Schema, title: str) -> Html:
    """The fields of an object; nothing where it has none."""
    fields = schema.get("properties", {})
    if not fields:
        return Html("")
    required = schema.get("required", ())
    rows = (_row(name, part, is_required=name in required) for name, part in fields.items())
    head = tag("tr", *(tag("th", column) for column in _COLUMNS))
    return tag("table", tag("caption", title), tag("thead", head), tag("tbody", *rows), class_="fields")


def type_section(name: str, schema: Schema) -> Html:
    """A named type: an object's fields, the values of an enumeration, or the alternatives of a union."""
    return tag(
        "article",
        tag("h3", name, id=f"type-{name}"),
        tag("p", prose(schema["description"])) if "description" in schema else "",
        field_table(schema, "Fields") if "properties" in schema else tag("p", _type(schema)),
    )


def _row(name: str, schema: Schema, *, is_required: bool) -> Html:
    return tag(
        "tr",
        tag("td", tag("code", name)),
        tag("td", _type(schema)),
        tag("td", _bounds(schema)),
        tag("td", "required" if is_required else "optional"),
        tag("td", prose(schema.get("description", ""))),
    )


def _type(schema: Schema) -> Html:
    name = name_of(schema)
    if name is not None:
        return tag("a", name, href=f"#type-{name}")
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return _separated([_type(branch) for branch in schema[choice]], " or ")
    if "enum" in schema:
        return _separated([tag("code", str(value)) for value in schema["enum"]], ", ")
    if "const" in schema:
        return tag("code", _constant(schema["const"]))
    if schema.get("type") == "array":
        return joined("list of ", _type(schema["items"]))
    kind = schema.get("type", "any")
    said = " or ".join(kind) if isinstance(kind, list) else kind
    return joined(said, f" ({schema['format']})" if "format" in schema else "")


def _separated(parts: list[Html], separator: str) -> Html:
    return joined(*(joined(separator if index else "", part) for index, part in enumerate(parts)))


def _constant(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bounds(schema: Schema) -> Html:
    inner = schema["items"] if schema.get("type") == "array" else {}
    found = [
        _range(schema, "minimum", "maximum", ""),
        _range(schema, "minLength", "maxLength", " characters"),
        _range(schema, "minItems", "maxItems", " entries"),
        _range(inner, "minLength", "maxLength", " characters each"),
    ]
    shown: list[Html] = [joined(text) for text in found if text]
    if "pattern" in schema:
        shown.append(tag("code", schema["pattern"]))
    if "default" in schema:
        shown.append(joined("else ", tag("code", _constant(schema["default"]))))
    return _separated(shown, "; ")


def _range(schema: Schema, low: str, high: str, unit: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if most is None:
        return "" if least is None else f"at least {least}{unit}"
    return f"at most {most}{unit}" if least is None else f"{least} to {most}{unit}"
