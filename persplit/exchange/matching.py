"""Who of a file is who in the group: as told, else by name, and never by a guess between two."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from persplit.exchange.book import Person

_REMOVED: Final = " (removed)"
"""What Splitwise writes after the name of somebody who has left."""


class MatchKind(StrEnum):
    """What becomes of somebody of the file."""

    MATCHED = "matched"
    NEW = "new"
    """They become a placeholder, who can be claimed."""
    AMBIGUOUS = "ambiguous"
    """Several members could be meant, or several people of the file one member: it has to be told."""


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody of the file, and who they are in the group. `candidates` are the members who could be meant."""

    person: Person
    kind: MatchKind
    user_id: str | None = None
    candidates: tuple[str, ...] = ()


def matched(
    people: Sequence[Person], members: Mapping[str, str], told: Mapping[str, str | None]
) -> list[Match]:
    """What becomes of everybody in the file.

    First as told (None: a new placeholder, whatever the names), then by id, then by the very name, then by the name
    without regard to case, accents and spaces.

    Args:
        people: those of the file.
        members: user id → name, of the active members of the group.
        told: key or name in the file → user id.

    """
    found = [_one(person, members, told) for person in people]
    meant: defaultdict[str, list[int]] = defaultdict(list)
    for index, match in enumerate(found):
        if match.user_id is not None and _told(match.person, told) is _NOTHING:
            meant[match.user_id].append(index)
    taken = {match.user_id for match in found if _told(match.person, told) is not _NOTHING}
    for user_id, indexes in meant.items():
        if len(indexes) > 1 or user_id in taken:
            for index in indexes:
                found[index] = replace(
                    found[index], kind=MatchKind.AMBIGUOUS, user_id=None, candidates=(user_id,)
                )
    return found


_NOTHING: Final = object()


def _told(person: Person, told: Mapping[str, str | None]) -> object:
    for name in (person.key, person.name):
        if name in told:
            return told[name]
    return _NOTHING


def _one(person: Person, members: Mapping[str, str], told: Mapping[str, str | None]) -> Match:
    wanted = _told(person, told)
    if isinstance(wanted, str):
        return Match(person, MatchKind.MATCHED, wanted)
    if wanted is None:
        return Match(person, MatchKind.NEW)
    if person.key in members:
        return Match(person, MatchKind.MATCHED, person.key)
    for alike in (_exactly, folded):
        same = tuple(user_id for user_id, name in members.items() if alike(name) == alike(person.name))
        if len(same) == 1:
            return Match(person, MatchKind.MATCHED, same[0])
        if same:
            return Match(person, MatchKind.AMBIGUOUS, candidates=same)
    return Match(person, MatchKind.NEW)


_exactly: Callable[[str], str] = str


def folded(name: str) -> str:
    """The name without what people write now this way and now that: case, accents, spaces."""
    bare = name.removesuffix(_REMOVED)
    letters = unicodedata.normalize("NFKD", bare.casefold())
    return "".join(c for c in letters if unicodedata.category(c) != "Mn" and not c.isspace())
