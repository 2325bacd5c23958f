"""Killed again and again while clients write, the server keeps every promise; shortly."""

import pytest

from tests.torture import crash


@pytest.mark.parametrize(("store", "cycles"), [("sqlite", crash.IMAGE_EVERY), ("mongodb", 3)])
def test_killed_while_clients_write_nothing_acknowledged_is_lost_and_nothing_is_half_there(
    store: str, cycles: int, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = crash.main(["--store", store, "--cycles", str(cycles), "--seed", "7"])
    printed = capsys.readouterr().out
    assert exit_code == 0, printed
    images = cycles // crash.IMAGE_EVERY if store == "sqlite" else 0
    assert "seed 7" in printed
    assert f"{cycles} cycles" in printed
    assert f"{images} crash images opened" in printed
    assert "0 anomalies" in printed
