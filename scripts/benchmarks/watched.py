"""Our server with a heartbeat in its loop, each beat written to the file that BEATS names: see `stalls`."""

import os
import sys
from pathlib import Path
from typing import Final

from tests.torture.watched import serve

BEATS: Final = "PERSPLIT_BENCH_BEATS"
"""The variable that says where beats are written."""
BEAT_SECONDS: Final = 0.01

if __name__ == "__main__":
    # Every beat: also one that came a little early, as a timer may.
    serve(Path(os.environ[BEATS]), sys.argv[2:], BEAT_SECONDS, late_seconds=-BEAT_SECONDS)
