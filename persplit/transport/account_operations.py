"""Registering, signing in and out, devices, the profile."""

from datetime import UTC, datetime
from typing import Final

from persplit.service.errors import AccountNeeded, TokenInvalid, TokenMissing
from persplit.service.handler import rfc3339
from persplit.service.users import ProfileChanges
from persplit.transport import requests as r
from persplit.transport import views
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services, page_by_id
from persplit.transport.reach import Reach
from persplit.transport.views import Json

results: Final = Answers("results")


async def _register(services: Services, call: Call, request: r.Register) -> Json:
    return views.signed_in(
        await services.accounts.register(
            name=request.name,
            email=request.email,
            password=request.password,
            phone=request.phone,
            vpa=request.vpa,
            locale=request.locale,
            device=call.device,
        )
    )


async def _login(services: Services, call: Call, request: r.Login) -> Json:
    return views.signed_in(await services.accounts.login(request.email, request.password, device=call.device))


async def _refresh(services: Services, call: Call, request: r.Refresh) -> Json:
    token = request.refresh_token or call.refresh_cookie
    if not token:
        raise TokenMissing("there is no refresh token in the request")
    return views.signed_in(await services.accounts.refresh(token))


async def _logout(services: Services, call: Call, _: r.Nothing) -> Json:
    await services.accounts.logout(call.signed_in.session_id)
    return {}


async def _logout_all(services: Services, call: Call, _: r.Nothing) -> Json:
    await services.accounts.logout_all(call.user_id)
    return {}


async def _profile(services: Services, call: Call, _: r.Nothing) -> Json:
    return views.user(await services.accounts.profile(call.user_id))


async def _update_profile(services: Services, call: Call, request: r.UpdateProfile) -> Json:
    if call.signed_in.is_guest and "email" in request.model_fields_set:
        raise AccountNeeded("an address goes with a password: make an account of the guest")
    # To the service, None leaves a field as it is and an empty text removes it.
    changes = ProfileChanges(
        **{name: value or "" for name, value in request.model_dump(exclude_unset=True).items()}
    )
    return views.user(await services.accounts.update_profile(call.user_id, changes))


async def _upgrade(services: Services, call: Call, request: r.Upgrade) -> Json:
    return views.user(await services.accounts.upgrade(call.user_id, request.email, request.password))


async def _sessions(services: Services, call: Call, request: r.ListById) -> Json:
    found, cursor = page_by_id(await services.accounts.sessions(call.user_id), lambda it: it.id, request)
    return {
        "sessions": [views.session(info, call.signed_in.session_id) for info in found],
        "nextCursor": cursor,
    }


async def _end_session(services: Services, call: Call, request: r.EndSession) -> Json:
    await services.accounts.end_session(call.user_id, request.session_id)
    return {}


async def _renew(services: Services, call: Call, request: r.Renew) -> Json:
    """The socket takes the new claims over from `call`."""
    claims = await services.accounts.authenticate(request.token)
    now = call.signed_in
    if claims.user_id != call.user_id:
        raise TokenInvalid("the token is somebody else's")
    is_same = claims.session_id == now.session_id
    if not is_same and (claims.scope is not None or now.scope is not None):
        # It would hear other groups, or go on hearing them.
        raise TokenInvalid("a personal token is renewed by itself alone: connect anew")
    call.claims = claims
    return {"expiresAt": rfc3339(datetime.fromtimestamp(claims.expires_at, UTC))}


OPERATIONS: Final = (
    Operation(
        "register",
        "Make an account and sign in",
        r.Register,
        results.SignedIn,
        _register,
        "POST /auth/register",
        status=201,
        is_public=True,
        budget=Budget.SIGN_INS,
    ),
    Operation(
        "login",
        "Sign in",
        r.Login,
        results.SignedIn,
        _login,
        "POST /auth/login",
        is_public=True,
        budget=Budget.SIGN_INS,
    ),
    Operation(
        "refresh",
        "Get a new pair of tokens; the old refresh token is spent",
        r.Refresh,
        results.SignedIn,
        _refresh,
        "POST /auth/refresh",
        is_public=True,
        budget=Budget.REFRESHES,
    ),
    Operation(
        "logout",
        "Sign this device out",
        r.Nothing,
        None,
        _logout,
        "POST /auth/logout",
        status=204,
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "logoutAll",
        "Sign every device out",
        r.Nothing,
        None,
        _logout_all,
        "POST /auth/logout-all",
        status=204,
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "getProfile",
        "The caller's profile",
        r.Nothing,
        results.User,
        _profile,
        "GET /auth/me",
        about=Reach.CALLER,
    ),
    Operation(
        "updateProfile",
        "Change the profile",
        r.UpdateProfile,
        results.User,
        _update_profile,
        "PATCH /auth/me",
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "upgradeGuest",
        "Make a guest an account; refresh the token to be more than a guest",
        r.Upgrade,
        results.User,
        _upgrade,
        "POST /auth/upgrade",
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "listSessions",
        "Signed-in devices",
        r.ListById,
        results.Sessions,
        _sessions,
        "GET /auth/sessions",
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "createSession",
        "Sign in on a device: the same as login",
        r.Login,
        results.SignedIn,
        _login,
        "POST /auth/sessions",
        status=201,
        is_public=True,
        budget=Budget.SIGN_INS,
    ),
    Operation(
        "endSession",
        "Sign a device out",
        r.EndSession,
        None,
        _end_session,
        "DELETE /auth/sessions/{sessionId}",
        status=204,
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "renewToken",
        "Give the socket a fresh access token",
        r.Renew,
        results.Renewed,
        _renew,
        event="auth:renew",
        about=Reach.CALLER,
    ),
)
