"""`slipring token`, `slipring client` and `slipring keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import asyncpg
import httpx
import typer

from slipring.identity.client import (
    BackendAuth,
    NoToken,
    client_key,
    client_name,
    server_url,
    token_of,
)
from slipring.identity.client_command import client_commands
from slipring.identity.first_start import init_keys
from slipring.identity.keys import (
    ensure_token_key,
    rotate_token_key,
)
from slipring.identity.service_keys import exported_keys, rotate_service_key
from slipring.identity.terminal import act_at_front, scopes_of, stop
from slipring.runtime.postgres import data_directory

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="A scope; several: repeat, or separate by blanks.")]

__all__ = ["client_commands", "keys_commands", "token"]

keys_commands = typer.Typer(help="Keys of the installation.", no_args_is_help=True)


def token(
    client: Annotated[
        str | None, typer.Option(help="Client name, or SLIPRING_CLIENT; its key lies in the data directory.")
    ] = None,
    scope: Scopes = None,
    data_dir: DataDir = None,
    url: Annotated[str | None, typer.Option(help="The front; default SLIPRING_URL or http://127.0.0.1:8100.")] = None,
) -> None:
    """Print an access token, and nothing else."""
    name, folder, server = client_name(client), data_directory(data_dir), server_url(url)
    try:
        key = client_key(name, folder)
    except NoToken as missing:
        stop(str(missing))
    request = BackendAuth(f"{server}/auth/token", name, key, " ".join(scopes_of(scope))).token_request()
    try:
        with httpx.Client(timeout=30) as http:
            typer.echo(token_of(http.send(request)))
    except httpx.TransportError:
        stop(f"No server answers at {server}. Start it with `slipring serve --all --demo`, or set SLIPRING_URL.")
    except NoToken as refused:
        stop(f"{refused} (client {name}, key in {folder / 'keys'})")


@keys_commands.command("init")
def make_keys(data_dir: DataDir = None) -> None:
    """Make what a real installation needs before its first start; kept keys stay."""
    folder = data_directory(data_dir)

    async def act(connection: asyncpg.Connection, schema: str) -> None:
        await init_keys(connection, schema, folder)

    act_at_front(folder, act)
    typer.echo(f"keys in {folder / 'keys'}")


@keys_commands.command("rotate")
def rotate(
    data_dir: DataDir = None,
    service: Annotated[str, typer.Option(help="The key this service seals with, instead of the one for tokens.")] = "",
) -> None:
    """Sign access tokens (or, with --service, seal) with a new key from now on; what was signed before stays good."""

    async def act(connection: asyncpg.Connection, schema: str) -> str:
        if service:
            return await rotate_service_key(connection, schema, service)
        await ensure_token_key(connection, schema)
        return await rotate_token_key(connection, schema)

    typer.echo(act_at_front(data_directory(data_dir), act))


@keys_commands.command("export")
def export_keys(
    target: Annotated[Path, typer.Argument(help="A new file, for `slipring audit verify --keys`.")],
    data_dir: DataDir = None,
) -> None:
    """Write the public keys that services seal with to a file: keep it where no administrator of this database writes."""
    folder = data_directory(data_dir)
    text = act_at_front(folder, exported_keys)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as problem:
        stop(f"{target} cannot be written: {problem.strerror}.")
    typer.echo(f"{target}: {text.count('kid')} keys")
