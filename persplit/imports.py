"""Libraries that load whatever they find of what they could use, whether anybody asked for it or not."""

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
