"""How the page gets built: when its sources have changed, as a whole or not at all, and what a failure leaves."""

import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts import build_webapp

ROOT = Path(__file__).parent.parent
needs_node = pytest.mark.skipif(build_webapp.node() is None, reason="Node.js is not on this machine")
COPIES = 'import { cpSync } from "node:fs";\ncpSync("src", process.argv[2], { recursive: true });\n'
FAILS = 'console.error("no such thing as a tsx");\nprocess.exit(1);\n'


@pytest.fixture
def webapp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that is built by copying it, and needs no packages."""
    webapp = tmp_path / "persplit/webapp"
    (webapp / "src/text").mkdir(parents=True)
    (webapp / "src/index.html").write_text("first")
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        (webapp / name).write_text("{}")
    (webapp / "build.mjs").write_text(COPIES)
    monkeypatch.setattr(build_webapp, "WEBAPP", webapp)
    monkeypatch.setattr(build_webapp, "DIST", webapp / "dist")
    monkeypatch.delenv(build_webapp.SKIP, raising=False)
    (webapp / "node_modules").mkdir()
    (webapp / "node_modules/.persplit").write_text(build_webapp.packages_wanted(for_developing=True))
    return webapp


@needs_node
def test_it_is_built_when_its_sources_changed_and_only_then(webapp: Path) -> None:
    assert not build_webapp.is_fresh()
    build_webapp.build()
    assert build_webapp.is_fresh()
    assert (webapp / "dist/index.html").read_text() == "first"

    (webapp / "src/sum.test.ts").write_text("tests are not in the page")
    assert build_webapp.is_fresh()
    (webapp / "src/index.html").write_text("second")
    assert not build_webapp.is_fresh()
    build_webapp.build()
    (webapp / "src/text/hi.ts").touch()
    assert not build_webapp.is_fresh()
    (webapp / "src/text/hi.ts").rename(webapp / "src/text/ta.ts")
    build_webapp.build()
    (webapp / "src/text/ta.ts").unlink()
    assert not build_webapp.is_fresh()
    assert [it.name for it in webapp.glob("dist*")] == ["dist"]


@needs_node
def test_a_page_that_can_not_be_built_leaves_the_one_before(webapp: Path) -> None:
    build_webapp.build()
    (webapp / "build.mjs").write_text(FAILS)
    with pytest.raises(build_webapp.BuildFailed, match="no such thing as a tsx"):
        build_webapp.build()
    assert not build_webapp.is_fresh()
    assert (webapp / "dist/index.html").read_text() == "first"
    assert [it.name for it in webapp.glob("dist*")] == ["dist"]


@needs_node
def test_what_a_killed_build_left_is_in_nobodys_way(webapp: Path) -> None:
    build_webapp.build()
    for left in ("dist.4711", "dist.old"):
        shutil.copytree(webapp / "dist", webapp / left)
    (webapp / "src/index.html").write_text("second")
    build_webapp.build()
    assert (webapp / "dist/index.html").read_text() == "second"
    assert [it.name for it in webapp.glob("dist*")] == ["dist"]


@needs_node
def test_of_two_builds_at_once_one_waits_and_finds_the_work_done(webapp: Path) -> None:
    (webapp / "build.mjs").write_text(
        f'{COPIES}import {{ appendFileSync }} from "node:fs";\nappendFileSync("builds", "built ");\n'
    )
    with ThreadPoolExecutor(2) as pool:
        for built in [pool.submit(build_webapp.build) for _ in range(2)]:
            built.result()
    assert (webapp / "builds").read_text() == "built "
    assert build_webapp.is_fresh()


def test_who_does_not_want_it_is_left_alone(webapp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(build_webapp.SKIP, "1")
    assert build_webapp.is_fresh()


def test_a_release_without_the_sources_has_nothing_to_build(webapp: Path) -> None:
    shutil.rmtree(webapp)
    assert build_webapp.is_fresh()


def test_packages_are_installed_again_for_another_lock_and_for_developing(webapp: Path) -> None:
    assert build_webapp.has_packages(for_developing=True)
    stamp = webapp / "node_modules/.persplit"
    stamp.write_text(build_webapp.packages_wanted(for_developing=False))
    assert build_webapp.has_packages(for_developing=False)
    assert not build_webapp.has_packages(for_developing=True)
    (webapp / "package-lock.json").write_text('{"lockfileVersion": 3}')
    assert not build_webapp.has_packages(for_developing=False)


def test_the_machines_nodejs_is_used_only_if_it_is_new_enough_and_has_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_webapp, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build_webapp.node() is None

    def program(name: str, printed: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\necho {printed}\n")
        (tmp_path / name).chmod(0o755)

    program("node", "v20.1.0")
    assert build_webapp.node() is None
    program("npm", "10.0.0")
    assert build_webapp.node() == str(tmp_path / "node")
    for printed in (f"v{build_webapp.NODE_MAJOR_MIN - 1}.9.9", "nonsense", ""):
        program("node", printed)
        assert build_webapp.node() is None


# --- by the project's build

PYPROJECT = """
[project]
name = "persplit"
version = "1"
[tool.hatch.build]
artifacts = ["/persplit/webapp/dist"]
[tool.hatch.build.hooks.custom]
path = "scripts/hatch_build.py"
[tool.hatch.build.targets.wheel]
packages = ["persplit"]
exclude = ["/persplit/webapp/src"]
"""


@pytest.fixture
def project(webapp: Path) -> Path:
    """A project with that page, under version control that passes over what is built."""
    root = webapp.parent.parent
    (root / "scripts").mkdir()
    for name in ("build_webapp.py", "hatch_build.py"):
        shutil.copy(ROOT / "scripts" / name, root / "scripts")
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / ".gitignore").write_text("dist/\nnode_modules/\n")
    return root


WHEEL = 'print(*builder.build(directory="made", versions=["standard"]))'
HOOK = 'builder.get_build_hooks("made")["custom"].initialize({version!r}, {{}})'


def built(project: Path, step: str) -> subprocess.CompletedProcess[str]:
    """What comes of a step of the build, in a process of its own as a build is."""
    program = (
        f"from hatchling.builders.wheel import WheelBuilder\nbuilder = WheelBuilder({str(project)!r})\n{step}"
    )
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )


@needs_node
def test_a_wheel_has_the_page_and_not_its_sources(project: Path) -> None:
    made = built(project, WHEEL)
    assert made.returncode == 0, made.stderr
    names = zipfile.ZipFile(project / made.stdout.strip()).namelist()
    assert "persplit/webapp/dist/index.html" in names
    assert not [
        name for name in names if name.startswith(("persplit/webapp/src", "persplit/webapp/node_modules"))
    ]


@needs_node
def test_a_release_fails_without_the_page_and_an_editable_installation_warns(project: Path) -> None:
    (project / "persplit/webapp/build.mjs").write_text(FAILS)
    release = built(project, HOOK.format(version="standard"))
    assert release.returncode != 0
    assert "no such thing as a tsx" in release.stderr
    assert build_webapp.SKIP in release.stderr
    editable = built(project, HOOK.format(version="editable"))
    assert editable.returncode == 0
    assert "no such thing as a tsx" in editable.stdout + editable.stderr
