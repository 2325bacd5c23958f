"""Who is refused, for how long, and what that costs us."""

import pytest

from persplit.service.errors import RateLimited
from persplit.transport import limits
from persplit.transport.limits import RATES, Budget, Limits


class Clock:
    """Seconds that go on when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait_ms(counted: Limits, budget: Budget, key: str) -> int:
    """Take one; 0, or the milliseconds to wait."""
    try:
        counted.check(budget, key)
    except RateLimited as error:
        return error.retry_after_ms
    return 0


@pytest.mark.parametrize("budget", Budget)
def test_a_budget_gives_its_burst_then_its_rate_to_each_of_its_keys(budget: Budget) -> None:
    clock, rate = Clock(), RATES[budget]
    counted = Limits(is_on=True, monotonic=clock)
    assert [wait_ms(counted, budget, "a") for _ in range(rate.burst)] == [0] * rate.burst
    first = wait_ms(counted, budget, "a")
    step_ms = 60_000 / rate.per_minute
    assert step_ms <= first <= 2 * step_ms + 2, "when one is taken again, and up to as long again"
    assert wait_ms(counted, budget, "b") == 0, "others notice nothing"
    clock.now += first / 1000
    assert wait_ms(counted, budget, "a") == 0
    clock.now += 60
    again = min(rate.burst, rate.per_minute)
    assert sum(wait_ms(counted, budget, "a") == 0 for _ in range(again + 10)) in (again, again + 1)


@pytest.mark.parametrize("budget", Budget)
def test_every_budget_says_what_it_is_and_why(budget: Budget) -> None:
    rate = RATES[budget]
    assert rate.what
    assert rate.why.endswith(".")
    assert rate.burst > 0 < rate.per_minute


def test_waits_of_those_who_were_refused_together_differ() -> None:
    counted = Limits(is_on=True)
    waits = {wait_ms(counted, Budget.JOINS, "a") for _ in range(RATES[Budget.JOINS].burst + 50)}
    assert len(waits) > 10


def test_an_attacker_with_endless_addresses_costs_a_bounded_memory() -> None:
    counted = Limits(is_on=True, counted_max=100)
    waits = []
    for number in range(10_000):
        counted.check(Budget.SIGN_INS, f"2001:db8:{number:x}::/64")
        if number % 50 == 0:
            waits.append(wait_ms(counted, Budget.SIGN_INS, "192.0.2.1"))
    assert len(counted) == 100
    assert waits[:120] == [0] * 120
    assert all(waits[125:]), "who goes on asking isn't forgotten, whoever else asks"


def test_off_means_off() -> None:
    counted = Limits(is_on=False)
    for _ in range(5_000):
        counted.check(Budget.JOINS, "a")
        counted.open_socket("a")
        counted.sign_in_socket("a")
    assert len(counted) == 0
    assert not counted.is_overrun("a")


def test_open_sockets_are_counted_by_address_and_by_person_and_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "OPEN_BY_ADDRESS_MAX", 3)
    monkeypatch.setattr(limits, "OPEN_BY_USER_MAX", 2)
    counted = Limits(is_on=True)
    for _ in range(3):
        counted.open_socket("a")
    for _ in range(3):
        with pytest.raises(RateLimited) as refused:
            counted.open_socket("a")
        assert 5_000 <= refused.value.retry_after_ms <= 10_000
    assert counted.is_overrun("a")
    assert not counted.is_overrun("b")
    counted.open_socket("b")
    for _ in range(6):
        counted.close_socket("a")
    counted.open_socket("a")
    counted.sign_in_socket("u")
    counted.sign_in_socket("u")
    with pytest.raises(RateLimited):
        counted.sign_in_socket("u")
    counted.sign_in_socket("v")
    counted.sign_out_socket("u")
    counted.sign_in_socket("u")
    for user in ("u", "u", "v"):
        counted.sign_out_socket(user)
    for address in ("a", "b"):
        counted.close_socket(address)
    assert not counted._open, "nothing is left of who has gone"
