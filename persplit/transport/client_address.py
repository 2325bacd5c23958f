"""Where a request comes from, through proxies that we were told to trust."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

IPV6_NETWORK_BITS: Final = 64
"""What one subscriber has. By single addresses, 2**64 of them would each have a budget of its own."""


class ClientAddress:
    """`X-Forwarded-For` counts only where the peer, and each hop before it, is a configured proxy."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        """Networks in CIDR form, or single addresses."""
        self._trusted = [ip_network(proxy, strict=False) for proxy in trusted_proxies]

    def of(self, request: web.Request) -> str:
        """The address of the client, to count its requests by; of an IPv6 address, its network."""
        address = self._origin_of(request)[0]
        parsed = _parsed(address)
        if isinstance(parsed, IPv6Address):
            return str(ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
        return address if parsed is None else str(parsed)

    def ip_of(self, request: web.Request) -> IPv4Address | IPv6Address | None:
        """The address that the client has for certain; None behind a proxy that isn't configured."""
        address, hops = self._origin_of(request)
        return None if hops else _parsed(address)

    def _origin_of(self, request: web.Request) -> tuple[str, list[str]]:
        """The last address that can be believed, and the hops said to be before it, which can't."""
        address = request.remote or "unknown"
        # A proxy may add a line of its own below the one that the client made up.
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        while hops and self._is_trusted(address):
            address = hops.pop()
        return address, hops

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """None for what isn't an address. IPv4 as a dual-stack socket shows it is IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
