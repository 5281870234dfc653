"""`slipring keys rotate --service` and `slipring keys export`: the keys that services seal with."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from slipring.client.token import MissingKeys
from slipring.identity.keys import table
from slipring.sealing.keys import published, rotate

SERVICES = ("front", "order", "consent", "report", "critical")


async def rotate_service_key(connection: asyncpg.Connection, front: str, service: str) -> str:
    """Give one service a new key; its kid. `front`: the front's schema, whose prefix the others share."""
    schema = await _seen(connection, front, service)
    return await rotate(connection, schema, service)


async def exported_keys(connection: asyncpg.Connection, front: str) -> str:
    """Every public key of every service that was started once, as a JWK Set."""
    keys: list[Any] = []
    for service in SERVICES:
        try:
            await _seen(connection, front, service)
        except MissingKeys:
            continue
        keys += await published(connection, service)
    return json.dumps({"keys": keys}, indent=1)


async def _seen(connection: asyncpg.Connection, front: str, service: str) -> str:
    """Let the connection see one service's schema; MissingKeys when it has no keys yet."""
    if service not in SERVICES:
        raise MissingKeys(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    schema = front.removesuffix("front") + service
    if not await connection.fetchval("SELECT to_regclass($1)", table(schema, "service_key")):
        raise MissingKeys(f"{service} was never started: its key is made at its first start.")
    await connection.execute("SELECT set_config('search_path', $1, false)", '"{}"'.format(schema.replace('"', '""')))
    return schema
