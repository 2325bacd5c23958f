"""Settings: frozen, from PERSPLIT_* variables, every fault said at once."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_BYTES_MIN: Final = 32
"""RFC 7518 3.2: a key for HS256 has at least 256 bits."""
WORKERS_MAX: Final = 64
RECEIPT_WORKERS_MAX: Final = 16
SHUTDOWN_DELAY_SECONDS_MAX: Final = 300
"""Longer than any balancer takes to notice; orchestrators kill after 30 unless told otherwise."""

_SCHEMES: Final = {
    "mongodb_uri": ("mongodb://", "mongodb+srv://"),
    "redis_url": ("redis://", "rediss://", "unix://"),
    "smtp_url": ("smtp://", "smtps://", "smtp+plain://"),
}
_PRIVATE_NETWORKS: Final = (
    *("127.0.0.0/8", "::1"),
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
)
"""This machine, and networks that aren't the internet: where a Prometheus stands."""
_ORIGIN: Final = re.compile(r"https?://[^/@?#\s]+")


class ConfigError(Exception):
    """The settings don't fit; the text names every fault."""


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


_List = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
_Switch = Annotated[
    bool, BeforeValidator(lambda value: {"on": True, "off": False}.get(str(value).lower(), value))
]


class Settings(BaseSettings):
    """How the server runs. The field's name in capitals after PERSPLIT_ is its variable."""

    model_config = SettingsConfigDict(
        env_prefix="PERSPLIT_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        Path("persplit-data"), description="Where the embedded server keeps its database and its secret."
    )
    attachments_dir: Path | None = Field(
        None,
        description="Where attachments are kept, one file each; `attachments` in the data directory unless given, or "
        "with MongoDB in its GridFS.",
    )
    receipt_workers: int = Field(
        1,
        ge=0,
        le=RECEIPT_WORKERS_MAX,
        description="Processes that read receipts, begun when one is sent and ended when none is; each takes half a "
        "gigabyte of memory. 0: none are read.",
    )
    mongodb_uri: SecretStr | None = Field(
        None, description="`mongodb://host/database`: keep everything in MongoDB instead of SQLite."
    )
    redis_url: SecretStr | None = Field(
        None,
        description="`redis://…`: hints between nodes, so that events arrive at once instead of within five seconds.",
    )
    workers: int = Field(
        1, ge=1, le=WORKERS_MAX, description="Processes that serve; more than one needs MongoDB."
    )
    shutdown_delay_seconds: int = Field(
        0,
        ge=0,
        le=SHUTDOWN_DELAY_SECONDS_MAX,
        description="On SIGTERM: how long `/readyz` says 503 before the server drains, so that a balancer stops "
        "sending first.",
    )
    jwt_secret: SecretStr | None = Field(
        None,
        description="Signs all tokens: at least 32 bytes. Made and kept in the data directory unless given; "
        "required with MongoDB, where every node needs the same.",
    )
    jwt_secret_previous: SecretStr | None = Field(
        None,
        description="The secret before a change: access tokens signed with it stay good until they expire.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+$",
        description="How the server is reached from outside, in links and QRs; https makes cookies secure.",
    )
    allowed_origins: _List = Field(
        (), description="Further origins, by commas, whose pages may connect; the server's own always may."
    )
    trusted_proxies: _List = Field(
        (), description="Addresses or networks, by commas, of proxies whose X-Forwarded-For counts."
    )
    metrics_from: _List = Field(
        _PRIVATE_NETWORKS,
        description="Addresses or networks, by commas, that may read `/metrics`; `0.0.0.0/0,::/0` for everybody.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="`smtp://user:password@host`: the server that e-mail is handed to, with TLS; `smtps://` for port 465, "
        "`smtp+plain://` for one on the same machine without TLS. Nobody is written to unless it is given.",
    )
    mail_from: str = Field(
        "persplit@localhost",
        pattern=r"^[^@\s<>]+@[^@\s<>]+$",
        description="The address that e-mail comes from.",
    )
    private_webhooks: _Switch = Field(
        default=False,
        description="`on` to let webhooks go to private addresses, and without TLS: only where you trust everybody who has "
        "an account.",
    )
    rate_limits: _Switch = Field(
        default=True, description="`off` for load tests: nobody is told to slow down. Sizes stay bounded."
    )
    fast_path: _Switch = Field(
        default=True,
        description="`off` to have python-engineio and aiohttp carry the sockets in their own way: slower, and twice the "
        "memory; for when an upgrade of theirs breaks ours.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["console", "json"] = Field(
        "console", description="How it is logged, on standard error."
    )

    @field_validator("jwt_secret", "jwt_secret_previous")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < SECRET_BYTES_MIN:
            raise ValueError(f"shorter than {SECRET_BYTES_MIN} bytes")
        return secret

    @field_validator("mongodb_uri", "redis_url", "smtp_url")
    @classmethod
    def _address(cls, uri: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        schemes = _SCHEMES[str(info.field_name)]
        if uri is not None and not uri.get_secret_value().startswith(schemes):
            raise ValueError(f"begins with {' or '.join(schemes)}")
        return uri

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for number, origin in enumerate(origins, 1):
            # The text itself isn't repeated: it may hold a password.
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"number {number} is not an origin such as https://example.org")
        return origins

    @field_validator("trusted_proxies", "metrics_from")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for number, proxy in enumerate(proxies, 1):
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"number {number} is not an address or a network") from None
        return proxies

    @model_validator(mode="after")
    def _together(self) -> Self:
        faults = []
        if self.mongodb_uri is not None and self.jwt_secret is None:
            faults.append("PERSPLIT_JWT_SECRET is required with MongoDB: every node needs the same")
        if self.workers > 1 and self.mongodb_uri is None:
            faults.append("PERSPLIT_WORKERS above 1 needs PERSPLIT_MONGODB_URI: SQLite serves one process")
        if self.workers > 1 and self.port == 0:
            faults.append("PERSPLIT_WORKERS above 1 needs a fixed PERSPLIT_PORT")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def own_url(self) -> str:
        """How the server is reached."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def load_settings(**given: Any) -> Settings:
    """The settings: what is given (None: not given), else the variables, else the defaults.

    Raises:
        ConfigError: with every fault, each under the name of its variable.

    """
    said = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**said)
    except ValidationError as error:
        raise ConfigError("\n".join(_faults(error, said))) from None


def _faults(error: ValidationError, said: dict[str, Any]) -> Iterator[str]:
    """What is wrong with single settings, and then with those that are right, taken together."""
    wrong = {}
    for found in error.errors(include_input=False, include_url=False):
        text = found["msg"].removeprefix("Value error, ")
        name = str(found["loc"][0]) if found["loc"] else ""
        if name in Settings.model_fields:
            wrong[name] = Settings.model_fields[name].get_default()
        yield f"PERSPLIT_{name.upper()}: {text}" if name else text
    if wrong:
        try:
            Settings(**{**said, **wrong})
        except ValidationError as together:
            yield from (f["msg"].removeprefix("Value error, ") for f in together.errors() if not f["loc"])
