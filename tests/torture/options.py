"""What all parts of `scripts/torture` are told in the same way."""

import argparse
import random
from typing import Final

SEED_BITS: Final = 32


def parser(part: str, description: str) -> argparse.ArgumentParser:
    """A parser with `--seed`, for a part to add its own options to."""
    made = argparse.ArgumentParser(prog=f"scripts/torture {part}", description=description)
    made.add_argument(
        "--seed", type=int, default=None, help="repeat the run with this seed (default: a new one)"
    )
    return made


def seed_of(given: int | None) -> int:
    """The seed to use; printed first, so that a run that never ends can be repeated too."""
    seed = random.SystemRandom().getrandbits(SEED_BITS) if given is None else given
    print(f"seed {seed}", flush=True)  # noqa: T201 - a command line
    return seed
