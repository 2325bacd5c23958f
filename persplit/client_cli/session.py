"""The one place that talks to the client library: opens it, keeps it fresh, and puts its errors into words."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from persplit.client import (
    Account,
    Client,
    ClientError,
    ExpenseEntry,
    MaybeSent,
    NewerServer,
    Offline,
    OtherAccount,
    OutboxFull,
    Queued,
    Refused,
    ReplicaError,
    SettlementEntry,
    SignedOut,
    UnsentCommands,
    Written,
)
from persplit.client_cli.errors import CliError, NeedsNetwork, NotSignedIn, UsageFault
from persplit.client_cli.names import Named, choose, choose_person
from persplit.client_cli.output import Output
from persplit.client_cli.profiles import Profile, Profiles
from persplit.client_cli.views import GroupView, Standing
from persplit.ledger.errors import LedgerError

REFRESH_SECONDS: Final = 5.0
"""How long a command waits for news before it shows what this device knows."""
DELIVER_SECONDS: Final = 20.0
"""How long it waits for the server to take what was written; it is safe on this device before."""

_CODES: Final[Mapping[type[ClientError], str]] = {
    OtherAccount: "other_account",
    UnsentCommands: "unsent_commands",
    MaybeSent: "maybe_sent",
    OutboxFull: "outbox_full",
    ReplicaError: "replica_error",
    NewerServer: "newer_server",
}


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Errors of the library and the ledger as `CliError`."""
    try:
        yield
    except LedgerError as error:
        raise CliError(error.detail, code=error.code) from None
    except Refused as error:
        lines = [f"{bad.path}: {bad.message}" for bad in error.errors]
        raise CliError(error.detail, code=error.code, lines=lines) from None
    except SignedOut:
        raise NotSignedIn from None
    except Offline as error:
        raise NeedsNetwork(f"this needs the server: {error}") from None
    except ClientError as error:
        raise CliError(str(error), code=_CODES.get(type(error), "client_error")) from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the command line works: its data, the account that was asked for, whether to leave the network alone."""

    profiles: Profiles
    account: str | None = None
    offline: bool = False


@contextlib.asynccontextmanager
async def opened(place: Place, out: Output) -> AsyncIterator["Session"]:
    """The session of who is signed in. Raises `NotSignedIn`."""
    profile = place.profiles.current(place.account)
    async with Client.open(place.profiles.replica(profile), profile.server) as client:
        account = await client.account()
        if account is None:
            raise NotSignedIn
        yield Session(client, account, profile, place, out)


async def signed_in(
    place: Place, profile: Profile, password: str, *, name: str | None = None, **details: str
) -> Account:
    """Log in, or with a name make the account; from then on it is the one that is meant."""
    known = place.profiles.known(profile)
    async with Client.open(place.profiles.replica(known), known.server) as client:
        if name is None:
            account = await client.login(known.email, password)
        else:
            account = await client.register(name, known.email, password, **details)
    kept = replace(known, name=account.name)
    place.profiles.save(kept)
    place.profiles.make_current(kept)
    return account


class Session:
    """Somebody who is signed in, with the library's client."""

    def __init__(self, client: Client, account: Account, profile: Profile, place: Place, out: Output) -> None:
        self.client = client
        self.account = account
        self.profile = profile
        self.out = out
        self._place = place
        self.is_offline = place.offline

    @property
    def me(self) -> str:
        """The caller's user id."""
        return self.account.user_id

    @property
    def leaves_network_alone(self) -> bool:
        """Whether the user wants that."""
        return self._place.offline

    # --- the server

    async def refresh(self) -> None:
        """Take in what the server has, if it answers soon; else people are told that this may be old."""
        if not self.is_offline and not await self._synced(REFRESH_SECONDS):
            self.out.note("Offline: this is what this device knows.")

    async def deliver(self, written: Written) -> bool:
        """Send what was written; returns whether it still waits.

        Raises:
            CliError: the server refused it; it is kept for `resend` or `drop`.

        """
        if not self.is_offline:
            await self._synced(DELIVER_SECONDS)
        for queued in await self.client.refused():
            if queued.command_id == written.command_id and queued.error is not None:
                raise CliError(queued.error.detail, code=queued.error.code, lines=[_KEPT])
        waits = any(queued.command_id == written.command_id for queued in await self.client.pending())
        if waits:
            self.out.note("Noted on this device; the server gets it with the next command that finds it.")
        return waits

    async def _synced(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.out.patiently("Asking the server…", self.client.sync())
        except (Offline, TimeoutError):
            self.is_offline = True
        return not self.is_offline

    def online(self) -> None:
        """Return unless the user wants the network left alone. Raises `NeedsNetwork`."""
        if self.is_offline:
            raise NeedsNetwork("this needs the server, and there is none now")

    # --- groups

    async def views(self) -> list[GroupView]:
        """The caller's groups."""
        return [await self.view_of(group.id) for group in await self.client.groups()]

    async def view_of(self, group_id: str) -> GroupView:
        """The group with this id. Raises `NotFound`."""
        group = await self.client.group(group_id)
        return GroupView(group, self.me, (await self.client.balances(group_id)).balances)

    async def view(self, named: str | None) -> GroupView:
        """The group that is named, else the default one, else the only one that is no ledger of two. Raises `UsageFault`."""
        groups = await self.client.groups()
        known = [Named(group.id, group.name) for group in groups]
        if named is not None:
            return await self.view_of(choose(named, known, "group"))
        if self.profile.group in {group.id for group in groups}:
            return await self.view_of(str(self.profile.group))
        only = [group for group in groups if group.other_id is None] or groups
        if len(only) == 1:
            return await self.view_of(only[0].id)
        if not groups:
            raise UsageFault("you are in no group yet: see `group create` and `group join`")
        lines = [group.name for group in groups]
        raise UsageFault("which group? Name it with --group, or choose one with `group use`", lines=lines)

    def use(self, group_id: str) -> None:
        """From now on this group is meant if none is named."""
        self.profile = replace(self.profile, group=group_id)
        self._place.profiles.save(self.profile)

    def forget_current(self) -> None:
        """Nobody is signed in any more."""
        self._place.profiles.make_current(None)

    async def standing(self, view: GroupView) -> Standing:
        """Where the group stands now."""
        return Standing(view, await self.client.balances(view.id), await self.client.plan(view.id))

    # --- what is named within a group

    def person(self, view: GroupView, named: str) -> str:
        """The user id of a member. Raises `UsageFault`."""
        return choose_person(named, view.people(), self.me)

    async def expense(self, view: GroupView, named: str, *, deleted: bool | None = None) -> ExpenseEntry:
        """The expense with this id, part of an id, or description; only (or no) deleted ones if told so.

        Raises:
            UsageFault: there is none, or several.

        """
        entries = [
            entry
            for entry in await self.client.expenses(view.id, include_deleted=True)
            if deleted is None or deleted == (entry.expense.deleted_at is not None)
        ]
        found = choose(named, [Named(e.expense.id, e.expense.description) for e in entries], "expense")
        return next(entry for entry in entries if entry.expense.id == found)

    async def settlement(self, view: GroupView, settlement_id: str) -> SettlementEntry:
        """One payment."""
        entries = await self.client.settlements(view.id)
        return next(entry for entry in entries if entry.settlement.id == settlement_id)

    async def command(self, named: str) -> Queued:
        """A command that waits or was refused, by its id or part of it. Raises `UsageFault`."""
        queued = [*await self.client.pending(), *await self.client.refused()]
        found = choose(named, [Named(q.command_id, q.type) for q in queued], "command")
        return next(q for q in queued if q.command_id == found)


_KEPT: Final = "It is kept: see `refused`, then `resend` it mended, or `drop` it."
