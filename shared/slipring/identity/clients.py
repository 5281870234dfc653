"""Registered clients: their public keys, their scopes, and the person they act for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from joserfc.jwk import ECKey

from slipring.client.token import MissingKeys, read_key_file
from slipring.fhir.caller import DRAFT_READ, RECEIVES_CRITICAL
from slipring.identity.keys import Jwk, Reader, as_text, key_file, new_client_key, public_half, table, write_key_file
from slipring.identity.revoked import revoke
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
    jwks_uri: str = ""  # where it publishes its keys, instead of `jwks`
    patient: str = ""  # the id of the one patient its tokens are about


async def read_client(connection: Reader, schema: str, client_id: str) -> Client | None:
    """The registered client, or None when there is none or it was ended."""
    row = await connection.fetchrow(
        "SELECT id, name, jwks::text, scopes, practitioner, redirect_uris, public, jwks_uri, patient"
        f" FROM {table(schema, 'client')} WHERE id = $1 AND ended_at IS NULL",
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
        row["jwks_uri"],
        row["patient"],
    )


async def register(connection: asyncpg.Connection, schema: str, client: Client) -> None:
    """Register a client, or give a known one new keys and scopes; one that was ended begins anew."""
    await connection.execute(
        f"INSERT INTO {table(schema, 'client')}"
        " (id, name, jwks, scopes, practitioner, redirect_uris, public, jwks_uri, patient)"
        " VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, jwks = excluded.jwks, scopes = excluded.scopes,"
        " practitioner = excluded.practitioner, redirect_uris = excluded.redirect_uris, public = excluded.public,"
        " jwks_uri = excluded.jwks_uri, patient = excluded.patient, ended_at = NULL",
        client.id,
        client.name,
        as_text(client.jwks),
        list(client.scopes),
        client.practitioner,
        list(client.redirect_uris),
        client.public,
        client.jwks_uri,
        client.patient,
    )


async def end(connection: asyncpg.Connection, schema: str, client_id: str) -> bool:
    """End a client: no new token, and those it has are refused within seconds. False when there is none."""
    async with connection.transaction():
        ended = await connection.fetchval(
            f"UPDATE {table(schema, 'client')} SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL"
            " RETURNING true",
            client_id,
        )
        if ended:
            await revoke(connection, schema, "client", client_id)
    return bool(ended)


async def change_keys(
    connection: asyncpg.Connection, schema: str, client_id: str, change: Callable[[list[Jwk]], list[Jwk]]
) -> list[Jwk]:
    """Change the registered keys of a client that has any, none of two changes being lost; the keys it has then."""
    async with connection.transaction():
        held = await connection.fetchval(
            f"SELECT jwks::text FROM {table(schema, 'client')} WHERE id = $1 AND ended_at IS NULL AND jwks_uri = ''"
            " AND NOT public FOR UPDATE",
            client_id,
        )
        if held is None:
            raise MissingKeys(f"{client_id} is no client with registered keys.")
        keys = change(list(msgspec.json.decode(held)["keys"]))
        await connection.execute(
            f"UPDATE {table(schema, 'client')} SET jwks = $2::jsonb WHERE id = $1", client_id, as_text({"keys": keys})
        )
    return keys


async def register_with_key_file(
    connection: asyncpg.Connection,
    schema: str,
    data_dir: Path,
    client_id: str,
    scopes: Sequence[str],
    *,
    practitioner: str = "",
    patient: str = "",
) -> Path:
    """Register a client whose private key lies in the data directory; a key that is there is kept."""
    path = key_file(data_dir, client_id)
    key = _kept_or_new(path)
    keys = {"keys": [public_half(key)]}
    await register(connection, schema, Client(client_id, client_id, keys, scopes, practitioner, patient=patient))
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
