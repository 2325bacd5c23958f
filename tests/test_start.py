"""What a start leaves out, so that it is quick: what isn't used isn't loaded, what isn't asked for isn't made."""

import subprocess
import sys

from persplit.ledger.state import GroupState, apply
from scripts.benchmarks.made_up_groups import history, person

SERVED: str = "import sys; import persplit.cli; from persplit import bootstrap, server; "


def loaded(*modules: str) -> set[str]:
    """Which of the modules a server on SQLite has loaded by the time it opens its store."""
    program = f"{SERVED} print(*(it for it in {modules!r} if it in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return set(ran.stdout.split())


def test_a_server_on_sqlite_loads_neither_a_driver_of_mongodb_nor_the_client() -> None:
    left_out = (
        "motor",
        "pymongo",
        "persplit.client_cli.app",
        "persplit.client",
        "persplit.adapters.redis_hints",
    )
    assert loaded("persplit.server", *left_out) == {"persplit.server"}


def test_what_is_seldom_asked_for_is_loaded_when_it_is() -> None:
    """Pictures, codes, files, receipts, mail, backups, and the documents with the models of all answers."""
    left_out = (
        "PIL.Image",
        "qrcode",
        "smtplib",
        "persplit.exchange.planning",
        "persplit.exchange.reading",
        "persplit.exchange.table",
        "persplit.exchange.undoing",
        "persplit.receipts.reading",
        "persplit.receipts.receipt",
        "persplit.service.backup",
        "persplit.service.check",
        "persplit.transport.asyncapi",
        "persplit.transport.broadcast_results",
        "persplit.transport.openapi",
        "persplit.transport.reference",
        "persplit.transport.result",
    )
    assert loaded("persplit.transport.table", *left_out) == {"persplit.transport.table"}


def test_made_up_groups_are_groups() -> None:
    people = [person(number) for number in range(5)]
    state: GroupState | None = None
    for recorded in history(7, people, 20):
        state = apply(state, recorded)
    assert state is not None
    assert state.seq == 20
    assert sum(state.balances.values()) == 0
    assert [recorded.seq for recorded in history(7, people, 20)] == list(range(1, 21))
    assert list(history(7, people, 20)) == list(history(7, people, 20))
