"""What belongs to one person: all of it as one file, and giving it up.

Who gives their account up stays in each group as a placeholder of their name, so that nobody else's balance moves; an
admin acts for it, and somebody can claim it. Their profile, sessions, tokens and invites are erased, and their address
is free again.
"""

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from persplit.ledger.commands import BecomePlaceholder, ChangeRole, Command
from persplit.ledger.expense import Expense
from persplit.ledger.group import Member, Role
from persplit.ledger.loan import Loan
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState
from persplit.service.accounts import Accounts
from persplit.service.command_request import CommandRequest
from persplit.service.erasure import erase_account
from persplit.service.errors import TooLarge
from persplit.service.exporting import EVENTS_MAX, Exporting
from persplit.service.handler import Handler
from persplit.service.overview import Overview
from persplit.service.personal_tokens import PersonalToken, PersonalTokens
from persplit.service.ports import Stores
from persplit.service.sessions import Session
from persplit.service.users import User

ROUNDS_MAX: Final = 5
"""Times that the groups are looked at again, because somebody has added the person to another one meanwhile."""


@dataclass(frozen=True, slots=True)
class GroupPart:
    """Somebody's part of a group: what they made, paid or took part in. Amounts are minor units."""

    state: GroupState
    me: Member
    things: tuple[Expense | Settlement, ...]
    loans: tuple[Loan, ...]


@dataclass(frozen=True, slots=True)
class OwnFile:
    """All that is kept of a person."""

    user: User
    sessions: tuple[Session, ...]
    tokens: tuple[PersonalToken, ...]
    groups: tuple[GroupPart, ...]


class OwnData:
    """What one person may take along, and give up."""

    def __init__(
        self,
        stores: Stores,
        accounts: Accounts,
        tokens: PersonalTokens,
        overview: Overview,
        exporting: Exporting,
        handler: Handler,
    ) -> None:
        self._stores = stores
        self._accounts = accounts
        self._tokens = tokens
        self._overview = overview
        self._exporting = exporting
        self._handler = handler

    async def file_of(self, user_id: str) -> OwnFile:
        """All that is kept of the person.

        Raises:
            NotFound: the account is gone.
            TooLarge: their groups have more than `EVENTS_MAX` events together: export them one by one.

        """
        user = await self._accounts.profile(user_id)
        parts: list[GroupPart] = []
        events = 0
        for state in await self._overview.states(user_id, await self._overview.group_ids(user_id)):
            events += state.seq
            if events > EVENTS_MAX:
                raise TooLarge(f"groups with more than {EVENTS_MAX} events together: export them one by one")
            whole = await self._exporting.whole(state.group_id, user_id)
            now = whole.standing.state
            mine = tuple(thing for thing in whole.things() if _concerns(now, thing, user_id))
            loans = tuple(
                loan
                for loan in whole.loans()
                if user_id in map(now.canonical, (loan.lender_id, loan.borrower_id))
            )
            parts.append(GroupPart(now, now.members[user_id], mine, loans))
        return OwnFile(
            user,
            tuple(await self._accounts.sessions(user_id)),
            tuple(await self._tokens.list_of(user_id)),
            tuple(parts),
        )

    async def give_up(self, user_id: str, password: str | None) -> None:
        """End the account for good. If it breaks off, it is to be done again, and goes on where it was.

        Where they were the only admin, whoever came first of the others with an account is one from then on.

        Raises:
            CredentialsInvalid: not their password; a guest has none, and needs none.
            RateLimited: too many wrong ones.

        """
        # 1 is it them
        user = await self._accounts.confirmed(user_id, password)
        # 2 a placeholder everywhere, while they can still act
        for _ in range(ROUNDS_MAX):
            if not await self._stand_back(user):
                break
        # 3 all else
        sessions, tokens = await self._accounts.sessions(user_id), await self._tokens.list_of(user_id)
        await erase_account(self._stores, user_id)
        self._accounts.forget(user_id)
        for session in sessions:  # ended already; who is connected here is told
            await self._accounts.logout(session.id)
        await self._tokens.look_again([token.id for token in tokens])
        # 4 wherever they were added at the last moment
        await self._stand_back(user)

    async def _stand_back(self, user: User) -> int:
        """Become a placeholder in every group where they aren't; in how many that was."""
        states = await self._overview.states(user.id, await self._overview.group_ids(user.id))
        there = [state for state in states if not state.members[user.id].placeholder]
        for state in there:
            heir = _heir(state, user.id)
            if heir is not None:
                await self._do(state, user.id, ChangeRole(heir, Role.ADMIN))
            await self._do(state, user.id, BecomePlaceholder(user.name))
        return len(there)

    async def _do(self, state: GroupState, user_id: str, command: Command) -> None:
        content = f"{type(command).__name__} {state.seq}"
        digest = hashlib.sha256(f"give up\0{user_id}\0{state.group_id}\0{content}".encode()).digest()
        await self._handler.handle(
            CommandRequest(
                actor_id=user_id,
                group_id=state.group_id,
                command_id=str(UUID(bytes=digest[:16], version=4)),
                content=content,
                command=command,
            )
        )


def _concerns(state: GroupState, thing: Expense | Settlement, user_id: str) -> bool:
    """Whether somebody made it, paid it, or has a part in it, perhaps as the placeholder that they were."""
    if isinstance(thing, Settlement):
        people = {thing.created_by, thing.from_id, thing.to_id}
    else:
        people = {thing.created_by, *(posting.user_id for posting in (*thing.payers, *thing.shares))}
    return user_id in {state.canonical(person) for person in people}


def _heir(state: GroupState, user_id: str) -> str | None:
    """Who has to be an admin in the place of the only one; None where nobody has to, or can."""
    others = [m for m in state.active() if m.user_id != user_id and not m.placeholder]
    if not state.is_admin(user_id) or any(other.role is Role.ADMIN for other in others):
        return None
    return others[0].user_id if others else None
