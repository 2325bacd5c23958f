"""The command line: `persplit serve`, what looks after its data, and `persplit client` for people who share expenses."""

import asyncio
import gc
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from persplit.admin_cli import add_to
from persplit.administering_cli import app as administering_app
from persplit.config import ConfigError, load_settings
from persplit.rates_cli import app as rates_app
from persplit.service.errors import StoreDamaged, StoreUnavailable, StoreUnusable


class _Everything(TyperGroup):
    """All commands. Those of `client` are loaded when they may be meant: a tenth of the time that a server takes to start."""

    # The library's types of contexts and commands have no public name.
    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, for help and completion."""
        self._add_client()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        if cmd_name not in self.commands:
            self._add_client()
        return super().get_command(ctx, cmd_name)

    def _add_client(self) -> None:
        if "client" not in self.commands:
            from persplit.client_cli.app import app as client_app  # noqa: PLC0415 - as above

            client = get_group(client_app)
            client.name = "client"
            self.add_command(client)


app = typer.Typer(
    cls=_Everything,
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
    # What is imported stays: to look for garbage among it again and again would be a tenth of the start.
    gc.disable()
    try:
        from persplit import bootstrap, server  # noqa: PLC0415 - help and completion stay quick without it
    finally:
        gc.enable()

    try:
        settings = load_settings(
            host=host,
            port=port,
            data_dir=data_dir,
            mongodb_uri=mongodb_uri,
            redis_url=redis_url,
            workers=workers,
        )
        if settings.workers > 1:
            # Said once here, rather than over and over by workers that can't start.
            asyncio.run(bootstrap.prepare_store(settings))
        server.run(
            settings,
            lambda url: _announce(url, "MongoDB" if settings.mongodb_uri else _shown(settings.data_dir)),
        )
    except ConfigError as error:
        typer.echo(f"persplit can't start:\n{error}", err=True)
        raise typer.Exit(2) from None
    except (OSError, StoreDamaged, StoreUnavailable) as error:
        typer.echo(f"persplit can't start: {getattr(error, 'strerror', None) or error}", err=True)
        raise typer.Exit(1) from None
    except StoreUnusable as error:
        typer.echo(f"persplit can't start: {error}", err=True)
        raise typer.Exit(2) from None


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


add_to(app)
app.add_typer(administering_app, name="admin")
app.add_typer(rates_app, name="rates")


def main() -> None:
    """Run the command line."""
    app()
