"""Our own JSON of a group: its whole ledger, as the API tells it, with where it stood at the end.

    {"format": "persplit", "version": 1, "exportedAt", "group": {…}, "balances": […], "events": […]}

Reading it gives back the events. Whether they make sense is found out by deciding each of them again.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from persplit.exchange.book import PEOPLE_MAX, Book, Format, OwnEvent, Person, Total, Unread, UnreadableFile
from persplit.exchange.cells import BadCell, plain
from persplit.exchange.json_text import at, list_at, parsed, text_at
from persplit.ledger.codec import Json
from persplit.ledger.money import CURRENCIES

NAME: Final = "persplit"
VERSION: Final = 1
EVENTS_MAX: Final = 6_000
"""Events of one file: years of a busy group, and about as much as fits into one transaction of a slow store."""
_PEOPLE_EVER_MAX: Final = 4 * PEOPLE_MAX
"""People who are or were in the group."""


def document(exported_at: str, group: Json, standing: Json, events: Sequence[Json]) -> Json:
    """A group as a file: the group and its standing as the API shows them, and all its events, oldest first."""
    return {
        "format": NAME,
        "version": VERSION,
        "exportedAt": exported_at,
        "group": group,
        "balances": standing["balances"],
        "settleUp": standing["settleUp"],
        "events": events,
    }


def looks_like(value: Any) -> bool:
    """Whether it is one of these."""
    return isinstance(value, dict) and value.get("format") == NAME


def read(text: str) -> Book:
    """The book of the text. Raises `UnreadableFile`."""
    value = parsed(text)
    try:
        if at(value, "version", int) != VERSION:
            raise UnreadableFile(f"it is of version {value['version']}; this release reads {VERSION}")
        group = at(value, "group", dict)
        currency = at(group, "currency", str)
        if currency not in CURRENCIES:
            raise BadCell("the group's currency is not an ISO 4217 code")
        members = list_at(group, "members", _PEOPLE_EVER_MAX)
        names = {at(member, "userId", str): plain(at(member, "name", str)) for member in members}
        aliases = _aliases(members, names)
        events = list_at(value, "events", EVENTS_MAX)
        balances = {
            at(one, "userId", str): at(one, "amount", int) for one in list_at(value, "balances", PEOPLE_MAX)
        }
    except BadCell as error:
        raise UnreadableFile(str(error)) from None
    history, refused = [], []
    for row, event in enumerate(events, 1):
        if isinstance(event, dict) and isinstance(event.get("type"), str):
            history.append(OwnEvent(row, event))
        else:
            refused.append(Unread(row, "it is no event"))
    return Book(
        Format.PERSPLIT,
        [Person(key, name) for key, name in names.items() if key not in aliases],
        aliases=aliases,
        refused=refused,
        totals=[Total(0, currency, {person: Fraction(amount) for person, amount in balances.items()})],
        history=history,
        currency=currency,
    )


def _aliases(members: Sequence[Any], names: Mapping[str, str]) -> dict[str, str]:
    """The id of each claimed placeholder → that of who goes by it now."""
    claims = {
        text_at(member, "claimed"): member["userId"] for member in members if text_at(member, "claimed")
    }
    if not set(claims) <= set(names):
        raise BadCell("who has claimed whom among the members makes no sense")
    return {placeholder: _holder(placeholder, claims) for placeholder in claims}


def _holder(placeholder: str, claims: Mapping[str, str]) -> str:
    """Who goes by it now: whoever claimed it, or claimed them once they had given their account up."""
    seen = {placeholder}
    holder = claims[placeholder]
    while holder in claims:
        if holder in seen:
            raise BadCell("who has claimed whom among the members makes no sense")
        seen.add(holder)
        holder = claims[holder]
    return holder
