"""A client's copy of its groups, kept as the documentation tells clients to: hear, find holes, pull."""

from dataclasses import dataclass, field

from tests.torture.history import Balances, Json, balances_of, digest, thing_in


@dataclass(slots=True)
class Replica:
    """One group up to `seq`. What isn't next is left: whoever sees a hole pulls."""

    seq: int = 0
    epoch: str | None = None
    balances: Balances = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)

    def hear(self, broadcast: Json) -> bool:
        """Take the broadcast in if it is the next. Whether something is missing before it."""
        if broadcast["seq"] == self.seq + 1:
            self._take(broadcast)
            self.balances = balances_of(broadcast["updatedBalances"])
        return bool(broadcast["seq"] > self.seq)

    def pull(self, answer: Json) -> None:
        """Take in the answer to a `sync:pull` that asked for what comes after `seq`."""
        if answer["reset"]:
            self.seq, self.things = 0, {}
        self.epoch = answer["epoch"]
        if "snapshot" in answer:
            whole = answer["snapshot"]
            self.things = {it["id"]: digest(it) for it in (*whole["expenses"], *whole["settlements"])}
            self.balances = balances_of(whole["balances"])
            self.seq = answer["seq"]
        for event in answer.get("events", ()):
            self._take(event)

    def _take(self, event: Json) -> None:
        self.seq = event["seq"]
        thing = thing_in(event)
        if thing is not None:
            self.things[thing["id"]] = digest(thing)
