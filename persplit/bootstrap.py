"""The composition root: the only file that names concrete adapters. Tests come in through the same door."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from persplit.adapters import sqlite_mark
from persplit.adapters.local_files import LocalFiles
from persplit.adapters.no_hints import NoHints
from persplit.adapters.passwords import Argon2Passwords
from persplit.adapters.pictures import PillowPictures
from persplit.adapters.qr import QrCodes
from persplit.adapters.receipt_reader import ReceiptReader
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_documents import SqliteDocuments
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.adapters.sqlite_schema import SCHEMA_VERSION
from persplit.adapters.sqlite_tallies import SqliteTallies
from persplit.adapters.statement_pdf import PdfStatements
from persplit.adapters.tokens import ACCESS_LIFETIME_SECONDS, JwtAccessTokens, derive_key
from persplit.adapters.webhooks import Webhooks
from persplit.config import ConfigError, Settings
from persplit.service import heartbeat, metrics, users
from persplit.service.absentees import Absentees
from persplit.service.accounts import Accounts
from persplit.service.activity import Activity
from persplit.service.administration import Administration
from persplit.service.admins import Admins
from persplit.service.analytics import Analytics
from persplit.service.attachment_sweep import sweep_on
from persplit.service.attachments import Attachments
from persplit.service.audit import AuditLog
from persplit.service.batches import Batches
from persplit.service.channels import Channels, Kind
from persplit.service.direct_ledgers import DirectLedgers
from persplit.service.epochs import Epochs
from persplit.service.errors import StoreUnavailable
from persplit.service.expense_books import ExpenseBooks
from persplit.service.exporting import Exporting
from persplit.service.follower import Follower
from persplit.service.groups import Groups
from persplit.service.handler import Handler
from persplit.service.history import History
from persplit.service.importing import Importing
from persplit.service.invites import GroupPasswords, Invites
from persplit.service.joining import Guests, Joining
from persplit.service.migrations import Migrations
from persplit.service.notifier import NoticingHints, Notifier, Sender
from persplit.service.overview import Overview
from persplit.service.own_data import OwnData
from persplit.service.people import People
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import Clock, Documents, Files, Hints, Stores
from persplit.service.projecting import NotedHints, Projector
from persplit.service.qr_tokens import QrTokens
from persplit.service.rates import Rates
from persplit.service.read_marks import ReadMarks
from persplit.service.readiness import Readiness
from persplit.service.receipts import Receipts
from persplit.service.recurring import Recurring
from persplit.service.session_sweep import SessionSweep
from persplit.service.sessions import Sessions
from persplit.service.standing import Standings
from persplit.service.suspensions import Suspensions
from persplit.service.sync import Sync
from persplit.service.tally_progress import TallyProgress
from persplit.service.throttle import SignInThrottle
from persplit.service.wholeness import require_whole
from persplit.transport import problems
from persplit.transport.app import make_app
from persplit.transport.client_address import ClientAddress
from persplit.transport.cookies import RefreshCookie
from persplit.transport.fanout import SocketFanOut
from persplit.transport.guard import GuardedServer, guarded_server
from persplit.transport.lifetime import Lifetime
from persplit.transport.limits import Limits
from persplit.transport.operations import Services
from persplit.transport.rest import Rest
from persplit.transport.sockets import Sockets
from persplit.transport.table import COMMANDS

COMMANDS_SECONDS_MAX: Final = 5.0
"""For commands under way when the server stops. With a store that answers they take milliseconds."""
DRAIN_SECONDS_MAX: Final = 10.0
"""For these and closing all sockets; orchestrators kill after 30."""
DATABASE_FILE: Final = "persplit.sqlite3"
ATTACHMENTS_DIRECTORY: Final = "attachments"
SECRET_FILE: Final = "jwt-secret"  # noqa: S105 - a file's name


def utc_now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


@asynccontextmanager
async def open_stores(
    settings: Settings, *, migrates: bool = True, accepts_loss: bool = False
) -> AsyncIterator[Stores]:
    """SQLite in the data directory, or MongoDB where its address is given.

    `migrates`: make or bring up to date tables and indexes; else they must be there already. `accepts_loss`: open a
    database that has lost events, or was put back from a copy; servers refuse it until `accept_loss`.
    """
    if settings.mongodb_uri is None:
        path = settings.data_dir / DATABASE_FILE
        files = LocalFiles(settings.attachments_dir or settings.data_dir / ATTACHMENTS_DIRECTORY)
        async with _sqlite(path, files, migrates=migrates, accepts_loss=accepts_loss) as stores:
            yield stores
    else:
        directory = settings.attachments_dir
        local = None if directory is None else LocalFiles(directory)
        async with _mongodb(settings.mongodb_uri.get_secret_value(), local, migrates=migrates) as stores:
            yield stores


async def prepare(stores: Stores) -> None:
    """Make sure that the store may be served from, migrating what may be migrated at a start.

    Raises:
        StoreUnusable: it may not, and why.

    """
    await require_whole(stores)
    await Migrations(stores, utc_now).at_start()


async def prepare_store(settings: Settings) -> None:
    """Open the store, make sure that it may be served from, and close it again. Raises `StoreUnusable` where not."""
    with contextlib.suppress(StoreUnavailable):  # the workers try again until it answers
        async with open_stores(settings) as stores:
            await prepare(stores)


def secret_of(settings: Settings) -> str:
    """The secret that all keys come from: the one given, else the one kept in the data directory, made at first."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / SECRET_FILE
    with contextlib.suppress(FileExistsError):
        _write_new(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _write_new(path: Path, text: str) -> None:
    """Make the file whole or not at all, for our eyes only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


@dataclass(frozen=True, slots=True)
class Node:
    """One server process, ready to listen."""

    settings: Settings
    app: web.Application
    sockets: Sockets
    services: Services
    lifetime: Lifetime

    def leave(self) -> None:
        """From now on `/readyz` says 503, so that a balancer sends nobody here any more. Everything still works."""
        self.lifetime.leave()

    async def drain(self, *, is_replaced: bool = False) -> None:
        """Finish what is under way, tell every client when to come back, and disconnect it. Bounded in time.

        `is_replaced`: another process serves new connections on the same address. Otherwise new connections and
        writes are refused meanwhile.
        """
        self.lifetime.end(is_replaced=is_replaced)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                await self.services.handler.drain(COMMANDS_SECONDS_MAX)
                await self.sockets.close_all()
        await self.sockets.close_the_rest()


@asynccontextmanager
async def open_node(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    access_lifetime_seconds: int = ACCESS_LIFETIME_SECONDS,
    passwords: Argon2Passwords | None = None,
    server_options: dict[str, Any] | None = None,
) -> AsyncIterator[Node]:
    """Everything opened and put together, and closed again in the right order.

    The keyword arguments are for tests: another clock, tokens that expire soon, cheap password hashes, and
    options of `guarded_server`.
    """
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings))
        await prepare(stores)
        hints = await stack.enter_async_context(_hints(settings))
        qr_codes = QrCodes()
        stack.push_async_callback(qr_codes.close)
        hasher = passwords or Argon2Passwords()
        stack.callback(hasher.close)
        yield await _composed(
            settings,
            stores,
            hints,
            qr_codes,
            hasher,
            stack,
            clock,
            access_lifetime_seconds,
            server_options or {},
        )


async def _composed(
    settings: Settings,
    stores: Stores,
    hints: Hints,
    qr_codes: QrCodes,
    hasher: Argon2Passwords,
    stack: AsyncExitStack,
    clock: Clock,
    access_lifetime_seconds: int,
    server_options: dict[str, Any],
) -> Node:
    secret = secret_of(settings)
    previous = settings.jwt_secret_previous
    accounts_of = users.Users(stores.users)
    people = People(accounts_of)
    sessions = Sessions(stores.sessions, pepper=derive_key(secret, "refresh"), clock=clock)
    personal_tokens = PersonalTokens(stores.personal_tokens, clock)
    throttle = SignInThrottle()
    suspensions = Suspensions(stores.suspensions, clock)
    absentees = Absentees(accounts_of, suspensions)
    accounts = Accounts(
        users=accounts_of,
        people=people,
        sessions=sessions,
        personal_tokens=personal_tokens,
        passwords=hasher,
        tokens=JwtAccessTokens(
            derive_key(secret, "access"),
            [derive_key(previous.get_secret_value(), "access")] if previous else [],
            clock=clock,
            lifetime_seconds=access_lifetime_seconds,
        ),
        throttle=throttle,
        suspensions=suspensions,
        clock=clock,
    )
    admins = Admins(stores.admins, suspensions, clock)
    audit = AuditLog(stores.audit, clock)
    qr_tokens = QrTokens(derive_key(secret, "qr"))
    standings = Standings(people, qr_tokens)
    server = guarded_server(
        COMMANDS,
        problems.refusal,
        _origins(settings),
        pipelined=[event for event, operation in COMMANDS.items() if operation.is_pipelined],
        **{"rate_limits": settings.rate_limits, "fast_path": settings.fast_path, **server_options},
    )
    stack.push_async_callback(server.shutdown)
    fan_out = SocketFanOut(server, people, qr_codes)
    groups = Groups(stores.events, standings, fan_out, is_shared=stores.is_shared)
    stack.push_async_callback(groups.close)
    stack.push_async_callback(fan_out.close)
    history = History(stores.events, groups)
    epochs = Epochs(stores.meta)
    await epochs.open()
    pictures = PillowPictures()
    stack.callback(pictures.close)
    attachments = Attachments(stores.attachments, stores.files, stores.events, groups, pictures, clock)
    reader = ReceiptReader(settings.receipt_workers)
    stack.push_async_callback(reader.close)
    projector = Projector(
        stores.events, stores.tallies, TallyProgress(stores.meta), clock, is_shared=stores.is_shared
    )
    noted = NotedHints(hints, projector.note)
    projecting = asyncio.create_task(projector.run())
    stack.push_async_callback(_cancelled, projecting)
    noticing = NoticingHints(noted)
    channels = Channels(stores.channels, stores.deliveries, clock)
    handler = Handler(stores.events, groups, noticing, clock)
    batches = Batches(stores.events, groups, handler, noticing, clock)
    overview = Overview(stores.events, groups)
    read_marks = ReadMarks(stores.read_marks, stores.events, groups, fan_out, hints)
    stack.push_async_callback(read_marks.close)
    invites = Invites(stores.invites, personal_tokens, clock)
    group_passwords = GroupPasswords(stores.group_passwords, hasher, SignInThrottle())
    exporting = Exporting(stores.events, groups, people)
    joining = Joining(invites, group_passwords, groups, overview)
    rates = Rates(stores.rates)
    services = Services(
        accounts=accounts,
        users=accounts_of,
        people=people,
        groups=groups,
        handler=handler,
        history=history,
        expense_books=ExpenseBooks(stores.events, groups),
        sync=Sync(groups, history, epochs),
        epochs=epochs,
        limits=Limits(is_on=settings.rate_limits),
        overview=overview,
        read_marks=read_marks,
        activity=Activity(stores.events, overview, read_marks),
        channels=channels,
        invites=invites,
        group_passwords=group_passwords,
        joining=joining,
        direct_ledgers=DirectLedgers(stores.events, groups, handler, overview, accounts_of),
        personal_tokens=personal_tokens,
        guests=Guests(accounts_of, accounts, joining, clock),
        standings=standings,
        rates=rates,
        recurring=Recurring(stores.schedules, groups, handler, rates, absentees, clock),
        importing=Importing(stores.events, groups, people, batches, clock),
        exporting=exporting,
        own_data=OwnData(stores, accounts, personal_tokens, overview, exporting, handler),
        statements=PdfStatements(),
        attachments=attachments,
        receipts=Receipts(groups, attachments, pictures, reader),
        admins=admins,
        administration=Administration(accounts_of, admins, suspensions, sessions, audit),
        analytics=Analytics(stores.tallies, projector, accounts_of, people, clock),
        qr_tokens=qr_tokens,
        qr_codes=qr_codes,
        public_url=settings.own_url,
        sends_mail=settings.smtp_url is not None,
        private_webhooks=settings.private_webhooks,
    )
    noticing.notifier = _notifier(settings, stores, groups, channels, accounts_of, absentees, stack, clock)
    return _node(settings, stores, services, server, fan_out, sessions, stack, hints)


def _notifier(
    settings: Settings,
    stores: Stores,
    groups: Groups,
    channels: Channels,
    accounts: users.Users,
    absentees: Absentees,
    stack: AsyncExitStack,
    clock: Clock,
) -> Notifier:
    """The notifier, running."""
    webhooks = Webhooks(clock, private_too=settings.private_webhooks)
    stack.push_async_callback(webhooks.close)
    senders: dict[Kind, Sender] = {Kind.WEBHOOK: webhooks}
    if settings.smtp_url is not None:
        # Most servers send no mail.
        from persplit.adapters.smtp_mail import MailServer, SmtpMail  # noqa: PLC0415 - as above

        async def address_of(user_id: str) -> str | None:
            user = await accounts.get(user_id)
            return None if user is None else user.email

        server = MailServer.of(settings.smtp_url.get_secret_value())
        mail = SmtpMail(server, settings.mail_from, settings.own_url, address_of, clock)
        stack.callback(mail.close)
        senders[Kind.EMAIL] = mail
    notifier = Notifier(stores.events, groups, channels, stores.deliveries, senders, absentees, clock)
    stack.push_async_callback(_cancelled, asyncio.create_task(notifier.run()))
    return notifier


def _node(
    settings: Settings,
    stores: Stores,
    services: Services,
    server: GuardedServer,
    fan_out: SocketFanOut,
    sessions: Sessions,
    stack: AsyncExitStack,
    hints: Hints,
) -> Node:
    limits = services.limits
    address = ClientAddress(settings.trusted_proxies)
    lifetime = Lifetime()
    sockets = Sockets(server, services, fan_out, limits, address, lifetime)
    sessions.on_ended.append(sockets.session_ended)
    services.personal_tokens.on_ended.append(sockets.session_ended)
    cookie = RefreshCookie(is_secure=settings.own_url.startswith("https:"))
    rest = Rest(services, limits, address, cookie, lifetime)
    readiness = Readiness(stores.events, hints, lambda: lifetime.is_leaving)

    def take_down() -> None:
        metrics.note_process()
        server.note_load()
        fan_out.note_load()
        services.groups.note_load()

    app = make_app(
        rest,
        server,
        readiness,
        lifetime,
        settings.own_url,
        address=address,
        metrics_from=settings.metrics_from,
        take_down=take_down,
    )
    metrics.note_build(*(("mongodb", 0) if settings.mongodb_uri else ("sqlite", SCHEMA_VERSION)))
    beating = asyncio.create_task(heartbeat.beat(take_down, readiness))
    stack.push_async_callback(_cancelled, beating)
    # Where this node is the only one to write, it sees everybody who joins by itself.
    newcomers = fan_out if stores.is_shared else None
    follower = asyncio.create_task(Follower(stores.events, services.groups, fan_out, hints, newcomers).run())
    stack.push_async_callback(_cancelled, follower)
    collecting = asyncio.create_task(sweep_on(services.attachments))
    stack.push_async_callback(_cancelled, collecting)
    recurring = asyncio.create_task(services.recurring.run())
    stack.push_async_callback(_cancelled, recurring)
    for ending, connected in (
        (sessions, sockets.sessions),
        (services.personal_tokens, sockets.personal_tokens),
    ):
        sweeping = asyncio.create_task(SessionSweep(ending, connected).run())
        stack.push_async_callback(_cancelled, sweeping)

    return Node(settings, app, sockets, services, lifetime)


def accept_loss(settings: Settings) -> None:
    """What was opened with `accepts_loss` has been dealt with: from now on a server may start on what is there."""
    if settings.mongodb_uri is None:
        sqlite_mark.forget(settings.data_dir / DATABASE_FILE)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _origins(settings: Settings) -> list[str]:
    """Pages that may connect: our own, under each name by which a browser may know this machine, and those allowed."""
    own = [settings.own_url]
    if settings.public_url is None and settings.host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        own = [f"http://{name}:{settings.port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    return [*own, *settings.allowed_origins]


@asynccontextmanager
async def _sqlite(path: Path, files: Files, *, migrates: bool, accepts_loss: bool) -> AsyncIterator[Stores]:
    database = SqliteDatabase(path, migrates=migrates, accepts_loss=accepts_loss)
    await database.open()
    try:
        yield Stores(
            events=SqliteEvents(database),
            users=SqliteDocuments(database, "users", users.UNIQUE_KEYS),
            sessions=SqliteDocuments(database, "sessions"),
            personal_tokens=SqliteDocuments(database, "personal_tokens"),
            invites=SqliteDocuments(database, "invites"),
            group_passwords=SqliteDocuments(database, "group_passwords"),
            erasures=SqliteDocuments(database, "erasures"),
            attachments=SqliteDocuments(database, "attachments"),
            files=files,
            admins=SqliteDocuments(database, "admins"),
            suspensions=SqliteDocuments(database, "suspensions"),
            audit=SqliteDocuments(database, "audit"),
            read_marks=SqliteDocuments(database, "read_marks"),
            channels=SqliteDocuments(database, "channels"),
            deliveries=SqliteDocuments(database, "deliveries"),
            rates=SqliteDocuments(database, "rates"),
            schedules=SqliteDocuments(database, "schedules"),
            meta=SqliteDocuments(database, "meta"),
            tallies=SqliteTallies(database),
            is_shared=False,
            name=str(path),
            inspect=database.inspect,
        )
    finally:
        await database.close()


@asynccontextmanager
async def _mongodb(uri: str, local: Files | None, *, migrates: bool) -> AsyncIterator[Stores]:
    # The driver takes a tenth of a start, which the embedded server doesn't need.
    from persplit.adapters import mongo_files, mongo_store, mongo_tallies  # noqa: PLC0415 - as above

    client = mongo_store.connect(uri)
    database = mongo_store.database_of(client)
    calls = mongo_store.Calls()

    async def documents(collection: str, unique_keys: Collection[str] = ()) -> Documents:
        opened = mongo_store.MongoDocuments(database, collection, unique_keys, calls)
        if migrates:
            await opened.open()
        return opened

    async def grid_fs() -> Files:
        files = mongo_files.MongoFiles(database, calls)
        if migrates:
            await files.open()
        return files

    try:
        events = mongo_store.MongoEvents(database, calls)
        await events.open(makes_indexes=migrates)
        tallies = mongo_tallies.MongoTallies(database, calls)
        if migrates:
            await tallies.open()
        yield Stores(
            events=events,
            users=await documents("users", users.UNIQUE_KEYS),
            sessions=await documents("sessions"),
            personal_tokens=await documents("personal_tokens"),
            invites=await documents("invites"),
            group_passwords=await documents("group_passwords"),
            erasures=await documents("erasures"),
            attachments=await documents("attachments"),
            files=local or await grid_fs(),
            admins=await documents("admins"),
            suspensions=await documents("suspensions"),
            audit=await documents("audit"),
            read_marks=await documents("read_marks"),
            channels=await documents("channels"),
            deliveries=await documents("deliveries"),
            rates=await documents("rates"),
            schedules=await documents("schedules"),
            meta=await documents("meta"),
            tallies=tallies,
            is_shared=True,
            name=f"MongoDB, {database.name}",
            inspect=events.inspect,
        )
    finally:
        await mongo_store.close(client)


@asynccontextmanager
async def _hints(settings: Settings) -> AsyncIterator[Hints]:
    if settings.redis_url is None:
        yield NoHints()
        return
    try:
        # An extra: who runs one node needs no Redis client.
        from persplit.adapters.redis_hints import RedisHints  # noqa: PLC0415 - as above
    except ImportError:
        raise ConfigError("PERSPLIT_REDIS_URL needs the extra: pip install 'persplit[scale]'") from None
    hints = RedisHints(settings.redis_url.get_secret_value())
    await hints.open()
    try:
        yield hints
    finally:
        await hints.close()
