"""Workers that only say who they are, for the tests of what keeps workers going. Files in `home` say how they fail."""

import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path

from persplit import workers
from persplit.config import ConfigError
from persplit.worker_metrics import shared_metrics


def serve(home: Path, listeners: workers.Listeners, line: Connection) -> None:
    """Answer every connection with our process id, until replaced or left alone."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if (home / "broken").exists():
        sys.exit(1)
    if (home / "unfit").exists():
        line.send((workers.FAILED, "it does not fit"))
        sys.exit(2)
    if (home / "hanging").exists():
        time.sleep(3600)
    is_stubborn = (home / "stubborn").exists()
    line.send((workers.READY, ""))
    while True:
        heard = wait([*listeners, line])
        for listener in listeners:
            with suppress(BlockingIOError):  # another one was quicker
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(str(os.getpid()).encode())
        if line in heard:
            with suppress(EOFError):
                line.recv()
            if not is_stubborn:
                return
            time.sleep(3600)


def main(home: Path, port: int, count: int) -> int:
    """Run them; returns an exit code."""
    workers.START_SECONDS_MAX = float(os.environ.get("START_SECONDS_MAX", "60"))  # type: ignore[misc]
    places = [workers.Place(each) for each in workers.open_listeners("127.0.0.1", port, count)]
    try:
        with shared_metrics() as metrics:
            workers.Supervisor(partial(serve, home), places, metrics, drain_seconds_max=2.0).run(
                lambda: _say("announced")
            )
    except ConfigError as error:
        _say(str(error))
        return 2
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
