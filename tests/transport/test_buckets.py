"""Token buckets."""

from persplit.transport.buckets import TokenBucket


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = TokenBucket(per_second=8, burst=3)
    assert [bucket.take(100) for _ in range(5)] == [0, 0, 0, 125, 125]
    assert [bucket.take(100.0625), bucket.take(100.1875), bucket.take(100.1875)] == [63, 0, 63]
    assert [bucket.take(1000) for _ in range(4)] == [0, 0, 0, 125]
