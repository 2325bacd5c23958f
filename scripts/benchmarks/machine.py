"""What the figures were measured on."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.servers import CLIENT_CORE, SERVER_CORE, cores_are_apart

_PACKAGES: Final = ("aiohttp", "python-socketio", "python-engineio", "uvloop", "orjson", "redis", "motor")


def described(bench: Bench) -> Mapping[str, str]:
    """Processor, cores, system, versions, and how busy the machine was with other things."""
    found = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "placed": f"server on core {SERVER_CORE}, load on core {CLIENT_CORE}"
        if cores_are_apart()
        else "server and load share the cores",
        "repetitions": f"{bench.repetitions} of {bench.seconds:g} s after {bench.warm_seconds:g} s",
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
    }
    for node in bench.nodes[:1]:
        said = subprocess.run([node.program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - node
        found["Node"] = f"{said.stdout.strip()}, socket.io {_socketio(node.modules)}"
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _socketio(modules: Path) -> str:
    return str(json.loads((modules / "node_modules/socket.io/package.json").read_text())["version"])
