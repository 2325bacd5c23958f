"""Guessing passwords gets slower with every failure."""

import pytest

from persplit.service.errors import RateLimited
from persplit.service.throttle import (
    DELAY_SECONDS_MAX,
    FORGOTTEN_AFTER_SECONDS,
    FREE_FAILURES,
    SignInThrottle,
)

ASHA = "asha@example.org"


class Ticks:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def throttle(ticks: Ticks) -> SignInThrottle:
    return SignInThrottle(monotonic=ticks, size_max=3)


def fail(throttle: SignInThrottle, times: int, account: str = ASHA) -> None:
    for _ in range(times):
        throttle.begin(account)


def wait_of(throttle: SignInThrottle, account: str = ASHA) -> int:
    """How long the account waits, in milliseconds."""
    with pytest.raises(RateLimited) as refused:
        throttle.begin(account)
    return refused.value.retry_after_ms


def test_the_first_failures_are_free_and_the_next_attempt_waits(throttle: SignInThrottle) -> None:
    fail(throttle, FREE_FAILURES)
    assert wait_of(throttle) == 1_000


def test_every_further_failure_doubles_the_wait_up_to_five_minutes(
    throttle: SignInThrottle, ticks: Ticks
) -> None:
    fail(throttle, FREE_FAILURES)
    waits: list[int] = []
    for _ in range(11):
        waits.append(wait_of(throttle))
        ticks.seconds += waits[-1] / 1_000
        throttle.begin(ASHA)
    assert [wait // 1_000 for wait in waits] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert waits[-1] == DELAY_SECONDS_MAX * 1_000


def test_an_attempt_while_waiting_does_not_make_the_wait_longer(
    throttle: SignInThrottle, ticks: Ticks
) -> None:
    fail(throttle, FREE_FAILURES)
    ticks.seconds += 0.5
    assert wait_of(throttle) == wait_of(throttle) == 500


def test_the_wait_is_never_given_as_nothing(throttle: SignInThrottle, ticks: Ticks) -> None:
    fail(throttle, FREE_FAILURES)
    ticks.seconds += 0.999_999
    assert wait_of(throttle) == 1


def test_a_success_clears_the_account(throttle: SignInThrottle) -> None:
    fail(throttle, FREE_FAILURES - 1)
    throttle.begin(ASHA).succeeded()
    fail(throttle, FREE_FAILURES)
    wait_of(throttle)


def test_attempts_made_at_once_all_count_before_any_is_decided(throttle: SignInThrottle) -> None:
    at_once = [throttle.begin(ASHA) for _ in range(FREE_FAILURES)]
    wait_of(throttle)
    assert len(at_once) == FREE_FAILURES


def test_an_attempt_whose_password_was_never_looked_at_does_not_count(throttle: SignInThrottle) -> None:
    for _ in range(3 * FREE_FAILURES):
        throttle.begin(ASHA).undecided()
    fail(throttle, FREE_FAILURES)
    wait_of(throttle)


def test_an_undecided_attempt_after_a_success_changes_nothing(throttle: SignInThrottle) -> None:
    undecided = throttle.begin(ASHA)
    throttle.begin(ASHA).succeeded()
    undecided.undecided()
    fail(throttle, FREE_FAILURES)
    wait_of(throttle)


def test_an_account_is_one_whatever_the_case_of_its_address(throttle: SignInThrottle) -> None:
    fail(throttle, FREE_FAILURES, "ASHA@Example.org")
    wait_of(throttle, "asha@example.ORG")


def test_accounts_do_not_wait_for_each_other(throttle: SignInThrottle) -> None:
    fail(throttle, FREE_FAILURES)
    throttle.begin("ravi@example.org")


def test_failures_are_forgotten_with_time(throttle: SignInThrottle, ticks: Ticks) -> None:
    fail(throttle, FREE_FAILURES)
    ticks.seconds += FORGOTTEN_AFTER_SECONDS
    fail(throttle, FREE_FAILURES)
    assert wait_of(throttle) == 1_000


def test_memory_is_bounded_and_an_account_under_attack_stays(throttle: SignInThrottle) -> None:
    fail(throttle, FREE_FAILURES)
    for stranger in range(10):
        throttle.begin(f"{stranger}@example.org")
        wait_of(throttle)
    assert len(throttle) == 3


def test_no_address_is_kept(throttle: SignInThrottle) -> None:
    throttle.begin("asha\ud800@example.org")
    throttle.begin(ASHA)
    assert "asha" not in repr(throttle._records)
