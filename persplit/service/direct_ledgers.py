"""The ledgers of two people: each is made when one of the two first uses it, whichever does."""

from dataclasses import dataclass
from typing import Final

from persplit.ledger.commands import AddMember, Command, CreateGroup, JoinGroup
from persplit.ledger.direct import direct_ledger_id
from persplit.ledger.errors import AlreadyMember, Conflict, FieldError, Invalid, LimitReached, NotFound
from persplit.ledger.group import GroupKind
from persplit.ledger.money import CURRENCIES
from persplit.ledger.state import GroupState
from persplit.service.command_request import CommandRequest
from persplit.service.errors import IdempotencyKeyReused
from persplit.service.groups import Groups
from persplit.service.handler import Handler
from persplit.service.overview import Overview
from persplit.service.ports import EventStore
from persplit.service.users import User, Users

NAME: Final = "Ledger of two"
"""What each is called: people's own names change, and are not shown any more once they are erased."""
CURRENCIES_OF_TWO_MAX: Final = 10
"""Of ledgers that the same two people have: far more than they use. They stay in each, and each is one of the groups
that a person may be in, so that somebody could fill another one's list with them."""
_MADE: Final = "direct:made"
_COMPLETED: Final = "direct:completed"
"""The keys of the two commands that make a ledger, the same for whoever sends them: there is one of each."""
_CONTENT: Final = "direct"
"""What both ask for. Not the people's names: they may have others by the time of a retry."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A ledger of two people, and whether it was there before."""

    state: GroupState
    is_known: bool


class DirectLedgers:
    """Finds or makes the ledger of two people. Nobody has to accept it: it is for those who share a group already."""

    def __init__(
        self, store: EventStore, groups: Groups, handler: Handler, overview: Overview, users: Users
    ) -> None:
        self._store = store
        self._groups = groups
        self._handler = handler
        self._overview = overview
        self._users = users

    async def open(self, me: User, other_id: str, currency: str, time_zone: str) -> Opened:
        """The ledger of the caller and somebody else in this currency; made if there is none, in the time zone.

        Safe to do again, and at once by both: the id and the commands are the same, and what broke off is completed.

        Raises:
            Invalid: they are the same person.
            NotFound: there is no such person, or not in any group of the caller's: the two answer alike.
            LimitReached: one of them is in as many groups as they may, or they have such ledgers in
                `CURRENCIES_OF_TWO_MAX` currencies.

        """
        if other_id == me.id:
            raise Invalid(FieldError("userId", "a ledger of two people takes another one"))
        group_id = direct_ledger_id(me.id, other_id, currency)
        state = await self._groups.peek(group_id)
        if _is_complete(state, me.id, other_id):
            return Opened(_there(state), is_known=True)
        shared = await self._shared(me.id, other_id)
        other = await self._other(other_id, shared)
        # 1 the ledger, with one of the two
        if state is None:
            _check_currencies(me.id, other_id, shared)
            for user_id in (me.id, other_id):
                await self._overview.check_room(user_id)
            state = await self._made(group_id, me, currency, time_zone)
        # 2 the other one; or oneself, where the other was faster or broke off
        if not _is_complete(state, me.id, other_id):
            state = await self._completed(group_id, me, other, is_in=state.is_member(me.id))
        return Opened(state, is_known=False)

    async def _shared(self, me: str, other_id: str) -> set[str]:
        """The groups that both are in."""
        return set(await self._store.groups_of(me)) & set(await self._store.groups_of(other_id))

    async def _other(self, other_id: str, shared: set[str]) -> User:
        """The other person, who has an account and shares a group with the caller."""
        other = await self._users.get(other_id) if shared else None
        if other is None or other.guest_of is not None:
            raise NotFound("there is no such person with an account in any of your groups")
        return other

    async def _made(self, group_id: str, me: User, currency: str, time_zone: str) -> GroupState:
        wanted = CreateGroup(
            actor_name=me.name,
            name=NAME,
            currency=currency,
            time_zone=time_zone,
            kind=GroupKind.DIRECT,
        )
        return await self._do(group_id, me.id, _MADE, wanted)

    async def _completed(self, group_id: str, me: User, other: User, *, is_in: bool) -> GroupState:
        wanted = AddMember(other.id, other.name) if is_in else JoinGroup(me.name)
        return await self._do(group_id, me.id, _COMPLETED, wanted)

    async def _do(self, group_id: str, actor_id: str, key: str, wanted: Command) -> GroupState:
        """Carry it out, unless the other one was faster; the ledger after that."""
        try:
            outcome = await self._handler.handle(CommandRequest(actor_id, group_id, key, _CONTENT, wanted))
        except (AlreadyMember, Conflict, IdempotencyKeyReused):
            # On another node, perhaps, where they had the same key.
            return _there(await self._groups.peek(group_id))
        return outcome.state


def _check_currencies(one: str, other: str, shared: set[str]) -> None:
    ledgers = {direct_ledger_id(one, other, currency) for currency in CURRENCIES}
    if len(ledgers & shared) >= CURRENCIES_OF_TWO_MAX:
        raise LimitReached(f"two people have ledgers in at most {CURRENCIES_OF_TWO_MAX} currencies")


def _is_complete(state: GroupState | None, one: str, other: str) -> bool:
    return state is not None and state.is_member(one) and state.is_member(other)


def _there(state: GroupState | None) -> GroupState:
    if state is None:
        raise NotFound("there is no such group")  # erased just now
    return state
