"""`persplit client`: all its commands."""

from pathlib import Path
from typing import Annotated

import typer

from persplit.client_cli import (
    account_commands,
    arrangement_commands,
    attachment_commands,
    comment_commands,
    expense_commands,
    file_commands,
    group_commands,
    guest_commands,
    interactive,
    loan_commands,
    looking_commands,
    notify_commands,
    outbox_commands,
    own_data_commands,
    payment_commands,
    scan_command,
    watch_command,
)
from persplit.client_cli.errors import EXIT_CODES
from persplit.client_cli.profiles import DATA_VARIABLE, Profiles
from persplit.client_cli.running import default_data
from persplit.client_cli.session import Place

_CODES = "\n\n".join(f"{code}: {meaning}" for code, meaning in EXIT_CODES.items())
_HELP = f"""Share expenses from a terminal, with or without a network.

Everything is kept on this device as well: reading, expenses and payments work offline, are marked "{"waiting"}",
and go to the server with the next command that finds it. People and groups are named by name, by how it begins, by
id or part of it; `me` is you. Amounts are typed as people write them: 500, 1,234.50, ₹500, 12k, 1.5 lakh.

With --json standard output has one JSON object; amounts are integers in minor units, and errors go to standard
error as {{"error": {{"code", "message", "details"}}}}.

Exit codes:

{_CODES}
"""

app = typer.Typer(help=_HELP, no_args_is_help=True)


@app.callback()
def client(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(envvar=DATA_VARIABLE, help="Where to keep what this device knows.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            envvar="PERSPLIT_ACCOUNT", help="Another account than the last one: its e-mail address."
        ),
    ] = None,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", envvar="PERSPLIT_OFFLINE", help="Leave the network alone.")
    ] = False,
) -> None:
    """Keep what the options say for the command."""
    context.obj = Place(Profiles(data or default_data()), account, offline=offline)


account_commands.register(app)
guest_commands.register(app)
app.add_typer(group_commands.app, name="group")
app.add_typer(expense_commands.app, name="expense")
app.add_typer(attachment_commands.app, name="attachment")
app.add_typer(comment_commands.app, name="comment")
app.add_typer(notify_commands.app, name="notify")
app.add_typer(loan_commands.app, name="loan")
app.add_typer(arrangement_commands.presets, name="preset")
app.add_typer(arrangement_commands.recurring, name="recurring")
looking_commands.register(app)
payment_commands.register(app)
outbox_commands.register(app)
file_commands.register(app)
app.command()(scan_command.scan)
own_data_commands.register(app)
app.command()(watch_command.watch)
app.command()(interactive.interactive)
