"""`slipring backup` and `slipring restore`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from slipring.fhir.store.engine import UNAVAILABLE
from slipring.runtime.clock import utc_now
from slipring.runtime.hindrance import hindrance
from slipring.runtime.postgres import PostgresUnavailable, data_directory, ensure_running
from slipring.runtime.settings import BadSettings, Settings
from slipring.upkeep.backup import NoBackup, back_up
from slipring.upkeep.manifest import Damaged
from slipring.upkeep.programs import NoProgram
from slipring.upkeep.restore import NoRestore, Target, opened, restore, verified

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")]
_REFUSALS = (NoBackup, NoRestore, Damaged, NoProgram, BadSettings, PostgresUnavailable, *UNAVAILABLE)


def backup(
    target: Annotated[Path, typer.Argument(help="A folder to be made, or a file that ends in .tar.")],
    data_dir: DataDir = None,
) -> None:
    """Back up every schema from one snapshot, and the keys; services may go on writing meanwhile."""
    folder = data_directory(data_dir)
    try:
        settings = Settings.from_env()
        dsn = settings.database_url or ensure_running(folder)
        made = back_up(dsn, settings.schema_prefix, folder.resolve(), target.absolute(), utc_now(), typer.echo)
    except _REFUSALS as problem:
        _stop(hindrance(problem) or str(problem))
    resources = sum(sum(record.resources.values()) for record in made.schemas.values())
    typer.echo(f"{target}: {resources} resources, {made.mode}, {made.made_at}")
    typer.echo(
        "It holds patient data and private keys in the clear: keep it on an encrypted disk, away from this machine, under"
        " lock. 备份含患者数据和私钥且未加密：请存放于加密介质、另一台机器，并限制访问。"
    )


def restore_backup(
    source: Annotated[Path, typer.Argument(help="The folder or .tar that `slipring backup` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Keep what is there under other names instead of refusing.")
    ] = False,
    verify_only: Annotated[bool, typer.Option("--verify", help="Only check that the backup is whole.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Restore a backup into an empty database: verified first, whole or not at all, numbers skipped ahead."""
    folder = data_directory(data_dir)
    try:
        with opened(source) as whole:
            manifest = verified(whole, typer.echo)
            if verify_only:
                return
            settings = Settings.from_env()
            target = Target(
                settings.database_url or ensure_running(folder), settings.schema_prefix, folder.resolve(), replace
            )
            aside = asyncio.run(restore(whole, manifest, target, utc_now(), typer.echo))
    except _REFUSALS as problem:
        _stop(hindrance(problem) or str(problem))
    for name in aside:
        typer.echo(f"kept aside 原有内容保留为: {name}")
    typer.echo(
        f"Restored to {manifest.made_at}. What was written later is not here: have the HIS send it again (docs/integration.md,"
        f" Catching up). 已恢复到 {manifest.made_at}；此后写入的内容需由 HIS 重新发送。"
    )


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
