"""What every part works with: the servers that can be had, how long and how often to measure, where to put files."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from scripts.benchmarks import peers
from scripts.benchmarks.rows import NODE, NODE_QR, STOCK, Row
from scripts.benchmarks.servers import Contestant, Node, Ours
from scripts.benchmarks.stats import Figure

Case: TypeAlias = Callable[[], Mapping[str, float]]
"""One repetition with one server: quantities by name."""
Found: TypeAlias = dict[str, dict[str, Figure]]
"""The figures of each quantity by case: `found[quantity][case]`."""
Measure: TypeAlias = Callable[["Bench"], Sequence[Row]]
"""A part of the benchmark."""

STOCK_SERVER: Final = Ours(STOCK, "scripts.benchmarks.stock")


def say(text: str) -> None:
    """Tell whoever watches."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command line


@dataclass(frozen=True, slots=True)
class Bench:
    """`nodes` are the Node peers without and with QRs, if they can be had. `only`: leave out other servers."""

    repetitions: int
    warm_seconds: float
    seconds: float
    is_quick: bool
    nodes: tuple[Node, ...] = ()
    only: frozenset[str] = frozenset()

    def contestants(self, *names: str) -> list[Contestant]:
        """Those of the servers with these names that can be had and are asked for."""
        every: list[Contestant] = [Ours(), *self.nodes, STOCK_SERVER]
        return [each for each in every if each.name in names and self.wants(each.name)]

    def wants(self, name: str) -> bool:
        """Whether the server is asked for."""
        return not self.only or name in self.only

    def once(self, cases: Mapping[str, Case]) -> "Found":
        """Each case once: for what every repetition would say again."""
        return replace(self, repetitions=1).interleaved(cases)

    def interleaved(self, cases: Mapping[str, Case]) -> "Found":
        """Repeat all cases in turn, A B C A B C …, so that what the machine does besides falls on all alike."""
        seen: dict[str, dict[str, list[float]]] = {}
        for number in range(self.repetitions):
            for name, case in cases.items():
                quantities = case()
                shown = ", ".join(f"{quantity} {value:,.5g}" for quantity, value in quantities.items())
                say(f"  {number + 1}/{self.repetitions} {name}: {shown}")
                for quantity, value in quantities.items():
                    seen.setdefault(quantity, {}).setdefault(name, []).append(value)
        return {
            quantity: {name: Figure.of(values) for name, values in by_case.items()}
            for quantity, by_case in seen.items()
        }


@contextmanager
def home() -> Iterator[Path]:
    """A directory for one server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="persplit-bench-") as directory:
        yield Path(directory)


def with_peers(*, is_quick: bool, only: frozenset[str] = frozenset()) -> Bench:
    """The bench for a run, with the peers that can be had; says aloud which can't."""
    nodes: tuple[Node, ...] = ()
    if not only or only & {NODE, NODE_QR}:
        try:
            program, modules = peers.node_peer()
            nodes = (Node(program, modules), Node(program, modules, qr=True))
        except peers.Unavailable as error:
            say(f"SKIPPED: the Node peer can't be had: {error}")
    if is_quick:
        return Bench(2, 0.5, 1.5, is_quick=True, nodes=nodes, only=only)
    return Bench(5, 1.5, 5.0, is_quick=False, nodes=nodes, only=only)
