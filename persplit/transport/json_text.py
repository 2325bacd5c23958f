"""JSON from outside: strict, one object, bounded in depth."""

from typing import Any, Final

import orjson

from persplit.service.errors import Malformed

DEPTH_MAX: Final = 32
"""The deepest request of the contract is four levels; this stops what only costs time."""


def parse_object(text: bytes | str) -> dict[str, Any]:
    """The one JSON object that the text is.

    Raises:
        Malformed: not JSON (NaN and lone surrogates aren't), not an object, or too deep.

    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    check_depth(value)
    return value


def check_depth(value: object) -> None:
    """Return if the value nests at most `DEPTH_MAX` levels. Raises `Malformed` otherwise."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    raise Malformed(f"nested deeper than {DEPTH_MAX} levels")
