"""Short runs over each link: everybody converges, nothing is lost, nothing doubled."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.torture import network

SEED = 4
SECONDS = 1.5


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Nobody waits long before coming back."""
    with network.impatient():
        yield


async def test_between_clients_and_a_server_with_sqlite(tmp_path: Path) -> None:
    async with network.world(tmp_path, "sqlite", 0, 0, SEED) as world:
        figures = await network.run(world, "clients", SECONDS, SEED)
    assert figures["events"] > 4


@pytest.mark.parametrize("link", ["clients", "mongodb"])  # test_redis_faults does the same to Redis
async def test_on_each_link_of_two_nodes_with_mongodb_and_redis(
    tmp_path: Path, mongodb_uri: str, redis_url: str, link: str
) -> None:
    mongodb, redis = (urlsplit(uri).port for uri in (mongodb_uri, redis_url))
    assert mongodb is not None
    assert redis is not None
    async with network.world(tmp_path, "mongodb", mongodb, redis, SEED) as world:
        figures = await network.run(world, link, SECONDS, SEED)
    assert figures["events"] > 4
