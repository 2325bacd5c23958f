"""Whether what requirements.lock pins has known holes: by pip-audit's report, and by a table of our own.

`audit_pins.py [REPORT]`: prints what was looked up and what was not, and fails if there is a hole.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

LOCK: Final = Path(__file__).parent.parent / "requirements.lock"


class Floor(NamedTuple):
    """The oldest version of a package that we would run, and why."""

    version: str
    reason: str


FLOORS: Final[Mapping[str, Floor]] = {
    "aiohttp": Floor("3.13.3", "CVE-2025-69223: a small compressed body unfolds into all of the memory"),
    "future": Floor("0.18.3", "CVE-2022-40899: a cookie header that takes for ever"),
    "h11": Floor("0.16.0", "CVE-2025-43859: chunks that two servers read differently"),
    "idna": Floor("3.7", "CVE-2024-3651: a name that takes for ever"),
    "orjson": Floor("3.9.15", "CVE-2024-27454: nesting without end"),
    "pillow": Floor("11.3.0", "CVE-2025-48379: writing beyond a buffer"),
    "pydantic": Floor("2.4.0", "CVE-2024-3772: an e-mail address that takes for ever"),
    "pygments": Floor("2.15.1", "CVE-2022-40896: text that takes for ever"),
    "pyjwt": Floor("2.13.0", "CVE-2026-32597, CVE-2026-48526: unknown `crit` taken, a key's text as secret"),
    "pymongo": Floor("4.6.3", "CVE-2024-5629: BSON read beyond its end"),
    "python-engineio": Floor("3.9.0", "CVE-2019-13611: sockets opened by foreign pages"),
    "python-socketio": Floor("5.16.2", "CVE-2026-48804: attachments without end before signing in"),
    "redis": Floor("4.5.5", "CVE-2023-28859: one request gets another's answer"),
    "setuptools": Floor("78.1.1", "CVE-2025-47273: files written anywhere"),
}
"""For when nobody can be asked. Of what we run and of what builds it; a new advisory gets a row with its fix."""


def pins(lock: str) -> dict[str, Version]:
    """Name and version of each line of the lock."""
    requirements = [Requirement(line) for line in lock.splitlines() if line and line[0] != "#"]
    return {it.name: Version(next(iter(it.specifier)).version) for it in requirements}


def below_floor(pinned: Mapping[str, Version]) -> Iterator[str]:
    """A sentence for each pin that is too old."""
    for name, floor in FLOORS.items():
        if name in pinned and pinned[name] < Version(floor.version):
            yield f"{name} {pinned[name]} is older than {floor.version}: {floor.reason}"


def holes(report: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each hole that pip-audit found."""
    for package in report["dependencies"]:
        for hole in package.get("vulns", ()):
            fixed = ", ".join(hole["fix_versions"]) or "nowhere yet"
            yield f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}"


def not_asked(report: Mapping[str, Any] | None, pinned: Mapping[str, Version]) -> set[str]:
    """Packages that pip-audit knows nothing about. It counts them as good."""
    asked = [] if report is None else report["dependencies"]
    return set(pinned) - {package["name"] for package in asked if "skip_reason" not in package}


def read_report(path: Path) -> dict[str, Any] | None:
    """The report; None where there is none that can be read."""
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and "dependencies" in report else None


def main(report_path: str | None) -> int:
    """Say it; 0 if there is no hole that we know of."""
    pinned = pins(LOCK.read_text())
    report = None if report_path is None else read_report(Path(report_path))
    found = [*below_floor(pinned), *(holes(report) if report else ())]
    missed = not_asked(report, pinned)
    say = sys.stdout.write
    if missed:
        say(
            f"NOT LOOKED UP, {len(missed)} of {len(pinned)}: the vulnerability service could not be asked about\n"
        )
        for name in sorted(missed):
            floor = FLOORS.get(name)
            say(f"  {name} {pinned[name]}{f' (at least {floor.version})' if floor else ''}\n")
    else:
        say(f"Looked up: all {len(pinned)} packages of the lock.\n")
    for sentence in found:
        say(f"HOLE: {sentence}\n")
    say(f"{len(FLOORS)} known floors: {'some pins are below' if found else 'no pin is below'}.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
