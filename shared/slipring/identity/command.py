"""`slipring token`, `slipring client` and `slipring keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import asyncpg
import httpx
import typer

from slipring.fhir.store.engine import UNAVAILABLE
from slipring.identity.client import (
    BackendAuth,
    NoToken,
    client_key,
    client_name,
    server_url,
    token_of,
)
from slipring.identity.clients import Client, register, register_with_key_file
from slipring.identity.database import with_front_schema
from slipring.identity.demo import WrongMode
from slipring.identity.first_start import init_keys
from slipring.identity.keys import (
    MissingKeys,
    ensure_token_key,
    key_file,
    read_public_keys,
    rotate_token_key,
    table,
)
from slipring.identity.scopes import well_formed
from slipring.identity.service_keys import exported_keys, rotate_service_key
from slipring.runtime.postgres import PostgresUnavailable, data_directory
from slipring.runtime.settings import BadSettings

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="A scope; several: repeat, or separate by blanks.")]

client_commands = typer.Typer(help="Registered clients.", no_args_is_help=True)
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
        _stop(str(missing))
    request = BackendAuth(f"{server}/auth/token", name, key, " ".join(_scopes(scope))).token_request()
    try:
        with httpx.Client(timeout=30) as http:
            typer.echo(token_of(http.send(request)))
    except httpx.TransportError:
        _stop(f"No server answers at {server}. Start it with `slipring serve --all --demo`, or set SLIPRING_URL.")
    except NoToken as refused:
        _stop(f"{refused} (client {name}, key in {folder / 'keys'})")


@client_commands.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="The client's id.")],
    scope: Scopes = None,
    practitioner: Annotated[str, typer.Option(help="The person it acts for, Practitioner/<id>.")] = "",
    jwks: Annotated[Path | None, typer.Option(help="Its public keys (JWK or JWKS); none: a key file is made.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Register a client, or give a known one new scopes and keys."""
    scopes, folder = _scopes(scope), data_directory(data_dir)
    unknown = [one for one in scopes if not well_formed(one)]
    if unknown or not scopes:
        _stop(f"Not a scope: {', '.join(unknown)}" if unknown else "At least one --scope is needed.")
    if practitioner and not practitioner.startswith("Practitioner/"):
        _stop("--practitioner is a reference such as Practitioner/o-1.")

    async def act(connection: asyncpg.Connection, schema: str) -> Path | None:
        if jwks is None:
            return await register_with_key_file(connection, schema, folder, name, scopes, practitioner=practitioner)
        key_file(folder, name)  # the name must be one that could have a file
        await register(connection, schema, Client(name, name, read_public_keys(jwks), scopes, practitioner))
        return None

    path = _run(folder, act)
    typer.echo(f"{name}: key in {path}" if path else f"{name}: registered with {jwks}")


@client_commands.command("list")
def list_clients(data_dir: DataDir = None) -> None:
    """The registered clients and what they may ask for."""

    async def act(connection: asyncpg.Connection, schema: str) -> list[Any]:
        return list(
            await connection.fetch(f"SELECT id, practitioner, scopes FROM {table(schema, 'client')} ORDER BY id")
        )

    for row in _run(data_directory(data_dir), act):
        typer.echo(f"{row['id']}  {row['practitioner'] or '-'}  {' '.join(row['scopes'])}")


@keys_commands.command("init")
def make_keys(data_dir: DataDir = None) -> None:
    """Make what a real installation needs before its first start; kept keys stay."""
    folder = data_directory(data_dir)

    async def act(connection: asyncpg.Connection, schema: str) -> None:
        await init_keys(connection, schema, folder)

    _run(folder, act)
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

    typer.echo(_run(data_directory(data_dir), act))


@keys_commands.command("export")
def export_keys(
    target: Annotated[Path, typer.Argument(help="A new file, for `slipring audit verify --keys`.")],
    data_dir: DataDir = None,
) -> None:
    """Write the public keys that services seal with to a file: keep it where no administrator of this database writes."""
    folder = data_directory(data_dir)
    text = _run(folder, exported_keys)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as problem:
        _stop(f"{target} cannot be written: {problem.strerror}.")
    typer.echo(f"{target}: {text.count('kid')} keys")


def _scopes(given: list[str] | None) -> list[str]:
    return [scope for text in given or () for scope in text.split()]


def _run(data_dir: Path, act: Any) -> Any:
    try:
        return with_front_schema(data_dir, act)
    except (MissingKeys, WrongMode, BadSettings, PostgresUnavailable, *UNAVAILABLE) as problem:
        _stop(str(problem))


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
