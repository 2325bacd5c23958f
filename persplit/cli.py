"""The command line: `persplit serve`, what looks after its data, and `persplit client` for people who share expenses."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from persplit.imports import certificates_unread, garbage_uncollected, unseen


class _Everything(TyperGroup):
    """All commands. Those beside `serve` are loaded when they may be meant: a third of the time that a server takes to start."""

    # The library's types of contexts and commands have no public name.
    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, for help and completion."""
        self._add_others()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        if cmd_name not in self.commands:
            self._add_others()
        return super().get_command(ctx, cmd_name)

    def _add_others(self) -> None:
        if "client" in self.commands:
            return
        from persplit import admin_cli, administering_cli, rates_cli  # noqa: PLC0415 - as above
        from persplit.client_cli import app as client_cli  # noqa: PLC0415 - as above

        keepers = typer.Typer()
        admin_cli.add_to(keepers)
        for command in get_group(keepers).commands.values():
            self.add_command(command)
        groups = {"admin": administering_cli.app, "rates": rates_cli.app, "client": client_cli.app}
        for name, of_app in groups.items():
            group = get_group(of_app)
            group.name = name
            self.add_command(group)


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
    with garbage_uncollected():
        # structlog would draw with rich, and python-socketio talk to Redis, neither of which is asked of them here.
        with unseen("rich", "redis"), certificates_unread():
            import socketio  # noqa: F401, PLC0415 - what follows is not needed for help and completion
            import structlog  # noqa: F401, PLC0415 - as above
        from persplit import bootstrap, server  # noqa: PLC0415 - as above
        from persplit.config import ConfigError, load_settings  # noqa: PLC0415 - as above
        from persplit.service.errors import (  # noqa: PLC0415 - as above
            StoreDamaged,
            StoreUnavailable,
            StoreUnusable,
        )

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
        f"    open {url} in a browser: sign up, make a group, and let the others scan its code\n"
        f"    read {url}/docs for the interface, or follow 'A first session' in the README\n"
        f"    curl {url}/readyz to see that it answers; press Ctrl-C to stop\n"
    )


def main() -> None:
    """Run the command line."""
    app()
