"""Hints for a node that is alone."""

from collections.abc import Callable

from persplit.service.ports import Hint, Hints


class NoHints(Hints):
    """Nobody to tell, nobody to hear."""

    async def publish(self, hint: Hint) -> None:
        """See the port."""

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        """See the port."""
