"""Headers of every answer, whatever it is and however it came about."""

from typing import Final

HSTS_SECONDS: Final = 31_536_000
"""A year. Only this host: what else stands under the domain isn't ours to promise for."""

_ALWAYS: Final = {
    # Pages load nothing from anywhere else and run no inline script; nobody frames us.
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # For browsers that don't know `frame-ancestors`.
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=()",
}


def security_headers(public_url: str) -> dict[str, str]:
    """The headers. `public_url` is how browsers reach us: over https they are told to stay there."""
    if not public_url.startswith("https:"):
        return dict(_ALWAYS)
    return {**_ALWAYS, "Strict-Transport-Security": f"max-age={HSTS_SECONDS}"}
