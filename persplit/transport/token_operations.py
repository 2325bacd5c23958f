"""Personal tokens: making, listing and taking them back."""

from typing import Annotated, Final

from pydantic import Field, StrictInt

from persplit.service.personal_tokens import DAYS_DEFAULT, DAYS_MAX, PersonalToken
from persplit.service.ports import TokenScope
from persplit.transport import fields as f
from persplit.transport import requests as r
from persplit.transport.operations import Answers, Call, Operation, Services, page_by_id
from persplit.transport.reach import Reach
from persplit.transport.views import Json

results: Final = Answers("token_results")


class CreateToken(r.Request):
    """A token for a script of one's own."""

    name: f.Name = Field(description="what it is for")
    scope: TokenScope = Field(description="`read`: look at everything. `write`: change things, too.")
    group_id: f.Id | None = Field(None, description="the only group that it opens; all of them unless told")
    days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] = Field(
        DAYS_DEFAULT, description="how long it is good for"
    )


class RevokeToken(r.Request):
    """Which token is to open nothing any more."""

    token_id: f.Id


def view(it: PersonalToken) -> Json:
    """What is known of a token."""
    return {
        "id": it.id,
        "name": it.name,
        "scope": it.scope.value,
        "groupId": it.group_id,
        "createdAt": it.created_at,
        "expiresAt": it.expires_at,
    }


async def _create(services: Services, call: Call, request: CreateToken) -> Json:
    if request.group_id is not None:
        await services.groups.state_for(request.group_id, call.user_id)
    text, token = await services.personal_tokens.create(
        call.user_id, request.name, request.scope, group_id=request.group_id, days=request.days
    )
    return {**view(token), "token": text}


async def _list(services: Services, call: Call, request: r.ListById) -> Json:
    tokens = await services.personal_tokens.list_of(call.user_id)
    page, cursor = page_by_id(tokens, lambda token: token.id, request)
    return {"tokens": [view(token) for token in page], "nextCursor": cursor}


async def _revoke(services: Services, call: Call, request: RevokeToken) -> Json:
    await services.personal_tokens.revoke(call.user_id, request.token_id)
    return {}


OPERATIONS: Final = (
    Operation(
        "createToken",
        "Make a personal token for a script: it is told once, and sent as `Bearer`, or as a socket's `token`",
        CreateToken,
        results.NewToken,
        _create,
        "POST /auth/tokens",
        status=201,
        about=Reach.ACCOUNT,
    ),
    Operation(
        "listTokens",
        "The caller's personal tokens",
        r.ListById,
        results.Tokens,
        _list,
        "GET /auth/tokens",
        about=Reach.ACCOUNT,
    ),
    Operation(
        "revokeToken",
        "Take a personal token back",
        RevokeToken,
        None,
        _revoke,
        "DELETE /auth/tokens/{tokenId}",
        status=204,
        about=Reach.ACCOUNT,
    ),
)
