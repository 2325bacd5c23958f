"""Which addresses a webhook may have: none by which somebody could reach into the network that the server stands in."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

LENGTH_MAX: Final = 500
_METADATA_NAMES: Final = (".local", ".internal", ".localhost", ".lan", ".home.arpa")
"""Ends of names that are never anybody's on the internet."""
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All that is given out of IPv6 so far (RFC 4291, IANA). Whatever else there is leads somewhere else."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""An IPv4 address in its last 32 bits, to which a gateway passes on (RFC 6052)."""


def checked_url(url: str, *, private_too: bool) -> str:
    """The address as it is.

    `private_too`: in a network of one's own, without TLS as well.

    Raises:
        ValueError: it isn't one that may be sent to; the text says why.

    """
    parts = urlsplit(url)
    if len(url) > LENGTH_MAX:
        raise ValueError(f"at most {LENGTH_MAX} characters")
    if parts.scheme != "https" and not (private_too and parts.scheme == "http"):
        raise ValueError("begins with https://")
    # Other characters become digits and dots only later, in the client: 127.0.0.1 has many spellings there.
    if not parts.netloc.isascii() or "%" in parts.netloc:
        raise ValueError("a host in ASCII, such as example.org: others have an xn-- form")
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("not an address such as https://example.org/hook")
    if not private_too and not is_public_host(parts.hostname):
        raise ValueError("not an address on the internet")
    if parts.port == 0:
        raise ValueError("there is no port 0")
    return url


def is_public_host(host: str) -> bool:
    """Whether the host may be on the internet. A name's addresses are looked at when it is resolved."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        name = host.rstrip(".").lower()
        # A number is an IPv4 address in a form that resolvers take, and ip_address doesn't.
        is_number = name.rpartition(".")[2].startswith(tuple("0123456789"))
        return "." in name and not is_number and not name.endswith(_METADATA_NAMES)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is reached over the internet, whatever way it is written."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast
