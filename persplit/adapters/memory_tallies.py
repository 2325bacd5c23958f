"""Tallies in memory: for tests. They keep the contract, and nothing after the process."""

from collections.abc import Mapping, Sequence

from persplit.service.tallies import Advance, Asked, By, Cell, CellKind, GroupTally, Sums, Tallies, TallyMoved


class MemoryTallies(Tallies):
    """By generation and group. No method awaits, so each is atomic on its event loop."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], GroupTally] = {}
        self._cells: dict[tuple[str, str, Cell], Sums] = {}

    async def seqs(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""
        return {id_: tally.seq for id_, tally in (await self.groups(generation, group_ids)).items()}

    async def advance(self, generation: str, advance: Advance) -> None:
        """See the port."""
        key = generation, advance.tally.group_id
        present = self._groups.get(key)
        if (present.seq if present else 0) != advance.after:
            raise TallyMoved
        self._groups[key] = advance.tally
        for _, changes in advance.steps:
            for cell, change in changes.items():
                self._cells[*key, cell] = self._cells.get((*key, cell), Sums(0)) + change

    async def sums(self, generation: str, asked: Asked) -> Sequence[tuple[str, Sums]]:
        """See the port."""
        found: dict[str, Sums] = {}
        for (of, group_id, cell), sums in self._cells.items():
            if of == generation and _is_meant(asked, group_id, cell):
                key = {By.GROUP: group_id, By.USER: cell.user_id, By.CURRENCY: cell.currency}[asked.by]
                found[key] = found.get(key, Sums(0)) + sums
        some = [(key, sums) for key, sums in found.items() if sums.count]
        some.sort(key=lambda one: (-(one[1].count if asked.is_by_count else one[1].amount), one[0]))
        return some[asked.skipped :][: asked.limit]

    async def groups(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, GroupTally]:
        """See the port."""
        return {id_: self._groups[generation, id_] for id_ in group_ids if (generation, id_) in self._groups}

    async def unsettled(
        self, generation: str, currency: str, since: str, until: str, limit: int
    ) -> Sequence[GroupTally]:
        """See the port."""
        found = [
            tally
            for (of, _), tally in self._groups.items()
            if of == generation and tally.outstanding > 0 and tally.currency == currency
        ]
        found = [tally for tally in found if since <= tally.at[:10] <= until]
        return sorted(found, key=lambda tally: (-tally.outstanding, tally.group_id))[:limit]

    async def outstanding(self, generation: str) -> Mapping[str, Sums]:
        """See the port."""
        found: dict[str, Sums] = {}
        for (of, _), tally in self._groups.items():
            if of == generation and tally.outstanding > 0:
                found[tally.currency] = found.get(tally.currency, Sums(0)) + Sums(1, tally.outstanding)
        return found

    async def count(self, generation: str) -> int:
        """See the port."""
        return sum(1 for of, _ in self._groups if of == generation)

    async def active(self, generation: str, since: str, until: str) -> int:
        """See the port."""
        asked = Asked(CellKind.EVENTS, By.GROUP, since, until, limit=len(self._groups))
        return len(await self.sums(generation, asked))

    async def forget(self, group_id: str) -> None:
        """See the port."""
        self._groups = {key: tally for key, tally in self._groups.items() if key[1] != group_id}
        self._cells = {key: sums for key, sums in self._cells.items() if key[1] != group_id}

    async def drop(self, generation: str) -> None:
        """See the port."""
        self._groups = {key: tally for key, tally in self._groups.items() if key[0] != generation}
        self._cells = {key: sums for key, sums in self._cells.items() if key[0] != generation}


def _is_meant(asked: Asked, group_id: str, cell: Cell) -> bool:
    return (
        cell.kind is asked.kind
        and asked.since <= cell.day <= asked.until
        and asked.currency in (None, cell.currency)
        and (asked.group_ids is None or group_id in asked.group_ids)
    )
