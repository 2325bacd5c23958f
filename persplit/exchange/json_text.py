"""Reading JSON files of strangers: every value is asked for with its type, and what isn't there is said."""

from collections.abc import Sequence
from typing import Any, TypeVar

import orjson

from persplit.exchange.book import UnreadableFile
from persplit.exchange.cells import BadCell
from persplit.ledger.money import AMOUNT_MAX

T = TypeVar("T")


def parsed(text: str) -> Any:
    """The JSON value. Raises `UnreadableFile`."""
    try:
        return orjson.loads(text.removeprefix("\ufeff"))
    except (orjson.JSONDecodeError, RecursionError):
        raise UnreadableFile("it is not JSON") from None


def at(value: Any, key: str, type_: type[T]) -> T:
    """The field, of this type. Raises `BadCell`."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, type_) or (type_ is int and isinstance(found, bool)):
        raise BadCell(f"{key} is missing, or not what it should be")
    return found


def units_at(value: Any, key: str) -> int:
    """An amount in minor units. Raises `BadCell`."""
    found = at(value, key, int)
    if abs(found) > AMOUNT_MAX:
        raise BadCell(f"{key} is larger than can be held")
    return found


def text_at(value: Any, key: str) -> str:
    """The text of an optional field; "" where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def list_at(value: Any, key: str, length_max: int) -> Sequence[Any]:
    """A list no longer than that. Raises `BadCell`."""
    found: Sequence[Any] = at(value, key, list)
    if len(found) > length_max:
        raise BadCell(f"{key} has more than {length_max} entries")
    return found
