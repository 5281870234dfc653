"""What must stand before anything is served: the database's mark, a signing key, the services' clients."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from slipring.client.token import MissingKeys
from slipring.identity.clients import ensure_demo_clients, ensure_service_clients, service_keys_missing
from slipring.identity.demo import check_mark
from slipring.identity.keys import ensure_token_key, page_cursor_key, table


async def prepare_identity(connection: asyncpg.Connection, schema: str, data_dir: Path, *, demo: bool) -> bytes:
    """Check the mark and the keys, make what a demo needs; returns the key of the front's page cursors.

    Outside demo mode nothing is made behind the operator's back: `slipring keys init` makes the keys.
    """
    await check_mark(connection, demo, schema)
    if demo:
        await ensure_token_key(connection, schema)
        await ensure_demo_clients(connection, schema, data_dir)
    else:
        await _check_keys(connection, schema, data_dir)
    return await page_cursor_key(connection, schema)


async def init_keys(connection: asyncpg.Connection, schema: str, data_dir: Path) -> None:
    """Make the keys of a real installation: token signing, and one client per service. Kept ones stay."""
    await check_mark(connection, False, schema)
    await ensure_token_key(connection, schema)
    await ensure_service_clients(connection, schema, data_dir)


async def _check_keys(connection: asyncpg.Connection, schema: str, data_dir: Path) -> None:
    missing = service_keys_missing(data_dir)
    signing = await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table(schema, 'token_key')})")
    if missing or not signing:
        lacking = ", ".join([*(f"the key of {service}" for service in missing), *([] if signing else ["a token key"])])
        raise MissingKeys(
            f"Outside demo mode keys must be configured first; {lacking} is missing under {data_dir / 'keys'}."
            " Run `slipring keys init` once. 非演示模式必须先配置密钥：请先运行 `slipring keys init`。"
        )
