"""What admins of the platform may ask for."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from persplit.transport import fields as f
from persplit.transport.requests import Page, Request

SEARCH_LENGTH_MAX = f.EMAIL_LENGTH_MAX
"""Of the words that accounts are searched for: an e-mail address fits."""

_Words = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, max_length=SEARCH_LENGTH_MAX),
    AfterValidator(f.plain),
]


class SearchUsers(Page):
    """Accounts whose name or e-mail address has the words in it, in order of id; all of them without any."""

    q: _Words = Field("", description="a part of the name or e-mail address, in whatever case")
    cursor: f.IdCursor | None = None


class OneUser(Request):
    """An account."""

    user_id: f.Id


class ListAudit(Page):
    """What admins did, newest first."""

    cursor: f.IdCursor | None = None
