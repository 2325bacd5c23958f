"""The shape of the source: which way imports point, and what no file may say."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "persplit").rglob("*.py"))

REGISTRY_HOSTS = [
    ".".join(labels)
    for labels in [
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("pub", "dev"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
    ]
]
"""Which registry packages come from is for whoever installs to say. Put together, so as not to stand here."""

UNWELCOME = re.compile(
    r"(?<![\w.])/(?:root|work|home/\w+|Users/\w+|mnt|opt)/"
    "|" + "|".join(rf"(?<![\w-]){re.escape(host)}\b" for host in REGISTRY_HOSTS)
)
"""Somebody's own directories, and registries."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """The finished command, run at the root."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def committed() -> list[Path]:
    """The files in git, and those that the next commit would take; skips where this isn't a checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this isn't a git checkout, so which files are committed isn't known")
    listed = run(git, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    assert listed.returncode == 0, listed.stderr
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_imports_point_one_way() -> None:
    linted = run(sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()")
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_bytes()))


def test_no_file_names_a_directory_of_one_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in committed()
        for match in UNWELCOME.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "unwelcome"),
    [
        ("see /" + "root/x", True),
        ('"/' + 'home/asha/persplit"', True),
        ("https://" + "pypi" + ".org/simple", True),
        ("files." + "pythonhosted" + ".org", True),
        ("https://example.org/work/x", False),
        ("../work/x", False),
        ("~/persplit", False),
        ("club.development", False),
    ],
)
def test_what_is_unwelcome(text: str, *, unwelcome: bool) -> None:
    assert (UNWELCOME.search(text) is not None) == unwelcome
