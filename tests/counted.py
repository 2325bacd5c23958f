"""How far a metric moves, for tests that look from inside."""

from collections.abc import Iterator
from contextlib import contextmanager

from persplit.service.metrics import REGISTRY


@contextmanager
def moves(name: str, **labels: str) -> Iterator[None]:
    """The metric grows while the block runs."""
    before = REGISTRY.get_sample_value(name, labels) or 0
    yield
    assert (REGISTRY.get_sample_value(name, labels) or 0) > before, name
