"""What an operation is: one thing that a client can ask for, over REST, Socket.IO or both."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Any, Final, TypeAlias, TypeVar

import orjson
import uuid_utils
from pydantic import BaseModel

from persplit.ledger.commands import Command, LeaveGroup, RemoveMember
from persplit.service.accounts import Accounts
from persplit.service.activity import Activity
from persplit.service.administration import Administration
from persplit.service.admins import Admins
from persplit.service.analytics import Analytics
from persplit.service.attachments import Attachments
from persplit.service.channels import Channels
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.direct_ledgers import DirectLedgers
from persplit.service.epochs import Epochs
from persplit.service.errors import StoreUnavailable, TokenMissing
from persplit.service.expense_books import ExpenseBooks
from persplit.service.exporting import Exporting
from persplit.service.groups import Groups
from persplit.service.handler import Handler, rfc3339
from persplit.service.history import History
from persplit.service.importing import Importing
from persplit.service.invites import GroupPasswords, Invites
from persplit.service.joining import Guests, Joining
from persplit.service.overview import Overview
from persplit.service.own_data import OwnData
from persplit.service.people import People
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import AccessClaims, QrRenderer, StatementPrinter
from persplit.service.qr_tokens import QrTokens
from persplit.service.rates import Rates
from persplit.service.read_marks import ReadMarks
from persplit.service.receipts import Receipts
from persplit.service.recurring import Recurring
from persplit.service.standing import Standings
from persplit.service.sync import Sync
from persplit.service.users import Users
from persplit.transport.fields import cursor_of
from persplit.transport.limits import Budget, Limits
from persplit.transport.reach import Reach, check_reach
from persplit.transport.requests import ImportFile, ListById, Push, Request, UndoImport, Write
from persplit.transport.views import Json

ANSWER_SECONDS_MAX: Final = 9.0
"""From a request, read, to its answer: waiting for a group's turn and for the store included. Less than the ten seconds
in which a socket must answer a ping, because it answers none while a command of it is under way."""


class Patience:
    """The time that one request may take, spent in parts: enter it for each of them, not twice at once.

    What is committed already when it is over is announced all the same.

    Raises:
        StoreUnavailable: the time is over. Whether a write happened is unknown.

    """

    __slots__ = ("_bound", "_now", "_seconds_left")

    def __init__(self, seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._now = asyncio.get_running_loop().time
        self._seconds_left = seconds_max

    async def __aenter__(self) -> None:
        self._bound = asyncio.timeout_at(self._now() + self._seconds_left)
        await self._bound.__aenter__()

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        until = self._bound.when() or 0.0
        self._seconds_left = max(0.0, until - self._now())
        try:
            await self._bound.__aexit__(type_, error, trace)
        except TimeoutError:
            raise StoreUnavailable("this took too long: send it again, with the same key") from None


@dataclass(frozen=True, slots=True)
class Services:
    """All that operations use."""

    accounts: Accounts
    users: Users
    people: People
    groups: Groups
    handler: Handler
    history: History
    expense_books: ExpenseBooks
    overview: Overview
    channels: Channels
    read_marks: ReadMarks
    activity: Activity
    sync: Sync
    epochs: Epochs
    limits: Limits
    invites: Invites
    joining: Joining
    direct_ledgers: DirectLedgers
    personal_tokens: PersonalTokens
    own_data: OwnData
    guests: Guests
    group_passwords: GroupPasswords
    standings: Standings
    rates: Rates
    recurring: Recurring
    importing: Importing
    exporting: Exporting
    statements: StatementPrinter
    attachments: Attachments
    receipts: Receipts
    admins: Admins
    administration: Administration
    analytics: Analytics
    qr_tokens: QrTokens
    qr_codes: QrRenderer
    public_url: str
    sends_mail: bool = False
    private_webhooks: bool = False

    def invite_url(self, code: str) -> str:
        """The link to send to somebody who is to join."""
        return f"{self.public_url}/i/{code}"


@dataclass(slots=True)
class Call:
    """One call: who makes it, from where.

    `claims` is None where nobody is signed in. `refresh_cookie` is what a browser sent; `device` a label for
    the list of signed-in devices. `hand_on` is to be called once a command is about to get in line: what came after it
    on the same socket needn't wait for its outcome.
    """

    claims: AccessClaims | None
    address: str
    device: str | None = None
    refresh_cookie: str | None = None
    hand_on: Callable[[], None] = lambda: None

    @property
    def user_id(self) -> str:
        """Who calls. Raises `TokenMissing` where nobody is signed in."""
        return self.signed_in.user_id

    @property
    def signed_in(self) -> AccessClaims:
        """The claims of who calls. Raises `TokenMissing` where nobody is signed in."""
        if self.claims is None:
            raise TokenMissing("sign in first")
        return self.claims


Run: TypeAlias = Callable[[Services, Call, Any], Awaitable[Json]]


Model: TypeAlias = Callable[[], type[BaseModel]]
"""Of an answer: loaded when it is asked for, by documents and tests. A start would pay for all of them."""


class Answers:
    """A module's models of answers, by name: `Answers("results").User`."""

    def __init__(self, module: str) -> None:
        """`module`: of this package."""
        self._module = f"{__package__}.{module}"

    def __getattr__(self, name: str) -> Model:
        """The model of that name, if the module has it."""
        return partial(_model, self._module, name)


def _model(module: str, name: str) -> type[BaseModel]:
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the contract.

    `rest` is its method and path below /api/v1, `event` its name on a socket; None where it has none. `answers`
    is the model of the answer (None: empty). `is_for_admins`: of the platform, over REST only. `budget` names the rate limit that it counts against. With a
    `media_type` it answers over REST with a file: `run` then returns `{file: bytes, name: str}`. `body_bytes_max`
    is for requests that may be larger than others, `body_seconds_max` for bodies that may take longer to come, and
    `seconds_max` for answers that may; all over REST only. With `file_types` the body is a file of one of these, the
    field `file`, unless it says that it is JSON.
    `is_pipelined`: a socket may send the next before the answer, and both may be made durable together. It changes only
    things that no other of these asks about before it is in line.
    `about` and `guests` say which tokens open it, where that isn't as for most: see `reach`. `writes`: to ledgers, though
    its request carries no key.
    """

    id: str
    summary: str
    request: type[Request]
    answers: Model | None
    run: Run
    rest: str | None = None
    event: str | None = None
    status: int = 200
    is_public: bool = False
    is_for_admins: bool = False
    budget: Budget = Budget.REQUESTS
    media_type: str | None = None
    body_bytes_max: int | None = None
    body_seconds_max: float | None = None
    file_types: tuple[str, ...] = ()
    seconds_max: float = ANSWER_SECONDS_MAX
    about: Reach | None = None
    guests: bool | None = None
    writes: bool = False
    is_pipelined: bool = False

    @property
    def result(self) -> type[BaseModel] | None:
        """The model of the answer; None: it is empty."""
        return None if self.answers is None else self.answers()

    @property
    def reach(self) -> Reach:
        """What it is about: unless told the group that its request names, else all of the caller's.

        The role of an admin of the platform is the account's own: no script's token has it.
        """
        if self.about is not None:
            return self.about
        if self.is_for_admins:
            return Reach.ACCOUNT
        return Reach.GROUP if "group_id" in self.request.model_fields else Reach.PERSON

    @property
    def for_guests(self) -> bool:
        """Whether guests may: unless told, what is about their group."""
        return self.reach is Reach.GROUP if self.guests is None else self.guests

    @property
    def changes(self) -> bool:
        """Whether it does more than look."""
        return not self.rest.startswith("GET ") if self.rest else self.is_write

    async def answer(self, services: Services, call: "Call", request: Request) -> Json:
        """Carry it out for the caller.

        Raises:
            PerSplitError: it can't be, or the caller's token isn't for it.

        """
        if call.claims is not None and not self.is_public:
            check_reach(self, call.claims, request)
        return await self.run(services, call, request)

    @property
    def carries_key(self) -> bool:
        """Whether it is one write to a ledger, and so carries a command id."""
        return issubclass(self.request, Write)

    @property
    def is_write(self) -> bool:
        """Whether it writes to ledgers."""
        return self.writes or self.carries_key or issubclass(self.request, Push | ImportFile | UndoImport)


T = TypeVar("T")


def page_by_id(
    things: Sequence[T], id_of: Callable[[T], str], request: ListById
) -> tuple[Sequence[T], str | None]:
    """The page that the request asks for of a whole list, and the cursor of the next one."""
    left = sorted((thing for thing in things if id_of(thing) > (request.cursor or "")), key=id_of)
    page = left[: request.limit]
    return page, cursor_of(id_of(page[-1])) if len(left) > len(page) else None


def new_id() -> str:
    """A new UUIDv7: unique everywhere, sorting by time."""
    return str(uuid_utils.uuid7())


def now() -> str:
    """The time, RFC 3339 UTC."""
    return rfc3339(datetime.now(UTC))


def today() -> str:
    """The day in UTC, YYYY-MM-DD."""
    return datetime.now(UTC).date().isoformat()


async def command(
    services: Services,
    call: Call,
    request: Write,
    command: Command,
    *,
    group_id: str,
    is_new_id: bool = False,
) -> Outcome:
    """Hand a parsed write to the handler."""
    is_way_out = isinstance(command, LeaveGroup | RemoveMember)
    if not is_way_out and services.groups.knows_member(group_id, call.user_id):
        services.limits.check(Budget.GROUP_WRITES, group_id)
    content = {"type": type(request).__name__, **request.content(), "groupId": group_id}
    call.hand_on()
    return await services.handler.handle(
        CommandRequest(
            actor_id=call.user_id,
            group_id=group_id,
            command_id=request.command_id,
            content=orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode(),
            command=command,
            is_new_id=is_new_id,
        )
    )
