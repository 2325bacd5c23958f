"""What an operator does with a store: checking, backing up, restoring, migrating, erasing. Servers may be running.

Each function opens the store that the settings name, does one thing with it, and closes it.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from persplit.bootstrap import DATABASE_FILE, accept_loss, open_stores, utc_now
from persplit.config import Settings
from persplit.exchange import rate_table
from persplit.service import backup, erasure
from persplit.service.backup import Told
from persplit.service.check import Finding, Tally, check_store
from persplit.service.epochs import Epochs
from persplit.service.errors import StoreUnavailable
from persplit.service.migrations import Migrations
from persplit.service.ports import Stores
from persplit.service.rates import Rates
from persplit.service.tally_progress import TallyProgress
from persplit.service.walking import group_ids
from persplit.service.wholeness import require_whole

SUFFIX: Final = ".persplit"
"""Of backups that are named by when they were made."""


async def check(
    settings: Settings, found: Callable[[Finding], None], told: Callable[[Tally, int], None]
) -> Tally:
    """Check everything. `found` hears of each finding, `told` how far it is, with how many groups there are.

    Raises:
        StoreUnavailable, SchemaMismatch: it can't be checked now.

    """
    tally = Tally()
    try:
        async with open_stores(settings, migrates=False) as stores:
            total = await _count(stores)
            async for finding in check_store(stores, tally, lambda: told(tally, total)):
                found(finding)
    except StoreUnavailable as error:
        if not error.is_damaged:
            raise
        # So badly that it can't even be opened.
        tally.faults += 1
        found(Finding("storage", str(settings.data_dir / DATABASE_FILE), error.detail))
    return tally


async def _count(stores: Stores) -> int:
    """How many groups there are, as far as can be read: the check itself says what can't be."""
    total = 0
    try:
        async for _ in group_ids(stores.events):
            total += 1
    except StoreUnavailable as error:
        if not error.is_damaged:
            raise
    return total


async def make_backup(settings: Settings, target: Path, told: Told) -> tuple[Path, Tally]:
    """Write a backup to the file, or into the directory under a name of its own; returns where, and what is in it.

    It has its name only when it is whole, on disk, and checked.

    Raises:
        FileExistsError: there is such a file.
        DamagedStore: the store isn't sound; no file is left.
        OSError, StoreUnavailable, SchemaMismatch: no file is left.

    """
    target = _free(target)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
    try:
        async with open_stores(settings, migrates=False) as stores:
            await require_whole(stores)
            await backup.write_backup(stores, lambda: _emptied(draft), utc_now, told)
        tally = _sealed(draft)
        os.link(draft, target)  # unlike a rename it never takes the place of another file
        _sync(target.parent)
    finally:
        draft.unlink(missing_ok=True)
    return target, tally


def _free(target: Path) -> Path:
    if target.is_dir():
        target /= utc_now().strftime(f"%Y-%m-%dT%H%M%SZ{SUFFIX}")
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    return target


def _emptied(path: Path) -> IO[bytes]:
    """The file, empty, for nobody else's eyes."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sealed(draft: Path) -> Tally:
    """Make sure that the file is on disk, and read it from there as somebody would who restores it."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
        _, _, tally = backup.checked(file)
    return tally


def _sync(directory: Path) -> None:
    """Make a new name in the directory last."""
    with suppress(OSError):  # there are file systems, and Windows, that don't know this
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


async def restore(settings: Settings, source: Path, told: Told) -> Tally:
    """Restore a backup into the store, which must be empty; see `backup.restore` for what it raises."""
    with source.open("rb"):
        pass  # before a store is made for nothing
    # What was there before, if anything was, is not what this store is from now on.
    async with open_stores(settings, accepts_loss=True) as stores:
        tally = await backup.restore(stores, lambda: source.open("rb"), utc_now, told)
    accept_loss(settings)
    return tally


async def migrate(settings: Settings, told: Callable[[str], None]) -> tuple[int, int]:
    """Bring the store up to this release. Returns how many steps this took, and the version it is at.

    Raises:
        SchemaMismatch: a newer release has been at it.
        StoreUnavailable: it doesn't answer, or another node has taken the migration over.

    """
    async with open_stores(settings) as stores:
        migrations = Migrations(stores, utc_now)
        taken = await migrations.run(told)
        return taken, await migrations.version()


async def erase_account(settings: Settings, account: str) -> str:
    """Erase the account with this id or e-mail address; returns its id. Raises `NotFound`."""
    async with open_stores(settings, migrates=False) as stores:
        await Migrations(stores, utc_now).require_none()
        return await erasure.erase_account(stores, account)


async def erase_group(settings: Settings, group_id: str) -> None:
    """Erase the group. Raises `NotFound`."""
    async with open_stores(settings, migrates=False) as stores:
        await Migrations(stores, utc_now).require_none()
        await erasure.erase_group(stores, group_id, utc_now)


async def import_rates(settings: Settings, table: str) -> tuple[int, int]:
    """Take in a table of rates of exchange; returns how many rates it has, and for how many pairs of currencies.

    Raises:
        UnreadableFile: it is no such table; nothing was kept.

    """
    rates = rate_table.read(table)
    async with open_stores(settings, migrates=False) as stores:
        await Migrations(stores, utc_now).require_none()
        return len(rates), await Rates(stores.rates).add(rates)


async def renew_epoch(settings: Settings) -> None:
    """Give every group of the store another epoch. Nodes that are running must be started again."""
    async with open_stores(settings, accepts_loss=True) as stores:
        epochs = Epochs(stores.meta)
        await epochs.open()
        await epochs.renew()
        await TallyProgress(stores.meta).restart()
    accept_loss(settings)
