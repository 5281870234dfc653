"""`slipring client add-app`: an application that people sign in to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import asyncpg
import typer

from slipring.identity.clients import Client, register
from slipring.identity.keys import key_file, read_public_keys
from slipring.identity.people.minting import PAGES_CLIENT
from slipring.identity.scopes import PERSON_SCOPES, well_formed
from slipring.identity.terminal import act_at_front, stop
from slipring.identity.token import AUDIENCE
from slipring.runtime.postgres import data_directory

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TAKEN = (AUDIENCE, PAGES_CLIENT)  # an id_token made out for such a client could pass for something else


def add_app(
    name: Annotated[str, typer.Argument(help="The application's client_id.")],
    redirect_uri: Annotated[list[str], typer.Option("--redirect-uri", help="Where people are sent back; repeat.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may ask for at most; repeat, or blanks.")],
    jwks: Annotated[Path | None, typer.Option(help="Its public keys (JWK or JWKS); none: a public client.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded database lies.")] = None,
) -> None:
    """Register an application that people sign in to; it never gets more than the person's roles allow."""
    scopes = [one for text in scope for one in text.split()]
    wrong = [one for one in scopes if one.startswith("system/") or not (one in PERSON_SCOPES or well_formed(one))]
    if wrong or not scopes:
        stop(f"Not a scope for people: {', '.join(wrong)}" if wrong else "At least one --scope is needed.")
    for address in redirect_uri:
        if not may_lead_back(address):
            stop(
                f"{address} is no redirect address: https, http on this machine, or a scheme of the application's own."
            )
    if name in _TAKEN:
        stop(f"{name} is taken.")

    async def act(connection: asyncpg.Connection, schema: str) -> None:
        keys = read_public_keys(jwks) if jwks else {"keys": []}
        key_file(folder, name)  # the name must be one that could have a file
        await register(connection, schema, Client(name, name, keys, scopes, "", redirect_uri, public=jwks is None))

    folder = data_directory(data_dir)
    act_at_front(folder, act)
    typer.echo(f"{name}: {'public' if jwks is None else 'confidential'}, sent back to {' '.join(redirect_uri)}")


def may_lead_back(address: str) -> bool:
    """Whether codes may be sent here (RFC 9700 2.1, RFC 8252): nothing in clear but to the same machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.fragment or "@" in parts.netloc or any(not "!" <= letter <= "~" for letter in address):
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme == "http":
        return host in _LOOPBACK
    return "." in parts.scheme  # a private-use scheme is a reversed domain name (RFC 8252 7.1)
