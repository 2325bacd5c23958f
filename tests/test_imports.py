"""Libraries can be loaded without what they would load or read if they found it."""

import gc
import os
import ssl
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from persplit.imports import certificates_unread, garbage_uncollected, unseen

_CERTIFICATE = Path(__file__).parent / "fixtures/tls/localhost.pem"
_SERVE_WRONGLY = """
import gc, sys, typer
from persplit.cli import serve
try:
    serve(port=-1)
except typer.Exit:
    from aiohttp.connector import _SSL_CONTEXT_VERIFIED as made, _SSL_CONTEXT_UNVERIFIED as made_too
    unused = {"rich", "redis", "persplit.admin_cli", "persplit.client", "persplit.client_cli"}
    print(sorted(unused & set(sys.modules)))
    print([it.cert_store_stats()["x509"] for it in (made, made_too)])
    print(gc.isenabled() and gc.get_freeze_count() > len(gc.get_objects()))
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


def test_certificates_are_read_before_and_after_and_not_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(_CERTIFICATE))

    def read() -> int:
        return ssl.create_default_context().cert_store_stats()["x509"]

    # Some systems have a directory of them as well.
    before = read()
    with certificates_unread():
        assert read() == 0
    assert read() == before >= 1


def test_the_collector_does_not_look_at_what_was_loaded() -> None:
    frozen = gc.get_freeze_count()
    try:
        with garbage_uncollected():
            loaded = ["something", []]
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
        assert not any(it is loaded for it in gc.get_objects())
    finally:
        gc.unfreeze()


def test_a_server_is_started_without_what_it_does_not_use() -> None:
    """All of it would be loaded, read or looked at before the first answer."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _SERVE_WRONGLY],
        env=os.environ | {"SSL_CERT_FILE": str(_CERTIFICATE)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == ["[]", "[0, 0]", "True"]
