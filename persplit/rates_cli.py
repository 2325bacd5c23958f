"""`persplit rates …`: the rates of exchange that a server knows, for whoever runs it. Exit codes as in `admin_cli`."""

from pathlib import Path
from typing import Annotated

import typer

from persplit.admin_cli import EXIT_FAULTS, DataDir, MongoDb, run_work, settings_of

app = typer.Typer(
    help="Rates of exchange. Acts on the store itself; the server may be running.", no_args_is_help=True
)


@app.callback()
def _rates() -> None:
    """Rates of exchange. Acts on the store itself; the server may be running."""


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A CSV file with the columns date,currency,into,rate.")],
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
) -> None:
    """Take in a table of rates.

    Below the line `date,currency,into,rate`, `2026-11-25,EUR,INR,97.25` says that a euro is ₹97.25 from that day on.

    Expenses in another currency that name no rate of their own use the newest on or before their day. Those that are
    there already keep theirs. The whole table is checked before any of it counts.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it
    from persplit.exchange.book import UnreadableFile  # noqa: PLC0415 - as above

    settings = settings_of(data_dir, mongodb_uri)
    try:
        table = source.read_text("utf-8")
        rates, pairs = run_work(admin.import_rates(settings, table))
    except (OSError, UnicodeDecodeError, UnreadableFile) as error:
        typer.echo(f"Nothing was done: {error}", err=True)
        raise typer.Exit(EXIT_FAULTS) from None
    typer.echo(f"{rates} rates of {pairs} pairs of currencies are known from now on.")
