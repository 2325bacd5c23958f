"""The build's hook: the web page is built into the wheel, the source distribution or, editable, beside its sources.

Node.js is asked for only where the page is out of date and the machine has none that is new enough.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _beside(name: str) -> ModuleType:
    """A module of this folder, which isn't on the path of a build."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


building = _beside("build_webapp")


class WebPage(BuildHookInterface[BuilderConfig]):
    """Builds the page where it is out of date."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs to be installed, besides hatchling."""
        return [] if building.is_fresh() or building.node() is not None else [building.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Build it. A release without it fails; for an editable installation a warning is enough."""
        if building.is_fresh():
            return
        try:
            building.build()
        except building.BuildFailed as error:
            message = f"The web page could not be built: {error}\n{building.SKIP}=1 goes on without it."
            if version == "editable":
                self.app.display_warning(message)
            else:
                sys.exit(message)
