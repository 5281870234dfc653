"""`slipring client`: who is registered, with which keys, for what, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import asyncpg
import typer

from slipring.client.token import MissingKeys
from slipring.fhir.caller import grant_of
from slipring.identity.clients import Client, change_keys, end, register, register_with_key_file
from slipring.identity.demo import LOOPBACK
from slipring.identity.keys import Jwk, key_file, new_client_key, public_half, read_public_keys, table, write_key_file
from slipring.identity.scopes import fault_of
from slipring.identity.terminal import act_at_front, scopes_of, stop
from slipring.runtime.postgres import data_directory

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="A scope; several: repeat, or separate by blanks.")]
Name = Annotated[str, typer.Argument(help="The client's id.")]

client_commands = typer.Typer(help="Registered clients.", no_args_is_help=True)
key_commands = typer.Typer(help="The keys of one client.", no_args_is_help=True)
client_commands.add_typer(key_commands, name="key")


@client_commands.command("add")
def add_client(
    name: Name,
    scope: Scopes = None,
    practitioner: Annotated[str, typer.Option(help="The person it acts for, Practitioner/<id>.")] = "",
    patient: Annotated[str, typer.Option(help="The one patient its tokens are about: patient/ scopes need him.")] = "",
    jwks: Annotated[Path | None, typer.Option(help="Its public keys (JWK or JWKS); none: a key file is made.")] = None,
    jwks_uri: Annotated[str, typer.Option(help="Where it publishes its public keys, instead of --jwks.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Register a client, or give a known one new scopes and keys."""
    scopes, folder = scopes_of(scope), data_directory(data_dir)
    about = patient.removeprefix("Patient/")
    _check(scopes, practitioner, about, jwks_uri if jwks is None else "")
    if jwks is not None and jwks_uri:
        stop("--jwks or --jwks-uri, not both.")

    async def act(connection: asyncpg.Connection, schema: str) -> Path | None:
        if jwks is None and not jwks_uri:
            return await register_with_key_file(
                connection, schema, folder, name, scopes, practitioner=practitioner, patient=about
            )
        key_file(folder, name)  # the name must be one that could have a file
        keys = read_public_keys(jwks) if jwks is not None else {"keys": []}
        client = Client(name, name, keys, scopes, practitioner, jwks_uri=jwks_uri, patient=about)
        await register(connection, schema, client)
        return None

    path = act_at_front(folder, act)
    typer.echo(f"{name}: key in {path}" if path else f"{name}: registered with {jwks or jwks_uri}")


@client_commands.command("list")
def list_clients(data_dir: DataDir = None) -> None:
    """The registered clients, what they may ask for, their keys, and which were ended."""

    async def act(connection: asyncpg.Connection, schema: str) -> list[Any]:
        return list(
            await connection.fetch(
                "SELECT id, practitioner, patient, scopes, jwks_uri, ended_at,"
                " ARRAY(SELECT key ->> 'kid' FROM jsonb_array_elements(jwks -> 'keys') AS key) AS kids"
                f" FROM {table(schema, 'client')} ORDER BY id"
            )
        )

    for row in act_at_front(data_directory(data_dir), act):
        about = " ".join([row["practitioner"] or "-", *([f"Patient/{row['patient']}"] if row["patient"] else [])])
        keys = row["jwks_uri"] or ",".join(kid or "?" for kid in row["kids"]) or "no key"
        ended = f"  ended {row['ended_at']:%Y-%m-%d %H:%M:%S%z}" if row["ended_at"] else ""
        typer.echo(f"{row['id']}  {about}  {' '.join(row['scopes'])}  [{keys}]{ended}")


@client_commands.command("end")
def end_client(name: Name, data_dir: DataDir = None) -> None:
    """End a client: it gets no new token, and every service refuses those it has within seconds."""

    async def act(connection: asyncpg.Connection, schema: str) -> bool:
        return await end(connection, schema, name)

    if not act_at_front(data_directory(data_dir), act):
        stop(f"{name} is no client, or was ended before.")
    typer.echo(f"{name}: ended")


@key_commands.command("add")
def add_key(
    name: Name,
    jwks: Annotated[
        Path | None, typer.Option(help="Public keys to add (JWK or JWKS); none: a new key is made.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Add a key beside those the client has: both are good until the old one is removed."""
    folder = data_directory(data_dir)
    made = None if jwks else new_client_key()
    try:
        new = [public_half(made)] if made else list(read_public_keys(jwks)["keys"]) if jwks else []
    except (OSError, ValueError, KeyError, TypeError) as problem:
        stop(f"{jwks} holds no public keys: {type(problem).__name__}.")

    def added(held: list[Jwk]) -> list[Jwk]:
        kids = [key.get("kid") for key in new]
        return [*(key for key in held if key.get("kid") not in kids), *new]

    async def act(connection: asyncpg.Connection, schema: str) -> list[Jwk]:
        keys = await change_keys(connection, schema, name, added)
        if made is not None:  # the client signs with it from its next token on
            write_key_file(key_file(folder, name), made)
        return keys

    typer.echo(f"{name}: {' '.join(str(key.get('kid')) for key in act_at_front(folder, act))}")


@key_commands.command("remove")
def remove_key(name: Name, kid: Annotated[str, typer.Argument(help="The key's id.")], data_dir: DataDir = None) -> None:
    """Take a key away: nothing signed with it is accepted any more."""

    def left(held: list[Jwk]) -> list[Jwk]:
        keys = [key for key in held if key.get("kid") != kid]
        if len(keys) == len(held):
            raise MissingKeys(f"{name} has no key {kid}.")
        if not keys:
            raise MissingKeys(f"{kid} is the only key of {name}: add another first, or end the client.")
        return keys

    async def act(connection: asyncpg.Connection, schema: str) -> list[Jwk]:
        return await change_keys(connection, schema, name, left)

    typer.echo(f"{name}: {' '.join(str(key.get('kid')) for key in act_at_front(data_directory(data_dir), act))}")


def _check(scopes: list[str], practitioner: str, patient: str, jwks_uri: str) -> None:
    if not scopes:
        stop("At least one --scope is needed.")
    for scope in scopes:
        if fault := fault_of(scope):
            stop(f"Not a scope: {scope} ({fault})")
        grant = grant_of(scope)
        if grant and grant.context == "patient" and not patient:
            stop(f"{scope} is about one patient: say which by --patient.")
    if practitioner and not practitioner.startswith("Practitioner/"):
        stop("--practitioner is a reference such as Practitioner/o-1.")
    if jwks_uri:
        parts = urlsplit(jwks_uri)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            stop("--jwks-uri must be https (http on this machine only).")
