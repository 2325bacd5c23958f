"""Logging: structured, with ids; never UPI ids, tokens, passwords, names or addresses."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

_SECRET_KEYS: Final = frozenset(
    {
        "password",
        "token",
        "access_token",
        "refresh_token",
        "secret",
        "email",
        "name",
        "phone",
        "vpa",
        "authorization",
    }
)
_HIDDEN: Final = "[hidden]"
# A UPI id or an e-mail address; a JWT; a refresh token; a link that holds a UPI id.
_SECRET_TEXTS: Final = re.compile(
    r"upi://\S+|[\w.+-]{1,256}@[\w.-]{2,}|eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-f-]{36}\.\d{1,9}\.[\w-]{43}"
)


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Hide what must not be logged, by the name of the field and by the look of the text."""
    for key, value in event.items():
        if key.lower() in _SECRET_KEYS:
            event[key] = _HIDDEN
        elif isinstance(value, str):
            event[key] = _SECRET_TEXTS.sub(_HIDDEN, value)
    return event


def set_up_logs(level: str, form: str) -> None:
    """Send our logs, and those of the libraries, to standard error in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler()
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
