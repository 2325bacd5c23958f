"""Markup from small functions. A plain `str` is text and is escaped; only what they return is markup."""

import html
import re
from typing import Final

_CODE: Final = re.compile(r"`([^`]+)`")


class Html(str):
    """Markup that is finished: put into other markup as it is."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str) -> Html:
    """An element. Attributes are named as in HTML, but `aria_label`, and `class_` where Python needs it."""
    return Html(f"{_opening(name, attributes)}{joined(*children)}</{name}>")


def void(name: str, /, **attributes: str) -> Html:
    """An element that holds nothing, such as a link to a style sheet."""
    return Html(_opening(name, attributes))


def joined(*children: str) -> Html:
    """One after the other."""
    return Html("".join(child if isinstance(child, Html) else html.escape(child) for child in children))


def prose(text: str) -> Html:
    """Text in which backticks mark code."""
    parts = _CODE.split(text)
    return joined(*(tag("code", part) if odd % 2 else part for odd, part in enumerate(parts)))


def _opening(name: str, attributes: dict[str, str]) -> str:
    written = (
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{''.join(written)}>"
