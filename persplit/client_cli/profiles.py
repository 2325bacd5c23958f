"""What the command line keeps beside the replicas: whose they are, and which group is meant if none is named.

    <data>/current.json             {"profile": …}
    <data>/<profile>/profile.json   {"server", "email", "name", "group"}
    <data>/<profile>/replica.db     the client library's

One profile per server and account, so that two accounts on one machine never mix.
"""

import hashlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from persplit.client_cli.errors import CliError, NotSignedIn, UsageFault

DATA_VARIABLE: Final = "PERSPLIT_CLIENT_DATA"
SERVER_DEFAULT: Final = "http://127.0.0.1:8000"
_DIRECTORY_MODE: Final = 0o700
_DIGEST_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """An account on a server. `group` is the id of the group that is meant unless another is named."""

    server: str
    email: str
    name: str = ""
    group: str | None = None

    @property
    def key(self) -> str:
        """The name of its directory: readable, and different for different accounts."""
        digest = hashlib.sha256(f"{self.server}\0{self.email}".encode()).hexdigest()[:_DIGEST_LENGTH]
        readable = re.sub(
            r"[^a-z0-9]+", "-", f"{self.email.partition('@')[0]} {urlsplit(self.server).netloc}"
        )
        return f"{readable.strip('-')}-{digest}"


def profile_for(server: str, email: str) -> Profile:
    """The profile of an account that may not be known yet. Raises `UsageFault` for an address that isn't one."""
    parts = urlsplit(server.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageFault(f"{server!r} isn't a server: write it like https://split.example.org")
    return Profile(parts.geturl(), email.strip().lower())


class Profiles:
    """The profiles in a data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def replica(self, profile: Profile) -> Path:
        """Where the profile's replica is."""
        return self.data / profile.key / "replica.db"

    def all(self) -> list[Profile]:
        """Every profile, in order of address."""
        found = (self._read(path) for path in sorted(self.data.glob("*/profile.json")))
        return [_profile(it) for it in found if it]

    def current(self, wanted: str | None = None) -> Profile:
        """The profile of the address (or its beginning) `wanted`, or the one that was signed in last.

        Raises:
            NotSignedIn: there is none.
            UsageFault: `wanted` names none, or several.

        """
        if wanted is not None:
            return self._wanted(wanted.strip().lower())
        key = self._read(self.data / "current.json").get("profile")
        found = self._read(self.data / key / "profile.json") if isinstance(key, str) else {}
        if not found:
            raise NotSignedIn
        return _profile(found)

    def _wanted(self, wanted: str) -> Profile:
        everyone = self.all()
        found = [p for p in everyone if p.email == wanted] or [
            p for p in everyone if p.email.startswith(wanted)
        ]
        if len(found) != 1:
            what = "more than one account" if found else "no account"
            listed = [f"{p.email} on {p.server}" for p in found or everyone]
            raise UsageFault(f"there is {what} {wanted!r} here", code="unknown_name", lines=listed)
        return found[0]

    def save(self, profile: Profile) -> None:
        """Keep the profile."""
        self._write(self.data / profile.key / "profile.json", asdict(profile))

    def make_current(self, profile: Profile | None) -> None:
        """From now on this one is meant, or nobody."""
        self._write(self.data / "current.json", {"profile": profile.key if profile else None})

    def rename(self, old: Profile, new: Profile) -> Profile:
        """Let what was kept for `old` be kept for `new`, unless there is something already; returns which it is."""
        place = self.data / new.key
        if place.exists():
            return old
        (self.data / old.key).rename(place)
        self.save(new)
        return new

    def known(self, profile: Profile) -> Profile:
        """The profile as it is kept, if it is, with its default group."""
        found = self._read(self.data / profile.key / "profile.json")
        return replace(profile, group=found.get("group"), name=found.get("name") or "") if found else profile

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise CliError(f"{path} can't be read: {error}", code="data_unreadable") from None
        return found if isinstance(found, dict) else {}

    def _write(self, path: Path, value: dict[str, Any]) -> None:
        """Put the whole file in place at once: whoever reads meanwhile gets the old one or the new."""
        try:
            path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
                json.dump(value, file, ensure_ascii=False)
            os.replace(file.name, path)  # noqa: PTH105 - the name is text
        except OSError as error:
            raise CliError(f"{path} can't be written: {error.strerror}", code="data_unwritable") from None


def _profile(found: dict[str, Any]) -> Profile:
    return Profile(found["server"], found["email"], found.get("name") or "", found.get("group"))
