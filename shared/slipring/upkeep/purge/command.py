"""`slipring purge list | propose | confirm`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn

import asyncpg
import typer
from joserfc.jwk import ECKey

from slipring.client.token import MissingKeys, read_key_file
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.identity.client import NoToken, client_key
from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import PostgresUnavailable, data_directory, ensure_running
from slipring.runtime.settings import BadSettings, Settings
from slipring.upkeep.purge.due import Due, counted, digest, find_due, terms
from slipring.upkeep.purge.erase import NoPurge, erase, propose
from slipring.upkeep.purge.person import NotEntitled, proved

purge = typer.Typer(
    name="purge",
    help="Erase records past their retention term: one person proposes, a second confirms.",
    no_args_is_help=True,
)
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")]
ClientName = Annotated[
    str, typer.Option(help="Your registered client; it needs slipring/administer and a practitioner.")
]
Key = Annotated[Path | None, typer.Option(help="Your key file, when it is not in the data directory.")]
_REFUSALS = (NoPurge, NotEntitled, NoToken, MissingKeys, BadSettings, PostgresUnavailable, *UNAVAILABLE)
Act = Callable[[asyncpg.Connection, str], Awaitable[list[Due]]]


@purge.command("list")
def list_due(
    data_dir: DataDir = None, ids: Annotated[bool, typer.Option("--ids", help="Each record.")] = False
) -> None:
    """What is past its term and referred to by nothing that stays; erases nothing."""

    async def act(connection: asyncpg.Connection, prefix: str) -> list[Due]:
        async with connection.transaction():
            return await find_due(connection, prefix, utc_now())

    found = _run(data_dir, act)
    _show(found, ids=ids)


@purge.command("propose")
def propose_purge(client: ClientName, data_dir: DataDir = None, key: Key = None) -> None:
    """Propose to erase exactly what is due now."""

    async def act(connection: asyncpg.Connection, prefix: str) -> list[Due]:
        person = await proved(connection, f"{prefix}front", client, _key(client, key, data_dir), utc_now())
        return await propose(connection, prefix, person, utc_now())

    found = _run(data_dir, act)
    _show(found)
    if found:
        typer.echo(
            f"A second person confirms within 7 days 第二人须在 7 天内确认:\n  slipring purge confirm {digest(found)} --client NAME"
        )


@purge.command("confirm")
def confirm_purge(
    proposal: Annotated[str, typer.Argument(help="The hash that `propose` printed.")],
    client: ClientName,
    data_dir: DataDir = None,
    key: Key = None,
) -> None:
    """Erase what was proposed. There is no way back but a backup."""

    async def act(connection: asyncpg.Connection, prefix: str) -> list[Due]:
        person = await proved(connection, f"{prefix}front", client, _key(client, key, data_dir), utc_now())
        return await erase(connection, prefix, person, proposal, utc_now())

    found = _run(data_dir, act)
    _show(found)
    typer.echo(
        f"{len(found)} records erased, each with an audit row. Backups made before still hold them."
        f" 已删除 {len(found)} 条记录并留痕；此前的备份中仍有这些记录。"
    )


def _key(client: str, key: Path | None, data_dir: Path | None) -> ECKey:
    return read_key_file(key) if key else client_key(client, data_directory(data_dir))


def _show(found: list[Due], *, ids: bool = False) -> None:
    typer.echo(f"term 期限: {terms()['years']} years ({terms()['source']})")
    for (schema, kind), number in sorted(counted(found).items()):
        typer.echo(f"  {schema}  {kind}  {number}")
    for due in found if ids else ():
        typer.echo(f"  {due.schema}  {due.reference}  {due.version}")
    if not found:
        typer.echo("Nothing is due. 没有到期记录。")


def _run(data_dir: Path | None, act: Act) -> list[Due]:
    async def run() -> list[Due]:
        connection = await asyncpg.connect(dsn)
        try:
            return await act(connection, settings.schema_prefix)
        finally:
            await connection.close()

    try:
        settings = Settings.from_env()
        dsn = settings.database_url or ensure_running(data_directory(data_dir))
        return asyncio.run(run())
    except _REFUSALS as problem:
        _stop(str(problem))


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
