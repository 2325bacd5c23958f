"""Fixtures for all tests."""

import signal

pytest_plugins = ["tests.servers", "tests.collected_logs"]


def pytest_configure() -> None:
    """Let processes that tests start be interrupted, also where the run itself was started in the background."""
    for name in ("SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
