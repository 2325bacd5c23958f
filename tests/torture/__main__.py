"""`scripts/torture PART [options]`."""

import importlib
import sys
from typing import Final

PARTS: Final = {
    "crash": "the server is killed over and over while clients write",
    "concurrency": "many nodes and clients on the same groups; the whole history is checked afterwards",
    "simulation": "nodes and clients on a virtual clock, over transports and stores that drop, delay and reorder",
    "network": "a fault proxy between clients, servers, Redis and MongoDB",
    "load": "reconnect storms, thousands of idle sockets, large groups, floods and malformed packets",
    "disk": "a disk that is full, read-only, torn or truncated",
}
"""The modules of this package that can be run, and what each does."""


def main(arguments: list[str]) -> int:
    """Run a part; returns its exit code."""
    if not arguments or arguments[0] not in PARTS:
        print("usage: scripts/torture PART [options]\n")  # noqa: T201 - a command line
        for name, text in PARTS.items():
            print(f"  {name:12} {text}")  # noqa: T201
        return 0 if not arguments or arguments[0] in ("-h", "--help") else 2
    part = importlib.import_module(f"tests.torture.{arguments[0]}")
    return int(part.main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
