"""What runs the command lines in this process.

Typer makes all ninety commands anew each time that an app is run, which takes longer than most of them do: here each
app's are made once. They keep nothing from one run to the next.
"""

from functools import cache

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

__all__ = ["CliRunner", "Result"]

testing._get_command = cache(get_command)  # type: ignore[attr-defined]  # the name by which a runner calls it
