"""People at terminals: each with a data directory of their own, and a server that they share."""

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from persplit.client_cli.app import app
from tests.processes import ServerProcess
from tests.terminal import CliRunner, Result

Json: TypeAlias = dict[str, Any]
PASSWORD = "a long walk by the sea"
NOWHERE = "http://127.0.0.1:9"

_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Person:
    """Somebody who types commands."""

    data: Path
    url: str
    name: str = ""
    email: str = ""

    def types(self, *words: str, input: str | None = None, **variables: str) -> Result:  # noqa: A002 - as the runner has it
        """The command's result, whatever it is."""
        env = {
            "PERSPLIT_CLIENT_DATA": str(self.data),
            "PERSPLIT_SERVER": self.url,
            "COLUMNS": "160",
            **variables,
        }
        result = CliRunner().invoke(app, list(words), input=input, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def says(self, *words: str, **variables: str) -> str:
        """What a command that must succeed prints."""
        result = self.types(*words, **variables)
        assert result.exit_code == 0, (words, result.output)
        return result.stdout

    def gets(self, *words: str, **variables: str) -> Json:
        """The JSON of a command that must succeed."""
        found = json.loads(self.says(*words, "--json", **variables))
        assert isinstance(found, dict)
        return found

    def fails(self, exit_code: int, *words: str, **variables: str) -> Json:
        """The error of a command that must end with this code."""
        result = self.types(*words, "--json", **variables)
        assert result.exit_code == exit_code, (words, result.output)
        assert result.stdout == ""
        error = json.loads(result.stderr)["error"]
        assert isinstance(error, dict)
        return error

    def signs_up(self, name: str, vpa: str = "") -> "Person":
        """The same, with an account."""
        self.name, self.email = name, f"{name.lower()}{next(_numbers)}@example.org"
        self.gets("sign-up", name, self.email, "--vpa", vpa, PERSPLIT_PASSWORD=PASSWORD)
        return self


MakePerson: TypeAlias = Callable[..., Person]


@pytest.fixture(scope="session")
def server_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("server"), port=free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def people(server_process: ServerProcess, tmp_path: Path) -> MakePerson:
    """Makes people: `people("Asha", "asha@okaxis")` signs one up."""

    def make(name: str | None = None, vpa: str = "", *, url: str = server_process.url) -> Person:
        person = Person(tmp_path / f"person-{next(_numbers)}", url)
        return person if name is None else person.signs_up(name, vpa)

    return make


@pytest.fixture
def trip(people: MakePerson) -> tuple[Person, Person]:
    """Asha and Ben, in a group of theirs called Goa trip."""
    asha, ben = people("Asha", "asha@okaxis"), people("Ben", "ben@ybl")
    asha.says("group", "create", "Goa trip")
    ben.says("group", "join", asha.gets("group", "invite")["code"])
    return asha, ben
