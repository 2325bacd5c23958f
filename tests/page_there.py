"""What the tests of the web page stand on, and when they may do without."""

import os

import pytest

from scripts import build_webapp


def need(otherwise: str, *, is_there: bool) -> None:
    """Go on if it is there; skip where the page isn't wanted or the machine has no Node.js. Elsewhere it is a fault."""
    if is_there:
        return
    if os.environ.get(build_webapp.SKIP) or build_webapp.node() is None:
        pytest.skip(otherwise)
    pytest.fail(otherwise)


def need_page() -> None:
    """Go on if the page is built, of the sources as they are."""
    is_built = build_webapp.is_fresh() and (build_webapp.DIST / build_webapp.STAMP).is_file()
    need("the web page isn't built of the sources as they are: run scripts/webapp", is_there=is_built)
