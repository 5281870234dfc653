"""Demo mode: a demo database is marked, and served by nothing but a demo."""

from __future__ import annotations

import asyncpg

from slipring.identity.keys import table

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WrongMode(Exception):
    """The database and the mode do not fit; the message says what to do, in both languages."""


async def check_mark(connection: asyncpg.Connection, demo: bool, schema: str = "front") -> None:
    """Refuse a demo on a database with real records, and a demo database without `--demo`.

    A database that has neither a mark nor a client yet takes the mark of the first start.
    """
    mark_table = table(schema, "mark")
    async with connection.transaction():
        await connection.execute(f"LOCK TABLE {mark_table} IN SHARE ROW EXCLUSIVE MODE")
        mark = await connection.fetchval(f"SELECT value FROM {mark_table} WHERE name = 'mode'")
        if mark is None:
            used = await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table(schema, 'client')})")
            mark = "real" if used else _word(demo)
            await connection.execute(f"INSERT INTO {mark_table} (name, value) VALUES ('mode', $1)", mark)
    if mark == _word(demo):
        return
    if demo:
        raise WrongMode(
            "This database holds real records: --demo is refused. Use another --data-dir for the demo."
            " 该数据库保存真实记录，不能以演示模式启动；请为演示另指定 --data-dir。"
        )
    raise WrongMode(
        "This database is marked as a demo: it is served with --demo only. 该数据库标记为演示，只能加 --demo 启动。"
    )


def check_loopback(demo: bool, host: str) -> None:
    """A demo listens on this machine only."""
    if demo and host not in LOOPBACK:
        raise WrongMode(f"A demo listens on loopback only, not on {host}. 演示模式只能监听本机地址。")


def _word(demo: bool) -> str:
    return "demo" if demo else "real"
