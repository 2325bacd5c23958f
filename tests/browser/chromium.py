"""Where the browser is and how it is started."""

import shutil
from typing import Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
"""Debian's, which `.ci/run` installs; None where it is missing."""
OPTIONS: Final = (
    "--no-sandbox",  # tests run as root in containers, where its sandbox doesn't start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # It would look for hosts of its maker at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
