"""The scripts and the lock: what can be said of them without installing anything."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
COMMANDS = [
    "scripts/serve",
    "scripts/test",
    "scripts/coverage",
    "scripts/screenshots",
    "scripts/webapp",
    "scripts/lock",
    "scripts/audit",
    "scripts/fixtures",
    "scripts/torture",
    "scripts/bench",
    "scripts/receipts",
    "scripts/deploy-check",
    ".ci/run",
]
BASH = shutil.which("bash") or ""
needs_bash = pytest.mark.skipif(not BASH, reason="there is no bash here")
LOCKED = [
    Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines() if line[0] != "#"
]


def test_every_shell_script_is_known_here() -> None:
    found = {path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix}
    assert found == {ROOT / name for name in COMMANDS if name.startswith("scripts/")} | {
        ROOT / "scripts/environment"
    }


@needs_bash
@pytest.mark.parametrize("name", [*COMMANDS, "scripts/environment"])
def test_a_script_is_bash(name: str) -> None:
    read = run(BASH, "-n", ROOT / name, python="")
    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_can_be_run_and_stops_at_the_first_fault(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    text = (ROOT / name).read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text


def run(*command: str | Path, python: str) -> subprocess.CompletedProcess[str]:
    """The finished command, with no input and PYTHON set."""
    return subprocess.run(  # noqa: S603 - our own
        command,
        env={**os.environ, "PYTHON": python},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the scripts look at, with no environment."""
    project = tmp_path / "a project with spaces"
    shutil.copytree(ROOT / "scripts", project / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, project)
    return project


@needs_bash
@pytest.mark.parametrize("python", ["/nowhere/python3", "false"])
def test_without_a_python_the_message_says_what_is_needed(project: Path, python: str) -> None:
    served = run(BASH, project / "scripts/serve", python=python)
    assert served.returncode == 1
    assert served.stdout == ""
    assert "PerSplit needs Python 3.11 or newer" in served.stderr
    assert python in served.stderr
    assert not (project / ".venv").exists()


def pretend_installed(project: Path) -> None:
    """An environment without packages, whose stamp says that it is up to date."""
    assert run(sys.executable, "-m", "venv", "--without-pip", project / ".venv", python="").returncode == 0
    command = project / ".venv/bin/persplit"
    command.write_text('#!/bin/sh\necho "$@"\n')
    command.chmod(0o755)
    stamp = f'. "{project}/scripts/environment" && echo "$(fingerprint) scale" >"$stamp"'
    assert run(BASH, "-euc", stamp, python="").returncode == 0


@needs_bash
def test_an_up_to_date_environment_is_used_as_it_is(project: Path) -> None:
    pretend_installed(project)
    # Neither a Python to make an environment with nor a pip: installing would fail.
    served = run(BASH, project / "scripts/serve", "--name", "with space", python="false")
    assert (served.returncode, served.stdout, served.stderr) == (0, "serve --name with space\n", "")


@needs_bash
def test_what_is_compiled_is_kept_for_the_next_start(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_installed(project)
    (project / ".venv/bin/persplit").write_text('#!/bin/sh\necho "${PYTHONDONTWRITEBYTECODE-kept}"\n')
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert run(BASH, project / "scripts/serve", python="false").stdout == "kept\n"


@needs_bash
@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_an_environment_for_other_packages_is_not_used(project: Path, name: str) -> None:
    pretend_installed(project)
    (project / name).open("a").write("# changed\n")
    served = run(BASH, project / "scripts/serve", python="false")
    assert (served.returncode, served.stdout) == (1, "")


@needs_bash
def test_an_environment_that_was_moved_is_not_used(project: Path) -> None:
    pretend_installed(project)
    moved = project.rename(project.with_name("elsewhere"))
    served = run(BASH, moved / "scripts/serve", python="false")
    assert (served.returncode, served.stdout) == (1, "")


def with_web_page(project: Path) -> Path:
    """Sources of a page, of which none can be built."""
    webapp = project / "persplit/webapp"
    (webapp / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "tsconfig.json", "build.mjs"):
        (webapp / name).write_text("{}")
    return webapp


@needs_bash
def test_a_page_that_can_not_be_built_keeps_no_server_from_starting(project: Path) -> None:
    pretend_installed(project)
    with_web_page(project)
    served = run(BASH, project / "scripts/serve", python="false")
    assert (served.returncode, served.stdout) == (0, "serve\n")
    assert "The web page could not be built" in served.stderr
    assert "PERSPLIT_SKIP_WEB=1" in served.stderr


@needs_bash
def test_a_page_of_the_sources_as_they_are_is_left_as_it_is(project: Path) -> None:
    pretend_installed(project)
    webapp = with_web_page(project)
    (webapp / "dist").mkdir()
    stamped = (
        f"import sys; sys.path.insert(0, {str(project / 'scripts')!r}); import build_webapp as it; "
        "(it.DIST / it.STAMP).write_text(it.sources_hash())"
    )
    assert run(sys.executable, "-c", stamped, python="").returncode == 0
    served = run(BASH, project / "scripts/serve", python="false")
    assert (served.returncode, served.stdout, served.stderr) == (0, "serve\n", "")


def test_the_lock_names_exact_versions_and_nothing_else() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-|@", text, re.MULTILINE)
    assert all(re.fullmatch(r"==[\w.]+", str(locked.specifier)) for locked in LOCKED)
    names = [locked.name for locked in LOCKED]
    assert names == sorted({canonicalize_name(name) for name in names})


def test_the_lock_covers_what_the_project_asks_for() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    asked = [*project["dependencies"], *pyproject["build-system"]["requires"]]
    asked += [text for extra in project["optional-dependencies"].values() for text in extra]
    versions = {locked.name: str(locked.specifier).removeprefix("==") for locked in LOCKED}
    for requirement in map(Requirement, asked):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in requirements.lock: run scripts/lock"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement}, but {version} is locked"
        )


def test_the_licence_is_the_one_declared() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (ROOT / "LICENSE").read_text().startswith(f"{pyproject['project']['license']} License\n")
