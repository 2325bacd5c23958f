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
    check_depth(value)
    check_numbers(value)
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


def check_numbers(value: object) -> None:
    """Return if no number had to be rounded. Raises `Malformed` otherwise. The value isn't deep."""
    if isinstance(value, float) and abs(value) >= _FLOAT_LIMIT:
        raise Malformed("holds a number of more than 64 bits")
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            check_numbers(child)
