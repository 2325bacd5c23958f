"""Where a request comes from, through proxies that we were told to trust."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

# 192.0.2.1:4711, [2001:db8::1], [2001:db8::1]:4711
_WITH_PORT: Final = re.compile(r"([0-9.]+):[0-9]{1,5}|\[([^\]]+)\](?::[0-9]{1,5})?")
IPV6_NETWORK_BITS: Final = 64
"""What one subscriber has. By single addresses, 2**64 of them would each have a budget of its own."""


class ClientAddress:
    """`X-Forwarded-For` counts only where the peer, and each hop before it, is a configured proxy."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        """Networks in CIDR form, or single addresses."""
        self._trusted = [ip_network(proxy, strict=False) for proxy in trusted_proxies]

    def of(self, request: web.Request) -> str:
        """The address of the client, to count its requests by; of an IPv6 address, its network."""
        return self.behind(request.remote, request.headers.getall("X-Forwarded-For", ()))

    def ip_of(self, request: web.Request) -> IPv4Address | IPv6Address | None:
        """The address that the client has for certain; None behind a proxy that isn't configured."""
        address, hops = self._origin_of(request.remote, request.headers.getall("X-Forwarded-For", ()))
        return None if hops else address

    def behind(self, peer: str | None, forwarded: Sequence[str]) -> str:
        """The client's address: `peer`, or who stands behind it by what the trusted proxies wrote.

        A proxy may write below the line that the client made up, so all lines count as one list. What no proxy of
        ours wrote, and what isn't an address, is not believed.
        """
        address, _ = self._origin_of(peer, forwarded)
        if address is None:
            return "unknown"
        if isinstance(address, IPv6Address):
            return str(ip_network((int(address), IPV6_NETWORK_BITS), strict=False))
        return str(address)

    def _origin_of(
        self, peer: str | None, forwarded: Sequence[str]
    ) -> tuple[IPv4Address | IPv6Address | None, list[str]]:
        """The last address that can be believed, and the hops said to be before it, which can't."""
        address = _parsed(peer or "")
        hops = [hop.strip() for hop in ",".join(forwarded).split(",")] if forwarded else []
        while hops and address is not None and self._is_trusted(address):
            earlier = _parsed(hops[-1])
            if earlier is None:
                break
            address = earlier
            hops.pop()
        return address, hops

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """None for what isn't an address. IPv4 as a dual-stack socket shows it is IPv4; some proxies add the port."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        parsed = ip_address(text if with_port is None else with_port[1] or with_port[2])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
