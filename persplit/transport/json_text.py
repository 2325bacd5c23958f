"""JSON from outside: strict, one object, bounded in depth and in the size of its numbers."""

from typing import Any, Final

import orjson

from persplit.service.errors import Malformed

DEPTH_MAX: Final = 32
"""The deepest request of the contract is four levels; this stops what only costs time."""
# An integer over 64 bits comes out of orjson as a float of at least this size. Nothing we take is as large.
_FLOAT_LIMIT: Final = 2.0**63


def parse_object(text: bytes | str) -> dict[str, Any]:
    """The one JSON object that the text is. Of two members of one name the last counts.

    Raises:
        Malformed: not JSON (NaN and lone surrogates aren't), not an object, too deep, or with numbers too large.

    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Malformed("not JSON") from None
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    check_bounds(value)
    return value


def check_bounds(body: dict[str, Any]) -> None:
    """Return if the object nests at most `DEPTH_MAX` levels and none of its numbers had to be rounded.

    Raises:
        Malformed: otherwise.

    """
    level: list[Any] = [body]
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for parent in level:
            for child in parent.values() if type(parent) is dict else parent:
                kind = type(child)  # of what was read from JSON there are no subclasses
                if kind is dict or kind is list:
                    below.append(child)
                elif kind is float and abs(child) >= _FLOAT_LIMIT:
                    raise Malformed("holds a number of more than 64 bits")
        if not below:
            return
        level = below
    raise Malformed(f"nested deeper than {DEPTH_MAX} levels")
