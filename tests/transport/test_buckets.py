"""Token buckets."""

from hypothesis import given
from hypothesis import strategies as st

from persplit.transport.buckets import TokenBucket


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = TokenBucket(per_second=8, burst=3)
    assert [bucket.take(100) for _ in range(5)] == [0, 0, 0, 125, 125]
    assert [bucket.take(100.0625), bucket.take(100.1875), bucket.take(100.1875)] == [63, 0, 63]
    assert [bucket.take(1000) for _ in range(4)] == [0, 0, 0, 125]


@given(
    per_minute=st.integers(1, 20_000),
    burst=st.integers(1, 100),
    start=st.floats(0, 1e7),
    pauses=st.lists(st.floats(0, 10), max_size=5),
)
def test_who_waits_as_long_as_told_is_let_through(
    per_minute: int, burst: int, start: float, pauses: list[float]
) -> None:
    bucket = TokenBucket(per_minute / 60, burst)
    now = start
    for pause in [0.0] * burst + pauses:
        now += pause
        wait_ms = bucket.take(now)
        if wait_ms:
            now += wait_ms / 1000
            assert bucket.take(now) == 0
