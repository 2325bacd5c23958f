"""Requests to the server over REST. All that a client asks goes this way; the socket only listens.

One path for requests means one way in which they can fail, no bound of 64 KiB for a frame, and a sync that needs no
lasting connection.
"""

from typing import Any, Final

import aiohttp

from persplit.client.errors import Json, Offline, error_of

REQUEST_SECONDS: Final = 20.0
"""How long to wait for an answer; a push of a hundred commands takes a second on a slow disk."""
CONNECT_SECONDS: Final = 8.0
DEVICE: Final = "persplit client"
"""What this device is called in the list of signed-in devices."""
_API: Final = "/api/v1"
_JSON_TYPES: Final = frozenset({"application/json", "application/problem+json"})


class Rest:
    """One server. Raises `Offline` wherever there is no answer of a PerSplit server in time."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Json | bytes | None = None,
        *,
        token: str | None = None,
        seconds: float = REQUEST_SECONDS,
        **query: str | int | None,
    ) -> Json:
        """The answer to one request, with an object or a file as its body, below `/api/v1`, for which it waits so long; {} where it is empty.

        Raises:
            Offline: no answer; the request may have been carried out.
            Busy: the server can't do it now.
            SignedOut: the token is missing, over or not good.
            Refused: the server's no.

        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        asked = {name: value for name, value in query.items() if value is not None}
        try:
            async with self._session().request(
                method,
                f"{self.url}{_API}{path}",
                **({"data": body} if isinstance(body, bytes) else {"json": body}),
                params=asked,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS),
            ) as response:
                return await _answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Offline(f"no answer from {self.url}: {error or type(error).__name__}") from error

    async def download(self, path: str, *, token: str, **query: str) -> bytes:
        """The file at a path below `/api/v1`. Raises as `ask`."""
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._session().get(
                f"{self.url}{_API}{path}", params=query, headers=headers
            ) as response:
                if response.ok and "Content-Disposition" in response.headers:
                    return await response.read()
                await _answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Offline(f"no answer from {self.url}: {error or type(error).__name__}") from error
        raise Offline("something that isn't a PerSplit server answers")

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS)
            # No cookies: the server gives and takes tokens in bodies.
            self._http = aiohttp.ClientSession(
                timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": DEVICE}
            )
        return self._http


async def _answer(response: aiohttp.ClientResponse) -> Json:
    if response.status == 204:  # No Content
        return {}
    if response.content_type not in _JSON_TYPES:
        # The sign-in page of a hotel's network answers anything with 200.
        raise Offline(f"something that isn't a PerSplit server answers, with status {response.status}")
    body: Any = await response.json(content_type=None)
    if not isinstance(body, dict):
        raise Offline("the answer isn't one of a PerSplit server")
    if response.ok:
        return body
    raise error_of(body)
