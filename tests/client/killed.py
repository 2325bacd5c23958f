"""A client that writes and syncs until it is killed: `python -m tests.client.killed FILE SERVER GROUP`.

Says on a line of its own the id of each expense that it was told is stored.
"""

import asyncio
import sys

from persplit.client import Client
from tests.client.devices import dinner


async def write_for_ever(path: str, url: str, group_id: str) -> None:
    """Write, edit and push at the same time, as fast as it goes."""
    async with Client.open(path, url) as client:
        await client.connect()
        while True:
            written = await client.create_expense(group_id, dinner(100, "before"))
            print(written.id, flush=True)  # noqa: T201 - its purpose
            await client.update_expense(group_id, written.id, dinner(200, "after"))
            await client.settle(group_id, (await client.group(group_id)).members[1].user_id, 1)


if __name__ == "__main__":
    asyncio.run(write_for_ever(*sys.argv[1:]))
