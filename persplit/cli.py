"""The command line: `persplit serve`, and `persplit client` for people who share expenses."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from persplit.client_cli.app import app as client_app
from persplit.config import ConfigError, load_settings
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import StoreRefused

app = typer.Typer(
    help="PerSplit: shared expenses, live balances, UPI settlement.",
    no_args_is_help=True,
    add_completion=True,
)


@app.callback()
def _main() -> None:
    """PerSplit: shared expenses, live balances, UPI settlement."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [PERSPLIT_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port. [PERSPLIT_PORT, 8000]")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="The embedded server's data. [PERSPLIT_DATA_DIR, ./persplit-data]")
    ] = None,
    mongodb_uri: Annotated[
        str | None, typer.Option(help="Keep everything in MongoDB instead. [PERSPLIT_MONGODB_URI]")
    ] = None,
    redis_url: Annotated[str | None, typer.Option(help="Hints between nodes. [PERSPLIT_REDIS_URL]")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; above 1 needs MongoDB. [PERSPLIT_WORKERS, 1]")
    ] = None,
) -> None:
    """Run the server. Each option is also a PERSPLIT_… variable; the option wins."""
    from persplit import server  # noqa: PLC0415 - help and completion stay quick without it

    try:
        settings = load_settings(
            host=host,
            port=port,
            data_dir=data_dir,
            mongodb_uri=mongodb_uri,
            redis_url=redis_url,
            workers=workers,
        )
        server.run(
            settings,
            lambda url: _announce(url, "MongoDB" if settings.mongodb_uri else _shown(settings.data_dir)),
        )
    except ConfigError as error:
        typer.echo(f"persplit can't start:\n{error}", err=True)
        raise typer.Exit(2) from None
    except (OSError, StoreRefused, StoreUnavailable) as error:
        typer.echo(f"persplit can't start: {getattr(error, 'strerror', None) or error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def new_epoch(
    data_dir: Annotated[
        Path | None, typer.Option(help="The embedded server's data. [PERSPLIT_DATA_DIR]")
    ] = None,
    mongodb_uri: Annotated[str | None, typer.Option(help="Or MongoDB. [PERSPLIT_MONGODB_URI]")] = None,
) -> None:
    """After restoring a backup, with the server stopped: make every client begin anew.

    Clients may know a later past than the backup has. With another epoch they drop it and take what the server has;
    what waits in their outboxes is sent again.
    """
    from persplit import bootstrap  # noqa: PLC0415 - as above

    try:
        asyncio.run(bootstrap.renew_epoch(load_settings(data_dir=data_dir, mongodb_uri=mongodb_uri)))
    except ConfigError as error:
        typer.echo(f"persplit can't do this:\n{error}", err=True)
        raise typer.Exit(2) from None
    except (StoreRefused, StoreUnavailable) as error:
        typer.echo(f"persplit can't do this: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo("Every group has a new epoch. Start the server again.")


def _shown(path: Path) -> str:
    return f"SQLite in {path.resolve()}{os.sep}"


def _announce(url: str, store: str) -> None:
    typer.echo(
        f"\n  PerSplit is at {url}\n"
        f"  Keeping everything in {store}\n\n"
        f"  What to do next:\n"
        f"    read {url}/docs for the interface, or follow 'A first session' in the README\n"
        f"    curl {url}/readyz to see that it answers; press Ctrl-C to stop\n"
    )


app.add_typer(client_app, name="client")


def main() -> None:
    """Run the command line."""
    app()
