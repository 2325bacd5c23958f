"""Logging: structured, with ids; never UPI ids, tokens, passwords, names, phone numbers or e-mail addresses.

Our own lines say what happened in fixed words and ids. What others wrote can quote anything that a client sent:
of an exception only its kind and the places are logged, of a library's line the first line, without what looks
like a secret.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import date
from pathlib import Path
from typing import Any, Final, TextIO
from uuid import UUID

import structlog
from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

FRAMES_MAX: Final = 30
"""Places of one exception, from where it was raised outwards: an endless recursion has a thousand."""
CHAIN_MAX: Final = 10
NESTING_MAX: Final = 5
"""Levels of a value that are logged, and exceptions of one chain; what is beyond is left out."""

# In any spelling: `refresh_token`, `refreshToken`, `Refresh-Token`.
_SECRET_KEYS: Final = frozenset(
    "password joinpassword passwordhash token accesstoken refreshtoken invitecode secret jwtsecret authorization cookie "
    "setcookie email name displayname actorname username membername phone vpa upiid upilink utr note notes description "
    "mongodburi redisurl".split()
)
_META_KEYS: Final = frozenset({"_record", "_from_structlog"})
"""structlog's own, taken out before anything is written."""
_HIDDEN: Final = "[hidden]"
_SECRET_TEXTS: Final = re.compile(
    r"""
    upi://\S+                                        # a link that holds a UPI id
    | (?:mongodb(?:\+srv)?|rediss?)://\S+            # an address that may hold a password
    | (?i:bearer)\s+\S+
    | [\w.+%-]{1,256}@[\w.-]{2,}                     # a UPI id or an e-mail address
    | eyJ[\w-]*\.[\w-]*\.[\w-]*                     # a JWT
    | [0-9a-f-]{36}\.\d{1,9}\.[\w-]{43}             # a refresh token
    | (?<=/i/)[\w-]+ | (?<=/qr/)[\w-]+              # an invite's code, a QR's token
    | \+\d[\d\ ()-]{5,22}\d                         # a phone number
    | (?<![\w.-])\d{10,12}(?![\w-])                 # a phone number, a UTR
    """,
    re.VERBOSE,
)
# `asyncio` shows a task that failed with the text of what it raised.
_RAISED: Final = re.compile(r"\bexception=(\w+)\(.*", re.DOTALL)


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Hide what must not be logged, by the name of the field and by the look of the text, however deep."""
    if event.get("_from_structlog") is False:
        event["event"] = _first_line(str(event["event"]))
    for key, value in event.items():
        if key not in _META_KEYS:
            event[key] = _redacted(key, value, NESTING_MAX)
    return event


def _first_line(text: str) -> str:
    return _RAISED.sub(rf"exception=\1({_HIDDEN})", text).partition("\n")[0]


def _redacted(key: object, value: object, levels: int) -> object:
    if isinstance(key, str) and re.sub("[^a-z]", "", key.lower()) in _SECRET_KEYS:
        return _HIDDEN
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _SECRET_TEXTS.sub(_HIDDEN, value)
        case UUID() | date() | Path():
            return str(value)
        case Mapping() if levels:
            return {
                _SECRET_TEXTS.sub(_HIDDEN, str(name)): _redacted(name, part, levels - 1)
                for name, part in value.items()
            }
        case list() | tuple() | set() | frozenset() if levels:
            return [_redacted(None, part, levels - 1) for part in value]
        case _:
            # Its repr could show anything: a dataclass shows all its fields, an exception its text.
            return f"<{type(value).__name__}>"


def tell_exception(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """In place of `exc_info`, `exception`: kinds and places. Never its text, which quotes what went wrong."""
    exc_info = event.pop("exc_info", None)
    match exc_info:
        case BaseException():
            error: BaseException | None = exc_info
        case (_, error, _):
            pass
        case _:
            error = sys.exc_info()[1] if exc_info else None
    if error is not None:
        event["exception"] = "\n".join(_told(error, CHAIN_MAX))
    return event


def _told(error: BaseException, left: int) -> Iterator[str]:
    if left == 0:
        yield "…"
        return
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _told(earlier, left - 1)
        yield "and then"
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__, limit=-FRAMES_MAX))
    yield _kind_of(error)
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions[:CHAIN_MAX]:
            yield "of which one"
            yield from _told(part, left - 1)


def _kind_of(error: BaseException) -> str:
    """Its class, and the operating system's word for what went wrong: both are out of a fixed list."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name}: {os.strerror(error.errno)}"
    return name


class _NotHttp(logging.Filter):
    """Drops aiohttp's traceback for each request that isn't HTTP: scanners send them by the thousand."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError | ClientPayloadError)


def set_up_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send our logs, and those of the libraries, to standard error in one form; a test says to which stream else."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_exception,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # aiohttp's access log has full paths, and a socket's would be one line a day.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # It quotes what strangers offer in a handshake.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.server").filters = [_NotHttp()]
    # At `debug` the driver logs each command to the database: whole documents, with names and addresses.
    logging.getLogger("pymongo").setLevel(logging.WARNING)
