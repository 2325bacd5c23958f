"""Loading much at once, quickly: without what libraries load or read whether anybody asked for it or not."""

import gc
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def unseen(*names: str) -> Iterator[None]:
    """Modules of these names can't be found while this lasts; those that are loaded already stay."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment] # None: not to be found, see `import`
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


@contextmanager
def certificates_unread() -> Iterator[None]:
    """TLS contexts that are made while this lasts trust nobody: the system's certificates aren't read for them.

    aiohttp makes two when it is loaded, and to read a hundred and fifty certificates for each is a tenth of a start.
    Whoever calls with TLS brings a context of their own.
    """
    # In front of the inherited one, which is seen again when this is gone.
    ssl.SSLContext.set_default_verify_paths = lambda _: None  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths


@contextmanager
def garbage_uncollected() -> Iterator[None]:
    """What is loaded while this lasts stays, so the collector looks at none of it, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
