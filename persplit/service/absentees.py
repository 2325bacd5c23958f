"""Accounts in whose name the server does nothing by itself: those that are disabled, and those that are gone."""

from collections.abc import Mapping, Sequence
from typing import Final

from persplit.service.suspensions import Suspensions
from persplit.service.users import Users

DISABLED: Final = "the account of who set it up is disabled"
GONE: Final = "who set it up has no account any more"


class Absentees:
    """Asks the store each time: what is done by itself is done seldom, and has to stop at once."""

    def __init__(self, users: Users, suspensions: Suspensions) -> None:
        self._users = users
        self._suspensions = suspensions

    async def among(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        """Those of these people, placeholders among them, who have no account that works, each with why.

        Raises:
            StoreUnavailable: the store doesn't answer.

        """
        ids = list(dict.fromkeys(user_ids))
        known, disabled = await self._users.get_many(ids), await self._suspensions.since(ids)
        gone = {id_: GONE for id_ in ids if id_ not in known}
        return {**gone, **dict.fromkeys(disabled, DISABLED)}
