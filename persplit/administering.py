"""What whoever runs a server does with its accounts. Servers may be running: they find out within seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from persplit.bootstrap import open_stores, utc_now
from persplit.config import Settings
from persplit.service.administration import Administration
from persplit.service.admins import Admins
from persplit.service.audit import AuditLog
from persplit.service.migrations import Migrations
from persplit.service.sessions import PEPPER_BYTES_MIN, Sessions
from persplit.service.suspensions import Suspensions
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
