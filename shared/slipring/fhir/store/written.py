"""What lies in the store against what the trail says was written: text, method and time of each version, and which one is current.

What was erased after its term left an audit row `purge`: from there on nothing of it is expected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from slipring.fhir.service import Stray
from slipring.fhir.store.reading import Reader

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
MOST_NAMED = 1000
# What the audit rows of a time say was written: one row per version, none of what was erased since.
_WRITTEN = """WITH told AS (
    SELECT id, at, interaction, stored_sha256, split_part(resource, '/', 1) AS type, split_part(resource, '/', 2) AS name,
      split_part(resource, '/', 4)::int AS version
    FROM audit WHERE at BETWEEN $1 AND $2 AND interaction IN ('create', 'update', 'delete', 'refused')
      AND resource ~ '^[A-Za-z]+/[A-Za-z0-9.-]+/_history/[0-9]{1,9}$'),
  erased AS (SELECT split_part(resource, '/', 1) AS type, split_part(resource, '/', 2) AS name, max(id) AS id
    FROM audit WHERE interaction = 'purge' AND at >= $1 GROUP BY 1, 2),
  written AS MATERIALIZED (SELECT t.* FROM told t LEFT JOIN erased e USING (type, name) WHERE e.id IS NULL OR t.id > e.id)"""
_VERSIONS = f"""{_WRITTEN},
  stored AS (SELECT r.type, r.id AS name, v.version, v.method, v.updated_at, v.body
    FROM version v JOIN resource r USING (key) WHERE r.source = '' AND v.updated_at BETWEEN $1 AND $2),
  compared AS (SELECT type, name, version, w.id AS audit, w.interaction, s.method,
      w.id IS NOT NULL AS was_written, s.method IS NOT NULL AS is_stored,
      w.stored_sha256 = '' OR w.stored_sha256 = encode(sha256(convert_to(s.body, 'UTF8')), 'hex') AS same_text,
      w.at = s.updated_at AS same_time
    FROM written w FULL JOIN stored s USING (type, name, version))
  SELECT * FROM compared WHERE NOT was_written OR NOT is_stored OR NOT same_text OR NOT same_time
    OR method <> CASE interaction WHEN 'create' THEN 'POST' WHEN 'update' THEN 'PUT' WHEN 'delete' THEN 'DELETE' ELSE method END
  ORDER BY type, name, version LIMIT $3"""
_CURRENT = f"""{_WRITTEN},
  last AS (SELECT DISTINCT ON (type, name) type, name, version, interaction, at FROM written ORDER BY type, name, version DESC)
  SELECT l.type, l.name, l.version AS last, r.version AS current, r.deleted, l.interaction, l.at = r.updated_at AS same_time,
    r.key IS NOT NULL AS there
  FROM last l LEFT JOIN resource r ON r.type = l.type AND r.id = l.name AND r.source = ''
  WHERE r.key IS NULL OR r.version <> l.version OR NOT l.at = r.updated_at
    OR (l.interaction <> 'refused' AND r.deleted <> (l.interaction = 'delete'))
    OR (l.interaction = 'refused' AND r.deleted <> coalesce(
         (SELECT v.method = 'DELETE' FROM version v WHERE v.key = r.key AND v.version = l.version), r.deleted))
  ORDER BY l.type, l.name LIMIT $3"""
# What was written, not what lies there: the strays say where the two differ. The order does not matter: nothing is sorted.
_DIGEST = f"""{_WRITTEN} SELECT count(*) AS versions,
    coalesce(bit_xor(('x' || left(stored_sha256, 16))::bit(64)::bigint), 0)::text AS digest FROM written"""


async def strays(reader: Reader, since: datetime, until: datetime) -> AsyncIterator[Stray]:
    """The first thousand versions written from `since` to `until` that are not as written, and as many wrong pointers.

    Which version is current is told by all that was written from `since` on.
    """
    for row in await reader.fetch(_VERSIONS, since, until, MOST_NAMED):
        about = f"{row['type']}/{row['name']}/_history/{row['version']}"
        if not row["was_written"]:
            yield Stray("version-added", about)
        elif not row["is_stored"]:
            yield Stray("version-missing", about, f"audit {row['audit']}")
        elif not row["same_text"]:
            yield Stray("version-changed", about, f"audit {row['audit']}")
        else:
            differs = "time" if not row["same_time"] else f"method {row['method']}, written by {row['interaction']}"
            yield Stray("version-altered", about, f"audit {row['audit']}: {differs}")
    for row in await reader.fetch(_CURRENT, since, LAST, MOST_NAMED):
        about = f"{row['type']}/{row['name']}"
        if not row["there"]:
            yield Stray("pointer", about, f"no current version; the last one written is {row['last']}")
        elif row["current"] != row["last"]:
            yield Stray("pointer", about, f"{row['current']} is current, {row['last']} was written last")
        elif not row["same_time"]:
            yield Stray("pointer", about, "its time is not that of its last version")
        else:
            yield Stray("deleted-flag", about, f"deleted is {str(row['deleted']).lower()}")


async def digest(reader: Reader, since: datetime, until: datetime) -> tuple[int, str]:
    """How many versions the trail says were written from `since` to `until`, and a digest of their texts (64 bits)."""
    row = await reader.fetchrow(_DIGEST, since, until)
    return row["versions"], row["digest"]
