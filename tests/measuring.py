"""Which processes coverage measures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import coverage

_PREFIX = "COVERAGE_PROCESS_"
"""Of the variables by which coverage is started in every process that is started."""


def unmeasured(**variables: str) -> dict[str, str]:
    """This environment with the variables, for a process in which coverage measures nothing.

    Measuring costs every start a third more and what follows half as much again; most servers that tests start run
    code that is measured in the tests' own process, and what is killed couldn't say what was measured.
    """
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(_PREFIX)}
    return {**inherited, **variables}


@contextmanager
def not_measuring() -> Iterator[None]:
    """In none of the processes that are started while the block runs does coverage measure anything."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_PREFIX)}
    try:
        yield
    finally:
        os.environ.update(taken)


@contextmanager
def not_measuring_here() -> Iterator[None]:
    """In this process coverage measures nothing while the block runs: what runs there long is measured elsewhere."""
    measuring = coverage.Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    try:
        yield
    finally:
        measuring.start()
