"""The refresh token of a browser: in a cookie that scripts can't read, never in the body."""

from typing import Any, Final

from aiohttp import web

from persplit.ledger.errors import Forbidden
from persplit.service.sessions import IDLE_DAYS

CLIENT_HEADER: Final = "X-PerSplit-Client"
WEB_CLIENT: Final = "web"
"""Pages send this header with every account request. A foreign page can't: it would need a preflight that we refuse."""
_NAME_SECURE: Final = "__Host-persplit-refresh"
_NAME_PLAIN: Final = "persplit-refresh"


class RefreshCookie:
    """Reads and writes the cookie. `is_secure`: the server is reached through HTTPS."""

    def __init__(self, *, is_secure: bool) -> None:
        self._is_secure = is_secure
        # Browsers take the prefix only with Secure, and some take Secure only over HTTPS.
        self._name = _NAME_SECURE if is_secure else _NAME_PLAIN

    def read(self, request: web.Request) -> str | None:
        """The cookie's token, if the request comes from our own page.

        Raises:
            Forbidden: the request carries the cookie but comes from another site.

        """
        token = request.cookies.get(self._name)
        if token is None or not _is_web(request):
            return None
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if site not in ("same-origin", "none"):
            raise Forbidden("the cookie works from our own pages only")
        return token

    def take(self, request: web.Request, result: dict[str, Any]) -> str | None:
        """Take the refresh token out of a page's answer, to go into the cookie."""
        if not _is_web(request) or "refreshToken" not in result:
            return None
        token = result["refreshToken"]
        result["refreshToken"] = None
        return str(token)

    def set(self, response: web.Response, token: str | None) -> None:
        """Put the token into the cookie, if there is one."""
        if token is not None:
            response.set_cookie(
                self._name,
                token,
                max_age=IDLE_DAYS * 86_400,
                path="/",
                secure=self._is_secure,
                httponly=True,
                samesite="Strict",
            )

    def clear(self, request: web.Request, response: web.Response) -> None:
        """Forget the cookie, where there is one."""
        if self._name in request.cookies:
            response.del_cookie(
                self._name, path="/", secure=self._is_secure, httponly=True, samesite="Strict"
            )


def _is_web(request: web.Request) -> bool:
    return request.headers.get(CLIENT_HEADER) == WEB_CLIENT
