"""How large what comes before a body may be. Nothing rests on aiohttp's defaults."""

from typing import Final

REQUEST_LINE_BYTES_MAX: Final = 8_190
"""Proxies pass as much. Our longest address is below 1 KiB."""
HEADER_BYTES_MAX: Final = 8_190
"""One header. A cookie of a page that shares our domain can be 4 KiB."""
HEADERS_MAX: Final = 100
"""Browsers and proxies add some forty."""
