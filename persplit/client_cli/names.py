"""People and groups as they are called: by name, by how it begins, by id, or `me`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.client_cli.errors import UsageFault

ID_PREFIX_LENGTH_MIN: Final = 4
"""Characters of an id that may stand for it, if they are only one's; the end counts as well, being the random part."""
ME: Final = "me"


@dataclass(frozen=True, slots=True)
class Named:
    """Something with an id that goes by a name."""

    id: str
    name: str


def choose(text: str, candidates: Iterable[Named], what: str) -> str:
    """The id of the one that `text` names.

    The whole id comes first, then the whole name, then in any case, then how names begin, then parts of ids. As soon
    as one step finds somebody, later ones don't count; if it finds several, they are listed.

    Raises:
        UsageFault: it names nobody, or several.

    """
    everyone = list(candidates)
    wanted = text.strip()
    for found in _steps(wanted, everyone):
        ids = {named.id for named in found}
        if len(ids) == 1:
            return ids.pop()
        if ids:
            listed = [f"{named.name}  {short(named.id)}" for named in found]
            raise UsageFault(f"{wanted!r} could be several: use more of the name, or the id", lines=listed)
    raise UsageFault(f"there is no {what} {wanted!r}", code="unknown_name", lines=[n.name for n in everyone])


def _steps(wanted: str, everyone: Sequence[Named]) -> Iterable[list[Named]]:
    low = wanted.casefold()
    yield [n for n in everyone if n.id == wanted]
    if not wanted:
        return
    yield [n for n in everyone if n.name == wanted]
    yield [n for n in everyone if n.name.casefold() == low]
    yield [n for n in everyone if n.name.casefold().startswith(low)]
    yield [n for n in everyone if any(word.startswith(low) for word in n.name.casefold().split())]
    if len(wanted) >= ID_PREFIX_LENGTH_MIN:
        yield [n for n in everyone if n.id.startswith(low) or n.id.endswith(low)]


def choose_person(text: str, members: Iterable[Named], me: str) -> str:
    """The user id of the one that `text` names; `me` is the caller. Raises `UsageFault`."""
    return me if text.strip().casefold() == ME else choose(text, members, "member")


def short(id_: str) -> str:
    """The end of an id: enough to tell things of one group apart, and to name them by."""
    return id_[-8:]
