"""The versions against the audit rows that tell of them, and followed copies against what their keepers wrote."""

from __future__ import annotations

import asyncpg

from slipring.fhir.store.written import FIRST, LAST, MOST_NAMED, strays
from slipring.upkeep.audit.finding import SchemaReport

_COPIES = """SELECT r.type, r.id AS name, r.version FROM {mine}.resource r JOIN {mine}.version v USING (key, version)
  JOIN {keeper}.resource k ON k.type = r.type AND k.id = r.id AND k.source = ''
  JOIN {keeper}.version o ON o.key = k.key AND o.version = r.version
  WHERE r.source = $1 AND v.method <> 'DELETE' AND o.method <> 'DELETE' AND o.body <> v.body ORDER BY 1, 2 LIMIT $2"""


async def check_versions(connection: asyncpg.Connection, report: SchemaReport) -> None:
    """Name every version that is not what was written."""
    report.versions = await connection.fetchval(
        "SELECT count(*) FROM version JOIN resource USING (key) WHERE source = ''"
    )
    async for stray in strays(connection, FIRST, LAST):
        report.found(stray.kind, stray.about, stray.differs)


async def check_copies(
    connection: asyncpg.Connection, report: SchemaReport, mine: str, keepers: dict[str, str]
) -> None:
    """Name every followed copy whose text is not its keeper's; `keepers`: service -> its schema, both quoted."""
    for service, schema in keepers.items():
        for row in await connection.fetch(_COPIES.format(mine=mine, keeper=schema), service, MOST_NAMED):
            report.found("copy-differs", f"{row['type']}/{row['name']}/_history/{row['version']}", f"kept by {service}")
