"""What writing gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A command that counts on this device and waits for the server. `id` is what it makes or changes."""

    command_id: str
    group_id: str
    id: str
