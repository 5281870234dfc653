"""`slipring audit verify` and `slipring audit report`."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import asyncpg
import typer

from slipring.fhir.outcome import FhirError
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.trail.report import COLUMNS, Access
from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import PostgresUnavailable, data_directory, ensure_running
from slipring.runtime.settings import BadSettings, Settings
from slipring.upkeep.audit.finding import SchemaReport
from slipring.upkeep.audit.report import access_lines
from slipring.upkeep.audit.verify import CannotVerify, Given, Verified, read_anchor, read_keys, verify
from slipring.upkeep.installed import installed

audit = typer.Typer(name="audit", help="The audit trail: is it whole, and who saw what.", no_args_is_help=True)
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where keys and the embedded database lie.")]
CHANGED, NOTED, NOT_VERIFIED = 1, 3, 4


@audit.command("verify")
def verify_audit(
    keys: Annotated[Path | None, typer.Option(help="Public keys exported earlier (`slipring keys export`).")] = None,
    anchor: Annotated[
        Path | None, typer.Option(help="An earlier `--json` report: its last seals must be there.")
    ] = None,
    rows: Annotated[bool, typer.Option(help="Also make what is searched and counted anew from each record.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON; keep it outside as an anchor.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Recompute every seal, audit row, version and row that is searched or counted, and name what does not fit.

    Exit code 0: whole; 1: something was changed; 3: whole, but something has to be looked after; 4: could not be verified.
    """
    try:
        settings = Settings.from_env()
        given = Given(
            read_keys(keys) if keys else None,
            read_anchor(anchor) if anchor else {},
            services=installed() if rows else {},
            zone=ZoneInfo(settings.time_zone),
        )
        dsn = settings.database_url or ensure_running(data_directory(data_dir))
        found = asyncio.run(verify(dsn, settings.schema_prefix, given, _progress))
    except (CannotVerify, BadSettings, PostgresUnavailable, *UNAVAILABLE) as problem:
        _stop(str(problem))
    if sys.stderr.isatty():
        typer.echo("", err=True)
    typer.echo(json.dumps(found.tree(), indent=1, ensure_ascii=False)) if as_json else _show(found)
    if found.grave or found.noted:
        raise typer.Exit(CHANGED if found.grave else NOTED)


@audit.command("report")
def report_access(
    patient: Annotated[str, typer.Option(help="The id of the patient, as in Patient/[id].")],
    start: Annotated[str, typer.Option(help="From this date or time on.")] = "",
    end: Annotated[str, typer.Option(help="Up to this date or time.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Who saw or changed what about one patient, as CSV; making the report is itself audited."""

    async def run(dsn: str, settings: Settings) -> list[Access]:
        connection = await asyncpg.connect(dsn)
        try:
            zone = ZoneInfo(settings.time_zone)
            name = patient.removeprefix("Patient/")
            return await access_lines(connection, settings.schema_prefix, name, start, end, utc_now(), zone)
        finally:
            await connection.close()

    try:
        settings = Settings.from_env()
        dsn = settings.database_url or ensure_running(data_directory(data_dir))
        found = asyncio.run(run(dsn, settings))
    except FhirError as problem:
        _stop(problem.issues[0].en)
    except (BadSettings, PostgresUnavailable, *UNAVAILABLE) as problem:
        _stop(str(problem))
    table = csv.writer(sys.stdout)
    table.writerow(COLUMNS)
    table.writerows(access.line() for access in found)


def _show(found: Verified) -> None:
    for report in found.schemas:
        for finding in report.findings:
            typer.echo(finding.text())
    for report in found.schemas:
        typer.echo(_summary(report))
    if not found.outside_keys:
        typer.echo(
            "The keys are those of the database itself: with --keys and --anchor, kept outside, also a forger who holds the"
            " database is found. 公钥取自数据库本身；请使用在外保存的 --keys 与 --anchor。"
        )
    typer.echo(
        "CHANGED 发现改动" if found.grave else "whole, see above 完整，另有提示" if found.noted else "whole 完整无改动"
    )


def _summary(report: SchemaReport) -> str:
    sealed = (
        f"sealed until {report.sealed_until}, seal {report.last_seal} {report.last_sha256}"
        if report.seals
        else "no seal yet"
    )
    return f"{report.schema}: {report.rows} rows in {report.seals} seals, {report.versions} versions; {sealed}; {report.unsealed} rows wait"


def _progress(schema: str, done: int, everything: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{schema}: {done} / {everything}    ", err=True, nl=False)


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(NOT_VERIFIED)
