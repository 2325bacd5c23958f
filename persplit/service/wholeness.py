"""Whether a store is whole: not while a backup is being put into it. Asked at each start, apart from what makes backups."""

from typing import Final

from persplit.service.errors import RestoreUnfinished
from persplit.service.ports import Stores

RESTORING: Final = "restoring"
"""The document in `meta` that a store has while it is being restored into."""


async def require_whole(stores: Stores) -> None:
    """Return if no backup is half restored into the store. Raises `RestoreUnfinished`."""
    if await stores.meta.get([RESTORING]):
        raise RestoreUnfinished(
            "a backup is being restored into this store, or that broke off: run `persplit restore` with it again"
        )
