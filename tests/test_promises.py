"""The threat model and the promises in the README name tests, which must be there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "persplit/THREATS.md").read_text()
README = (ROOT / "README.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT + README)
PROMISES = README[README.index("## What is promised") : README.index("## How fast")]
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ")][1:]


@cache
def cases_of(path: str) -> frozenset[str]:
    """The names of a file's tests, as pytest finds them."""
    functions = ast.parse((ROOT / path).read_text()).body
    return frozenset(it.name for it in functions if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()
    assert name.startswith("test_")
    assert name in cases_of(path)


def test_every_row_names_a_test_and_nothing_else_as_proof() -> None:
    assert len(ROWS) > 25
    for row in ROWS:
        assert re.fullmatch(r"(`tests/[\w/]+\.py::test_\w+` ?)+", row[-1]), row


def test_the_readme_leads_there() -> None:
    assert "(persplit/THREATS.md)" in README


def test_every_promise_names_a_test_and_the_figures_of_its_last_long_run() -> None:
    rows = [line.strip("| ").split(" | ") for line in PROMISES.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for promise, faults, shown_by, figures in rows:
        assert promise
        assert faults
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", shown_by), promise
        assert figures
