"""Fixtures for all tests."""

import os
import signal
from typing import Final

from hypothesis import settings

EXAMPLES: Final = int(os.environ.get("PERSPLIT_TEST_EXAMPLES", "30"))
"""Of each property that doesn't say how many itself: enough for a run that is over soon; by hand as many as wished."""
settings.register_profile("persplit", max_examples=EXAMPLES)
settings.load_profile("persplit")

pytest_plugins = ["tests.servers", "tests.collected_logs"]


def pytest_configure() -> None:
    """Let processes that tests start be interrupted, also where the run itself was started in the background."""
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
