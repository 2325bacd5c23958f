"""Registering, signing in and out, devices, the profile."""

from datetime import UTC, datetime
from typing import Final

from persplit.service.accounts import SignedIn
from persplit.service.errors import TokenInvalid, TokenMissing
from persplit.service.handler import rfc3339
from persplit.service.users import ProfileChanges
from persplit.transport import requests as r
from persplit.transport import results, views
from persplit.transport.limits import Budget
from persplit.transport.operations import Call, Operation, Services, page_by_id
from persplit.transport.views import Json


async def _register(services: Services, call: Call, request: r.Register) -> Json:
    return _signed_in(
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
    return _signed_in(await services.accounts.login(request.email, request.password, device=call.device))


async def _refresh(services: Services, call: Call, request: r.Refresh) -> Json:
    token = request.refresh_token or call.refresh_cookie
    if not token:
        raise TokenMissing("there is no refresh token in the request")
    return _signed_in(await services.accounts.refresh(token))


def _signed_in(it: SignedIn) -> Json:
    return {
        "user": views.user(it.user),
        "accessToken": it.access_token,
        "refreshToken": it.refresh_token,
        "expiresIn": it.expires_in,
    }


async def _logout(services: Services, call: Call, _: r.Nothing) -> Json:
    await services.accounts.logout(call.signed_in.session_id)
    return {}


async def _logout_all(services: Services, call: Call, _: r.Nothing) -> Json:
    await services.accounts.logout_all(call.user_id)
    return {}


async def _profile(services: Services, call: Call, _: r.Nothing) -> Json:
    return views.user(await services.accounts.profile(call.user_id))


async def _update_profile(services: Services, call: Call, request: r.UpdateProfile) -> Json:
    # To the service, None leaves a field as it is and an empty text removes it.
    changes = ProfileChanges(
        **{name: value or "" for name, value in request.model_dump(exclude_unset=True).items()}
    )
    return views.user(await services.accounts.update_profile(call.user_id, changes))


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
    if claims.user_id != call.user_id:
        raise TokenInvalid("the token is somebody else's")
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
    Operation("logout", "Sign this device out", r.Nothing, None, _logout, "POST /auth/logout", status=204),
    Operation(
        "logoutAll",
        "Sign every device out",
        r.Nothing,
        None,
        _logout_all,
        "POST /auth/logout-all",
        status=204,
    ),
    Operation("getProfile", "The caller's profile", r.Nothing, results.User, _profile, "GET /auth/me"),
    Operation(
        "updateProfile",
        "Change the profile",
        r.UpdateProfile,
        results.User,
        _update_profile,
        "PATCH /auth/me",
    ),
    Operation(
        "listSessions", "Signed-in devices", r.ListById, results.Sessions, _sessions, "GET /auth/sessions"
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
    ),
    Operation(
        "renewToken",
        "Give the socket a fresh access token",
        r.Renew,
        results.Renewed,
        _renew,
        event="auth:renew",
    ),
)
