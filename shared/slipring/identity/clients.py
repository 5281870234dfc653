"""Registered clients: their public keys, their scopes, and the person they act for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from joserfc.jwk import ECKey

from slipring.fhir.caller import DRAFT_READ, RECEIVES_CRITICAL
from slipring.identity.keys import (
    Reader,
    as_text,
    key_file,
    new_client_key,
    public_half,
    read_key_file,
    table,
    write_key_file,
)
from slipring.identity.scopes import AUDIT_READ, EVERYTHING

SERVICES = ("order", "consent", "report", "critical")
DEMO_HIS = "demo-his"
DEMO_DEPARTMENT = "demo-department"
_HIS_SCOPES = (EVERYTHING, "slipring/import", "slipring/record-late", AUDIT_READ)
# The reading room: reports before their release are for those who write and sign them.
_DEPARTMENT_SCOPES = (*_HIS_SCOPES, DRAFT_READ, RECEIVES_CRITICAL)
_SERVICE_SCOPES = (EVERYTHING, DRAFT_READ)


@dataclass(frozen=True, slots=True)
class Client:
    """One registered client; `practitioner` is the reference of the person it acts for, or ''."""

    id: str
    name: str
    jwks: dict[str, Any]
    scopes: Sequence[str]
    practitioner: str = ""
    redirect_uris: Sequence[str] = ()  # of an application that people sign in to
    public: bool = False  # an application that can keep no key


async def read_client(connection: Reader, schema: str, client_id: str) -> Client | None:
    """The registered client, or None."""
    row = await connection.fetchrow(
        f"SELECT id, name, jwks::text, scopes, practitioner, redirect_uris, public FROM {table(schema, 'client')}"
        " WHERE id = $1",
        client_id,
    )
    if row is None:
        return None
    return Client(
        row["id"],
        row["name"],
        msgspec.json.decode(row["jwks"]),
        row["scopes"],
        row["practitioner"],
        row["redirect_uris"],
        row["public"],
    )


async def register(connection: asyncpg.Connection, schema: str, client: Client) -> None:
    """Register a client, or give a known one new keys and scopes."""
    await connection.execute(
        f"INSERT INTO {table(schema, 'client')} (id, name, jwks, scopes, practitioner, redirect_uris, public)"
        " VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, jwks = excluded.jwks, scopes = excluded.scopes,"
        " practitioner = excluded.practitioner, redirect_uris = excluded.redirect_uris, public = excluded.public",
        client.id,
        client.name,
        as_text(client.jwks),
        list(client.scopes),
        client.practitioner,
        list(client.redirect_uris),
        client.public,
    )


async def register_with_key_file(
    connection: asyncpg.Connection,
    schema: str,
    data_dir: Path,
    client_id: str,
    scopes: Sequence[str],
    *,
    practitioner: str = "",
) -> Path:
    """Register a client whose private key lies in the data directory; a key that is there is kept."""
    path = key_file(data_dir, client_id)
    key = _kept_or_new(path)
    await register(connection, schema, Client(client_id, client_id, {"keys": [public_half(key)]}, scopes, practitioner))
    return path


async def ensure_service_clients(connection: asyncpg.Connection, schema: str, data_dir: Path) -> None:
    """Register the four services' own clients, which deliver to each other."""
    for service in SERVICES:
        await register_with_key_file(connection, schema, data_dir, f"slipring-{service}", _SERVICE_SCOPES)


async def ensure_demo_clients(connection: asyncpg.Connection, schema: str, data_dir: Path) -> None:
    """Register what a demo needs: the services and a HIS with all system scopes, random keys, files 0600."""
    await ensure_service_clients(connection, schema, data_dir)
    await register_with_key_file(connection, schema, data_dir, DEMO_HIS, _HIS_SCOPES)
    await register_with_key_file(connection, schema, data_dir, DEMO_DEPARTMENT, _DEPARTMENT_SCOPES)


def _kept_or_new(path: Path) -> ECKey:
    if path.exists():
        return read_key_file(path)
    key = new_client_key()
    write_key_file(path, key)
    return key


def service_keys_missing(data_dir: Path) -> list[str]:
    """The services whose key file is not there yet: outside demo mode nothing starts without them."""
    return [service for service in SERVICES if not key_file(data_dir, f"slipring-{service}").exists()]
