"""Who is there when a benchmark begins: people with UPI ids, signed in, in groups of one size."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uuid_utils

from persplit.adapters.passwords import Argon2Passwords
from persplit.adapters.tokens import JwtAccessTokens, derive_key
from persplit.bootstrap import Node, open_node, utc_now
from persplit.config import Settings
from persplit.ledger.commands import AddMember, Command, CreateGroup
from persplit.service.command_request import CommandRequest

TOKEN_SECONDS: Final = 86_400
"""Tokens outlive any run: renewing them is no part of what is measured."""
_AT_ONCE: Final = 64
PASSWORD: Final = "seven sleeping tigers"  # noqa: S105 - everybody's, and nobody's in life


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and the access token of a device of theirs."""

    id: str
    name: str
    vpa: str
    token: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group and its members, who all have UPI ids."""

    id: str
    name: str
    members: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class World:
    """All groups of a benchmark. Nobody is in two of them."""

    groups: tuple[Group, ...]

    def people(self) -> Sequence[Person]:
        """Everybody."""
        return [person for group in self.groups for person in group.members]


@dataclass(frozen=True, slots=True)
class Size:
    """How many groups there are, and how many members each has."""

    groups: int
    members: int


def seeded_now(settings: Settings, size: Size) -> World:
    """`seeded`, for who has no event loop."""
    return asyncio.run(seeded(settings, size))


async def seeded(settings: Settings, size: Size) -> World:
    """Write the world into the store of our server, which must not be running."""
    cheap = Argon2Passwords(memory_kib=64, time_cost=1)
    gate = asyncio.Semaphore(_AT_ONCE)
    async with open_node(settings, passwords=cheap, access_lifetime_seconds=TOKEN_SECONDS) as node:

        async def group(number: int) -> Group:
            async with gate:
                people = [await _person(node, number * size.members + each) for each in range(size.members)]
                return await _group(node, number, people)

        return World(tuple(await asyncio.gather(*map(group, range(size.groups)))))


async def _person(node: Node, number: int) -> Person:
    name, vpa = f"Person {number}", f"person{number}@okbank"
    signed_in = await node.services.accounts.register(
        name=name, email=f"person{number}@example.org", password=PASSWORD, vpa=vpa
    )
    return Person(signed_in.user.id, name, vpa, signed_in.access_token)


async def _group(node: Node, number: int, people: Sequence[Person]) -> Group:
    founder, *others = people
    group_id, name = str(uuid_utils.uuid7()), f"Trip {number}"

    async def carry_out(command: Command) -> None:
        await node.services.handler.handle(
            CommandRequest(founder.id, group_id, str(uuid_utils.uuid7()), "", command)
        )

    await carry_out(CreateGroup(founder.name, name))
    for person in others:
        await carry_out(AddMember(person.id, person.name))
    return Group(group_id, name, tuple(people))


def in_memory(size: Size, secret: str) -> World:
    """The same for a server that keeps nothing: it is told of the world by `written`."""
    tokens = JwtAccessTokens(derive_key(secret, "access"), clock=utc_now, lifetime_seconds=TOKEN_SECONDS)

    def person(number: int) -> Person:
        id_ = str(uuid_utils.uuid7())
        return Person(
            id_, f"Person {number}", f"person{number}@okbank", tokens.issue(id_, str(uuid.uuid4()))[0]
        )

    return World(
        tuple(
            Group(
                str(uuid_utils.uuid7()),
                f"Trip {number}",
                tuple(person(number * size.members + each) for each in range(size.members)),
            )
            for number in range(size.groups)
        )
    )


def written(world: World, secret: str, path: Path) -> None:
    """Write the world down for the Node peer, with the key (hexadecimal) that its tokens are signed with."""
    groups = [
        {
            "id": group.id,
            "name": group.name,
            "members": [{"id": each.id, "name": each.name, "vpa": each.vpa} for each in group.members],
        }
        for group in world.groups
    ]
    path.write_text(json.dumps({"key": derive_key(secret, "access").hex(), "groups": groups}))
