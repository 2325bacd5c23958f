"""The logs of the whole run, and every secret that its people have: none may be in the other.

Every server in this process logs through `persplit.logs` into one file, at `debug`; servers in processes of their own
name their file in `note_file`, or give what they printed to `note_output`. Phones and devices give what nobody may log to `keep_secret`. At the end the
one is searched for the other, and a find fails the run.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from persplit.logs import set_up_logs

SHOWN_MAX: Final = 20
LENGTH_MIN: Final = 6
"""Shorter names are in words and paths."""

_SECRET_KEYS: Final = frozenset(
    {
        *("password", "joinPassword", "token", "accessToken", "refreshToken", "email", "phone", "vpa", "utr"),
        *("name", "description", "note", "notes", "upiLink", "url"),
    }
)
_CODE: Final = re.compile(r"[\w-]{22}")
_QR: Final = re.compile(r"/qr/([\w.-]+)\.(?:png|svg)")
_WORD: Final = re.compile(r"[a-z_:]+|\W*")
"""What may be in any log line: `expense:create` as a description is no secret."""


class Collected:
    """What was logged so far, and what mustn't have been."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self._outputs: list[str] = []
        self._files: list[Path] = []

    def keep_secret(self, *texts: str) -> None:
        """None of the texts may be in any log."""
        self.secrets.update(
            text.lower() for text in texts if len(text) >= LENGTH_MIN and not _WORD.fullmatch(text)
        )

    def keep_secrets_of(self, message: Any) -> None:
        """Nor may what stands in a request or an answer under a name that tells it."""
        if isinstance(message, dict) and "icon" not in message:  # a category is everybody's
            for key, value in message.items():
                if isinstance(value, str):
                    self._keep_field(key, value)
                else:
                    self.keep_secrets_of(value)
        elif isinstance(message, list):
            for part in message:
                self.keep_secrets_of(part)

    def _keep_field(self, key: str, value: str) -> None:
        if key in _SECRET_KEYS or (key == "code" and _CODE.fullmatch(value)):
            self.keep_secret(value)
        elif key == "qrUrl" and (found := _QR.search(value)):
            self.keep_secret(found[1])

    def note_output(self, text: str) -> None:
        """What a server in a process of its own printed."""
        self._outputs.append(text)

    def note_file(self, path: Path) -> None:
        """The file into which such a server prints."""
        self._files.append(path)

    def leaks(self, *logs: str) -> Iterator[tuple[str, str]]:
        """Each secret that was logged, with the first line that has it."""
        printed = [path.read_text(errors="backslashreplace") for path in self._files if path.exists()]
        text = "\n".join([*self._outputs, *printed, *logs]).lower()
        for secret in sorted(self.secrets):
            at = text.find(secret)
            if at >= 0:
                yield secret, text[text.rfind("\n", 0, at) + 1 : (text + "\n").find("\n", at)]


COLLECTED: Final = Collected()
"""Of this process: each of xdist's workers has its own."""


def check_for_leaks(collected: Collected, *logs: str) -> None:
    """Fail, with what was found and where, if anything was."""
    found = [f"{secret!r} in: {line[:500]}" for secret, line in collected.leaks(*logs)]
    if found:
        shown = "\n".join(found[:SHOWN_MAX])
        pytest.fail(f"{len(found)} secrets are in the logs of this run, for instance\n{shown}", pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def collected_logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file into which this process logs; at the end it is searched."""
    path = tmp_path_factory.mktemp("logs") / "all.log"
    with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        set_up_logs("debug", "json", stream)
        logging.getLogger("mail.log").setLevel(
            logging.WARNING
        )  # the tests' own mail server tells what it is sent
        yield path
        stream.flush()
    check_for_leaks(COLLECTED, path.read_text(encoding="utf-8"))
