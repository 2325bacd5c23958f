"""What is asked of the command handler, and what comes of it."""

import hashlib
from dataclasses import dataclass

from persplit.ledger.commands import Command
from persplit.ledger.events import RecordedEvent
from persplit.ledger.state import GroupState


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command with who sent it and under which key.

    `content` is the canonical text of what was asked, to tell a retry from another use of the key. `is_new_id`:
    the id of what is created was just made by us, so nothing can stand under it.
    """

    actor_id: str
    group_id: str
    command_id: str
    content: str
    command: Command
    is_new_id: bool = False

    def content_hash(self) -> str:
        """128 bits over who asked for what: not a secret, only a comparison."""
        return hashlib.sha256(f"{self.actor_id}\0{self.content}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command: its event, and the group after it.

    For one that is `replayed` it is the group now; for who isn't in it any more, as their command left it.
    """

    recorded: RecordedEvent
    state: GroupState
    replayed: bool
