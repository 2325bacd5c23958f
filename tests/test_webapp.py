"""What the repository has of the web page: types that are the server's, a lock, and a first load that is small."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scripts import build_webapp, lock_file, wire_types
from tests.page_there import need_page

WEBAPP = Path(__file__).parent.parent / "persplit/webapp"
FIRST_LOAD_BYTES_MAX = 150_000


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_the_types_of_the_wire_are_those_of_the_servers_documents(name: str) -> None:
    text = (wire_types.WIRE / f"{name}.ts").read_text(encoding="utf-8")
    header, types = text[: text.index("\n\n") + 1], text[text.index("\n\n") + 1 :]
    made_from, of_text = re.findall(r"[0-9a-f]{64}", header)
    assert made_from == wire_types.made_from(wire_types.documents()[name]), "run scripts/webapp types"
    assert of_text == hashlib.sha256(types.encode()).hexdigest(), "it was edited: run scripts/webapp types"


def test_the_lock_of_the_page_names_no_registry_and_a_hash_for_each_package() -> None:
    text = (WEBAPP / "package-lock.json").read_text(encoding="utf-8")
    assert "://registry" not in text
    assert "resolved" not in text
    packages = {name: it for name, it in json.loads(text)["packages"].items() if name}
    assert all(it["integrity"].startswith("sha512-") for it in packages.values())


def test_the_page_asks_for_exact_versions() -> None:
    package = json.loads((WEBAPP / "package.json").read_text(encoding="utf-8"))
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)


def test_the_nodejs_that_a_build_may_ask_for_is_pinned() -> None:
    assert build_webapp.NODE_PACKAGE in lock_file.BUILD_TOOLS
    environment = (WEBAPP.parent.parent / "scripts/environment").read_text(encoding="utf-8")
    assert f'node_package="{build_webapp.NODE_PACKAGE}"' in environment


class Loaded(HTMLParser):
    """What a browser loads for a page, before any script of it has run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.paths: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "script" and attributes.get("src"):
            self.paths.append(attributes["src"] or "")
        if tag == "link" and attributes.get("rel") in ("stylesheet", "modulepreload"):
            self.paths.append(attributes["href"] or "")


@pytest.fixture
def built() -> Path:
    """The page as it was built, of the sources as they are."""
    need_page()
    return build_webapp.DIST


def test_what_is_loaded_at_first_is_small(built: Path) -> None:
    paths = Loaded((built / "index.html").read_text(encoding="utf-8")).paths
    assert len(paths) >= 2
    sizes = {}
    for path in paths:
        plain = built / path.removeprefix("/")
        packed = plain.with_name(plain.name + ".gz")
        sizes[path] = (packed if packed.exists() else plain).stat().st_size
    assert sum(sizes.values()) < FIRST_LOAD_BYTES_MAX, sizes


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(built: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=\"(?!/)", text)
    assert not re.search(r"<script(?![^>]* src=)[^>]*>|<style|\son\w+=", text)


def test_the_licences_of_what_is_in_the_page_are_beside_it(built: Path) -> None:
    text = (built / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    for name in ("preact", "@preact/signals", "socket.io-client", "idb"):
        assert re.search(rf"^=== {re.escape(name)} [\d.]+: (MIT|ISC)$", text, re.MULTILINE), name
