"""How near its end the server is: what it still takes, and what it tells a balancer."""


class Lifetime:
    """Serving, then leaving (only a balancer is told), then the end. It never goes back."""

    def __init__(self) -> None:
        self._is_leaving = False
        self._is_ending = False
        self._is_replaced = False

    def leave(self) -> None:
        """Tell the balancer to send nobody here any more; serve as ever."""
        self._is_leaving = True

    def end(self, *, is_replaced: bool) -> None:
        """Finish. `is_replaced`: another process serves new connections on the same address."""
        self._is_ending = True
        self._is_replaced = is_replaced

    @property
    def is_leaving(self) -> bool:
        """Whether the address will soon serve nobody. Not so where another process has taken over."""
        return self._is_leaving or (self._is_ending and not self._is_replaced)

    @property
    def refuses_connections(self) -> bool:
        """Whether no further socket is signed in."""
        return self._is_ending

    @property
    def refuses_writes(self) -> bool:
        """Whether writes are refused. One that is replaced takes those that still reach it: none need fail."""
        return self._is_ending and not self._is_replaced

    @property
    def ends_connections(self) -> bool:
        """Whether an HTTP connection ends with the answer, so that its next request goes elsewhere."""
        return self._is_leaving or self._is_ending
