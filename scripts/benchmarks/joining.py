"""Bringing devices in."""

import time
from collections.abc import Sequence
from typing import Final

from scripts.benchmarks.servers import Running
from scripts.benchmarks.sockets import Device, Reader, connected

LOOK_SECONDS: Final = 2.0
"""Between two looks for pings at those that wait while others connect: servers give up after 10 s and more."""


def joined(running: Running, devices: int, besides: Sequence[Device] = ()) -> list[Device]:
    """So many devices, signed in: the first member's of each group, then the second's …, then everybody's second.

    They and those that are there `besides` answer pings meanwhile.
    """
    members = zip(*(group.members for group in running.world.groups), strict=True)
    people = [(person, number) for row in members for number, person in enumerate(row)]
    found, reader = list[Device](), Reader()
    looked = time.monotonic()
    for each in range(devices):
        person, number = people[each % len(people)]
        found.append(connected(running.port, person.token, number))
        if time.monotonic() - looked > LOOK_SECONDS:
            for device in (*besides, *found):
                reader.read(device)
            looked = time.monotonic()
    return found
