"""What whoever runs a server does with its accounts. Servers may be running: they find out within seconds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from persplit.bootstrap import open_stores, utc_now
from persplit.config import Settings
from persplit.service import projecting
from persplit.service.administration import Administration
from persplit.service.admins import Admins
from persplit.service.analytics import Analytics, AsOf
from persplit.service.audit import AdminAction, AuditLog
from persplit.service.migrations import Migrations
from persplit.service.people import People
from persplit.service.projecting import Projector
from persplit.service.sessions import PEPPER_BYTES_MIN, Sessions
from persplit.service.suspensions import Suspensions
from persplit.service.tally_progress import TallyProgress
from persplit.service.users import Users

_NO_PEPPER: Final = bytes(PEPPER_BYTES_MIN)
"""No token is made or read here: sessions are only ended."""


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[Administration]:
    """The administration of the store that the settings name, which must be there.

    Raises:
        StoreUnavailable, SchemaMismatch: it can't be used now.

    """
    async with open_stores(settings, migrates=False) as stores:
        await Migrations(stores, utc_now).require_none()
        suspensions = Suspensions(stores.suspensions, utc_now)
        yield Administration(
            Users(stores.users),
            Admins(stores.admins, suspensions, utc_now),
            suspensions,
            Sessions(stores.sessions, pepper=_NO_PEPPER, clock=utc_now),
            AuditLog(stores.audit, utc_now),
        )


async def rebuild(settings: Settings, told: Callable[[int], None]) -> int:
    """Make the tallies anew, from all ledgers; `told` hears how many groups were looked at. Returns how many there are.

    Raises:
        Overtaken: somebody else has begun to do the same.
        StoreUnavailable, SchemaMismatch: it can't be done now; the old ones count as before.

    """
    async with open_stores(settings, migrates=False) as stores:
        await Migrations(stores, utc_now).require_none()
        await AuditLog(stores.audit, utc_now).record(AdminAction.REBUILD, by=None)
        progress = TallyProgress(stores.meta)
        projector = Projector(stores.events, stores.tallies, progress, utc_now, is_shared=stores.is_shared)
        return await projecting.rebuild(projector, stores.tallies, progress, told)


@asynccontextmanager
async def analytics(settings: Settings) -> AsyncIterator[tuple[Analytics, str, AsOf]]:
    """What is known of all groups together, brought up to now; with the generation to ask, and up to when it is.

    Raises:
        StoreUnavailable, SchemaMismatch: it can't be used now.

    """
    async with open_stores(settings, migrates=False) as stores:
        await Migrations(stores, utc_now).require_none()
        progress = TallyProgress(stores.meta)
        projector = Projector(stores.events, stores.tallies, progress, utc_now, is_shared=stores.is_shared)
        await projector.sweep((await progress.current()).generation)
        users = Users(stores.users)
        opened = Analytics(stores.tallies, projector, users, People(users), utc_now)
        yield (opened, *await opened.as_of())
