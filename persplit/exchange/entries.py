"""What parsers of different products do alike: make an entry of who paid and who took part."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

import orjson

from persplit.exchange.book import Person, Total, Unread
from persplit.exchange.cells import BadCell
from persplit.ledger.errors import Invalid
from persplit.ledger.expense import Posting, SplitType, SplitValue
from persplit.ledger.split import shares_of


class Keys:
    """Makes the keys of entries that have no id of their own: from what they say, and which of equals they are."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, *content: object) -> str:
        """The same for the same content each time that a file is read; another for its next equal."""
        key = hashlib.sha256(orjson.dumps([str(part) for part in content])).hexdigest()[:32]
        self._seen[key] += 1
        return key if self._seen[key] == 1 else f"{key}.{self._seen[key]}"


def content_of(*parts: object) -> str:
    """What an entry says, as a short text: two that say the same have the same."""
    return hashlib.sha256(orjson.dumps([str(part) for part in parts])).hexdigest()[:32]


def postings(amounts: Mapping[str, int]) -> tuple[Posting, ...]:
    """Those who have any part in it."""
    return tuple(Posting(person, amount) for person, amount in amounts.items() if amount)


def turned(
    paid: Mapping[str, int], shares: Mapping[str, int], *, is_refund: bool
) -> tuple[tuple[Posting, ...], tuple[Posting, ...]]:
    """The payers and shares of an entry: the other way round where money came back.

    A refund of 90 that one received for three is an expense of 90 that each of the three paid 30 of, for that one.
    """
    return (postings(shares), postings(paid)) if is_refund else (postings(paid), postings(shares))


def is_payment(paid: Mapping[str, int], shares: Mapping[str, int]) -> bool:
    """Whether one person gave all of it to one other."""
    payers, receivers = ([p for p, amount in some.items() if amount] for some in (paid, shares))
    return len(payers) == len(receivers) == 1 and payers != receivers


def of_net(net: Mapping[str, int], cost: int) -> tuple[dict[str, int], dict[str, int], bool]:
    """Who paid and what fell to whom, where only the cost and each one's net are known, and whether that is sure.

    With one person owed, they paid: sure. With several, each paid in proportion to what they are owed; only the
    net is sure then.

    Args:
        net: person → minor units, positive is owed to them; sums to zero, not all zero.
        cost: minor units, positive.

    Raises:
        BadCell: more is owed than was paid.

    """
    owed = {person: amount for person, amount in net.items() if amount > 0}
    own = cost - sum(owed.values())
    if own < 0:
        raise BadCell("more is owed for it than it cost")
    kept = dict(owed) if own else {}
    parts = _in_proportion(own, owed) if kept else {}
    paid = {person: amount + parts.get(person, 0) for person, amount in owed.items()}
    shares = {person: parts.get(person, 0) if amount > 0 else -amount for person, amount in net.items()}
    return paid, shares, len(owed) == 1


def _in_proportion(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    total = sum(weights.values())
    parts = {person: amount * weight // total for person, weight in weights.items()}
    ranked = sorted(weights, key=lambda person: (-(amount * weights[person] % total), person))
    for person in ranked[: amount - sum(parts.values())]:
        parts[person] += 1
    return parts


def plainest_split(shares: Iterable[Posting]) -> tuple[SplitType, tuple[SplitValue, ...]]:
    """EQUAL where all have the same, EXACT otherwise."""
    listed = tuple(shares)
    if len({posting.amount for posting in listed}) == 1:
        return SplitType.EQUAL, ()
    return SplitType.EXACT, tuple(SplitValue(posting.user_id, posting.amount) for posting in listed)


def weighted_split(
    shares: Iterable[Posting], split_type: SplitType, splits: tuple[SplitValue, ...]
) -> tuple[SplitType, tuple[SplitValue, ...]]:
    """The division as it was asked for, where ours comes to the same shares; else the plainest one that does."""
    listed = tuple(shares)
    amount = sum(posting.amount for posting in listed)
    total = sum(split.value for split in splits)
    if {split.user_id for split in splits} == {posting.user_id for posting in listed} and total:
        exact = {split.user_id: Fraction(amount * split.value, total) for split in splits}
        try:
            shares_of("", amount, split_type, (), splits, ())
        except Invalid:
            return plainest_split(listed)
        if all(exact[posting.user_id] == posting.amount for posting in listed):
            return split_type, splits
    return plainest_split(listed)


class People:
    """Collects who is named in a file."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, key: str, name: str | None = None) -> str:
        """The key of somebody, noted with their name."""
        self._names.setdefault(key, name or key)
        return key

    def list(self) -> tuple[Person, ...]:
        """Everybody, in the order in which they were first named."""
        return tuple(Person(key, name) for key, name in self._names.items())


def exact_total(
    currency: str | None, entries: Iterable[tuple[Mapping[str, int], Mapping[str, Fraction], int]]
) -> Total:
    """What everybody is owed exactly: of each entry who paid what, the weights of who took part, and the sign."""
    amounts: dict[str, Fraction] = {}
    for paid, weights, sign in entries:
        for person, amount in paid.items():
            amounts[person] = amounts.get(person, Fraction(0)) + sign * amount
        total, cost = sum(weights.values()), sum(paid.values())
        for person, weight in weights.items():
            amounts[person] = amounts.get(person, Fraction(0)) - sign * Fraction(cost) * weight / total
    return Total(0, currency, amounts)


def unread(row: int, error: Exception) -> Unread:
    """A row that is refused for what is wrong with it."""
    return Unread(row, str(error))
