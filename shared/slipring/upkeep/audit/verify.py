"""The whole verification: one snapshot, every schema, every seal, row and version in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from slipring.fhir.service import Service
from slipring.fhir.store.migrations import HEAD
from slipring.sealing.keys import published
from slipring.signing.seal import KnownKey
from slipring.signing.seal_keys import endorsed, known
from slipring.upkeep.audit.chain import Chain
from slipring.upkeep.audit.derived import check_derived
from slipring.upkeep.audit.finding import SchemaReport
from slipring.upkeep.audit.rows import Rows, Stray, moved
from slipring.upkeep.audit.versions import check_copies, check_versions
from slipring.upkeep.contents import quote, schemas_of

FORMAT = "slipring-audit-report/1"


class CannotVerify(Exception):
    """Nothing was verified; the message says why, in both languages."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the verifier brings along: trusted keys (else those of the database count), seals kept outside, patience."""

    keys: Sequence[KnownKey] | None = None
    anchors: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    sealed_within: timedelta = timedelta(seconds=10)  # a row may wait for its seal as long as this
    # Whose search and counted rows are made anew and compared, in the department's time zone; of others they are not.
    services: Mapping[str, Service] = field(default_factory=dict)
    zone: ZoneInfo | None = None


@dataclass(slots=True)
class Verified:
    """What was found in every schema."""

    schemas: list[SchemaReport]
    outside_keys: bool

    @property
    def grave(self) -> bool:
        """Whether anything was changed behind the API."""
        return any(finding.grave for report in self.schemas for finding in report.findings)

    @property
    def noted(self) -> bool:
        """Whether anything has to be looked after."""
        return any(not finding.told for report in self.schemas for finding in report.findings)

    def tree(self) -> dict[str, Any]:
        """As `--json` gives it; kept outside, it is the anchor of a later verification."""
        return {
            "format": FORMAT,
            "keys": "outside" if self.outside_keys else "of the database",
            "whole": not self.grave,
            "schemas": {report.schema: report.tree() for report in self.schemas},
        }


async def verify(dsn: str, prefix: str, given: Given, tell: Callable[[str, int, int], None]) -> Verified:
    """Recompute everything as it stands at one moment; writes go on meanwhile. `tell`: schema, rows done, rows in all."""
    connection = await asyncpg.connect(
        dsn, server_settings={"timezone": "UTC", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    )
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            schemas = await schemas_of(connection, prefix)
            if not schemas:
                raise CannotVerify("This database holds no installation. 该数据库中没有安装。")
            places: list[Stray] = []
            strangers: list[Stray] = []
            reports = []
            for schema in schemas:
                await connection.execute(f"SET LOCAL search_path TO {quote(schema)}")
                reports.append(await _one(connection, schema, prefix, given, (places, strangers), tell))
            _name_moved(reports, places, strangers)
            keepers = {schema.removeprefix(prefix): quote(schema) for schema in schemas}
            for report in reports:
                others = {name: place for name, place in keepers.items() if place != quote(report.schema)}
                await check_copies(connection, report, quote(report.schema), others)
            for report in reports:
                await _derived(connection, report, prefix, given, tell)
    finally:
        await connection.close()
    return Verified(reports, given.keys is not None)


async def _one(
    connection: asyncpg.Connection,
    schema: str,
    prefix: str,
    given: Given,
    strays: tuple[list[Stray], list[Stray]],
    tell: Callable[[str, int, int], None],
) -> SchemaReport:
    revision = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    if revision != HEAD:
        raise CannotVerify(
            f"{schema} is at revision {revision}, this program at {HEAD}: start the service once, or use its own program."
            " 数据库结构版本与程序不符。"
        )
    report = SchemaReport(schema)
    service = schema.removeprefix(prefix)
    everything = await connection.fetchval("SELECT count(*) FROM audit")
    keys = await _keys(connection, service, given)
    rows = Rows(connection, report, lambda done: tell(schema, done, everything))
    chain = Chain(connection, service, keys, report, given.anchors.get(schema))
    async for covered in chain.walk():
        await rows.take(covered)
    await rows.flush()
    await rows.unsealed(given.sealed_within)
    await check_versions(connection, report)
    strays[0].extend(rows.places)
    strays[1].extend(rows.strangers)
    return report


async def _derived(
    connection: asyncpg.Connection,
    report: SchemaReport,
    prefix: str,
    given: Given,
    tell: Callable[[str, int, int], None],
) -> None:
    service = given.services.get(report.schema.removeprefix(prefix))
    if service is None or given.zone is None:
        return
    await connection.execute(f"SET LOCAL search_path TO {quote(report.schema)}")
    await check_derived(connection, report, service, given.zone, lambda *done: tell(f"{report.schema} rows", *done))


async def _keys(connection: asyncpg.Connection, service: str, given: Given) -> dict[str, KnownKey]:
    jwks = await published(connection, service)
    try:
        usable = known(jwks) if given.keys is None else endorsed([k for k in given.keys if k.service == service], jwks)
    except (ValueError, KeyError, TypeError) as problem:
        raise CannotVerify(f"A published key of {service} is none. {service} 的公钥无法读取。") from problem
    return {key.kid: key for key in usable}


def _name_moved(reports: Sequence[SchemaReport], places: Sequence[Stray], strangers: Sequence[Stray]) -> None:
    by_schema = {report.schema: report for report in reports}
    for place, stranger in moved(places, strangers):
        by_schema[place.schema].found("row-moved", f"audit {place.id}", f"now {stranger.schema} audit {stranger.id}")


def read_keys(path: Path) -> list[KnownKey]:
    """The public keys in a file that `slipring keys export` wrote."""
    try:
        return known(json.loads(path.read_text("utf-8"))["keys"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise CannotVerify(f"{path} holds no exported keys. {path} 不是导出的公钥文件。") from problem


def read_anchor(path: Path) -> dict[str, tuple[int, str]]:
    """The last seals of an earlier report, by schema."""
    try:
        tree = json.loads(path.read_text("utf-8"))
        if tree["format"] != FORMAT:
            raise ValueError(tree["format"])
        seals = {schema: told["last_seal"] for schema, told in tree["schemas"].items()}
        return {schema: (int(seal["number"]), str(seal["sha256"])) for schema, seal in seals.items() if seal["number"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise CannotVerify(f"{path} holds no anchor: it is what `--json` printed. {path} 不是锚点文件。") from problem
