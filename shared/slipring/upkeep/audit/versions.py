"""The versions against the audit rows that tell of them: text, method, time, and which one is current.

What was erased after its term left an audit row `purge`: from there on nothing of it is expected.
"""

from __future__ import annotations

import asyncpg

from slipring.upkeep.audit.finding import SchemaReport

# What the audit rows say was written: one row per version, none of what was erased since.
_WRITTEN = """WITH told AS (
    SELECT id, at, interaction, stored_sha256, split_part(resource, '/', 1) AS type, split_part(resource, '/', 2) AS name,
      split_part(resource, '/', 4)::int AS version
    FROM audit WHERE interaction IN ('create', 'update', 'delete', 'refused')
      AND resource ~ '^[A-Za-z]+/[A-Za-z0-9.-]+/_history/[0-9]{1,9}$'),
  erased AS (SELECT split_part(resource, '/', 1) AS type, split_part(resource, '/', 2) AS name, max(id) AS id
    FROM audit WHERE interaction = 'purge' GROUP BY 1, 2),
  written AS MATERIALIZED (SELECT t.* FROM told t LEFT JOIN erased e USING (type, name) WHERE e.id IS NULL OR t.id > e.id)"""
_VERSIONS = f"""{_WRITTEN},
  stored AS (SELECT r.type, r.id AS name, v.version, v.method, v.updated_at, v.body
    FROM version v JOIN resource r USING (key) WHERE r.source = ''),
  compared AS (SELECT type, name, version, w.id AS audit, w.interaction, s.method,
      w.id IS NOT NULL AS was_written, s.method IS NOT NULL AS is_stored,
      w.stored_sha256 = '' OR w.stored_sha256 = encode(sha256(convert_to(s.body, 'UTF8')), 'hex') AS same_text,
      w.at = s.updated_at AS same_time
    FROM written w FULL JOIN stored s USING (type, name, version))
  SELECT * FROM compared WHERE NOT was_written OR NOT is_stored OR NOT same_text OR NOT same_time
    OR method <> CASE interaction WHEN 'create' THEN 'POST' WHEN 'update' THEN 'PUT' WHEN 'delete' THEN 'DELETE' ELSE method END
  ORDER BY type, name, version LIMIT $1"""
_CURRENT = f"""{_WRITTEN},
  last AS (SELECT DISTINCT ON (type, name) type, name, version, interaction, at FROM written ORDER BY type, name, version DESC)
  SELECT l.type, l.name, l.version AS last, r.version AS current, r.deleted, l.interaction, l.at = r.updated_at AS same_time,
    r.key IS NOT NULL AS there
  FROM last l LEFT JOIN resource r ON r.type = l.type AND r.id = l.name AND r.source = ''
  WHERE r.key IS NULL OR r.version <> l.version OR NOT l.at = r.updated_at
    OR (l.interaction <> 'refused' AND r.deleted <> (l.interaction = 'delete'))
    OR (l.interaction = 'refused' AND r.deleted <> coalesce(
         (SELECT v.method = 'DELETE' FROM version v WHERE v.key = r.key AND v.version = l.version), r.deleted))
  ORDER BY l.type, l.name LIMIT $1"""
_COPIES = """SELECT r.type, r.id AS name, r.version FROM {mine}.resource r JOIN {mine}.version v USING (key, version)
  JOIN {keeper}.resource k ON k.type = r.type AND k.id = r.id AND k.source = ''
  JOIN {keeper}.version o ON o.key = k.key AND o.version = r.version
  WHERE r.source = $1 AND v.method <> 'DELETE' AND o.method <> 'DELETE' AND o.body <> v.body ORDER BY 1, 2 LIMIT $2"""
_MOST_NAMED = 1000


async def check_versions(connection: asyncpg.Connection, report: SchemaReport) -> None:
    """Name every version that is not what was written."""
    report.versions = await connection.fetchval(
        "SELECT count(*) FROM version JOIN resource USING (key) WHERE source = ''"
    )
    for row in await connection.fetch(_VERSIONS, _MOST_NAMED):
        about = f"{row['type']}/{row['name']}/_history/{row['version']}"
        if not row["was_written"]:
            report.found("version-added", about)
        elif not row["is_stored"]:
            report.found("version-missing", about, f"audit {row['audit']}")
        elif not row["same_text"]:
            report.found("version-changed", about, f"audit {row['audit']}")
        else:
            differs = "time" if not row["same_time"] else f"method {row['method']}, written by {row['interaction']}"
            report.found("version-altered", about, f"audit {row['audit']}: {differs}")
    for row in await connection.fetch(_CURRENT, _MOST_NAMED):
        about = f"{row['type']}/{row['name']}"
        if not row["there"]:
            report.found("pointer", about, f"no current version; the last one written is {row['last']}")
        elif row["current"] != row["last"]:
            report.found("pointer", about, f"{row['current']} is current, {row['last']} was written last")
        elif not row["same_time"]:
            report.found("pointer", about, "its time is not that of its last version")
        else:
            report.found("deleted-flag", about, f"deleted is {str(row['deleted']).lower()}")


async def check_copies(
    connection: asyncpg.Connection, report: SchemaReport, mine: str, keepers: dict[str, str]
) -> None:
    """Name every followed copy whose text is not its keeper's; `keepers`: service -> its schema, both quoted."""
    for service, schema in keepers.items():
        for row in await connection.fetch(_COPIES.format(mine=mine, keeper=schema), service, _MOST_NAMED):
            report.found("copy-differs", f"{row['type']}/{row['name']}/_history/{row['version']}", f"kept by {service}")
