"""A device that a test stops with SIGSTOP: `python -m tests.system.stopped_device FILE SERVER GROUP`.

Says the seq at which its replica of the group stands, on a line of its own whenever that changes.
"""

import asyncio
import sys

from persplit.client import Client

LOOK_SECONDS = 0.05


async def follow(path: str, url: str, group_id: str) -> None:
    """Stay connected, and say how far it is."""
    said = -1
    async with Client.open(path, url) as client:
        await client.connect(wait_seconds=10)
        while True:
            seq = (await client.balances(group_id)).seq
            if seq != said:
                print(seq, flush=True)  # noqa: T201 - its purpose
                said = seq
            await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    asyncio.run(follow(*sys.argv[1:]))
