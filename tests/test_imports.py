"""Libraries can be loaded without what they would load if they found it."""

import subprocess
import sys
from importlib import import_module

import pytest

from persplit.imports import unseen

_SERVE_WRONGLY = """
import sys, typer
from persplit.cli import serve
try:
    serve(port=-1)
except typer.Exit:
    unused = {"rich", "redis", "persplit.admin_cli", "persplit.client", "persplit.client_cli"}
    print(sorted(unused & set(sys.modules)))
"""


def test_what_is_unseen_is_not_found_and_is_found_again() -> None:
    sys.modules.pop("nturl2path", None)
    with unseen("nturl2path", "not_there_anyway"), pytest.raises(ImportError):
        import_module("nturl2path")

    assert import_module("nturl2path").__name__ == "nturl2path"
    assert "not_there_anyway" not in sys.modules


def test_what_is_loaded_already_stays() -> None:
    with unseen("sys"):
        assert import_module("sys") is sys


def test_a_server_is_started_without_what_it_does_not_use() -> None:
    """All of it would be loaded before the first answer."""
    done = subprocess.run([sys.executable, "-c", _SERVE_WRONGLY], capture_output=True, text=True, check=True)  # noqa: S603 - our own program

    assert done.stdout == "[]\n"
