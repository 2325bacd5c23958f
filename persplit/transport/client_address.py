"""Where a request comes from, through proxies that we were told to trust."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from aiohttp import web


class ClientAddress:
    """`X-Forwarded-For` counts only where the peer, and each hop before it, is a configured proxy."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        """Networks in CIDR form, or single addresses."""
        self._trusted = [ip_network(proxy, strict=False) for proxy in trusted_proxies]

    def of(self, request: web.Request) -> str:
        """The address of the client, to count its requests by."""
        address = request.remote or "unknown"
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        while hops and self._is_trusted(address):
            address = hops.pop()
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)
