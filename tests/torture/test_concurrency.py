"""Several nodes on one store, many clients on the same groups: the history has no anomaly; shortly."""

import pytest

from tests.torture import concurrency


def test_what_clients_of_several_nodes_did_and_saw_is_explained_by_the_ledgers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Without hints between the nodes: see test_mutants, where the unbroken server is run like this, too.
    size = ["--seed", "3", "--minutes", "0.04", "--nodes", "3", "--clients", "12", "--groups", "2"]
    exit_code = concurrency.main(size)
    printed = capsys.readouterr().out
    assert exit_code == 0, printed
    assert "seed 3" in printed
    assert "0 anomalies" in printed
