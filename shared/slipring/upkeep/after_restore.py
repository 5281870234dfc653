"""What must happen in the transaction that restores a database, as SQL.

Time has gone back for the installation, but not for those around it. So numbers skip ahead, copies fill again,
what may have been sent is marked as a repeat, assertions that may have been used are refused, and people sign in anew.
"""

from __future__ import annotations

import math
import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.store.batch import Audit
from slipring.identity.token import ASSERTIONS_FROM
from slipring.sealing.sealer import SKIP
from slipring.upkeep.contents import AUDIT, VERSIONS, literal, quote
from slipring.upkeep.installed import installed
from slipring.upkeep.manifest import Manifest

_GOOD_ONCE = ("session", "authorization_code", "refresh_token")


def check_contents(manifest: Manifest) -> str:
    """Compare what was read back with the manifest; a difference undoes everything."""
    checks: list[str] = []
    for schema, record in manifest.schemas.items():
        quoted = quote(schema)
        wanted = [
            (name, f"SELECT count(*)::text FROM {quoted}.{quote(name)}", str(n)) for name, n in record.tables.items()
        ]
        wanted.append(("version texts", VERSIONS.format(schema=quoted), record.versions))
        wanted.append(("audit rows", AUDIT.format(schema=quoted), record.audit))
        checks += [
            f"IF ({query}) <> {literal(told)} THEN RAISE EXCEPTION USING MESSAGE ="
            f" {literal(f'{schema}: the {what} are not those of the manifest')}; END IF;"
            for what, query, told in wanted
        ]
    return "DO $check$ BEGIN\n" + "\n".join(checks) + "\nEND $check$;\n"


def after_restore(manifest: Manifest, now: datetime) -> str:
    """Skip, refill, mark and record, for every schema."""
    skip = _data()
    gap = max(timedelta(0), now - datetime.fromisoformat(manifest.made_at))
    numbers = skip["numbers_once"] + skip["numbers_per_day"] * math.ceil(gap / timedelta(days=1))
    declared = {f"{manifest.schema_prefix}{name}": service.sequences for name, service in installed().items()}
    parts = [
        _schema(schema, tuple(declared.get(schema, ())), numbers, skip["others"], manifest, now)
        for schema in manifest.schemas
    ]
    front = quote(f"{manifest.schema_prefix}front")
    parts.append(
        f"INSERT INTO {front}.mark (name, value) VALUES ('{ASSERTIONS_FROM}', '{math.ceil(now.timestamp())}')"
        " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value;"
    )
    # What is good once may have been used after the backup, and who signed out since must not be in again.
    kept = manifest.schemas.get(f"{manifest.schema_prefix}front")
    parts += [f"DELETE FROM {front}.{name};" for name in _GOOD_ONCE if kept is not None and name in kept.tables]
    return "\n".join(parts)


def _schema(
    schema: str, declared: tuple[str, ...], numbers: int, others: int, manifest: Manifest, now: datetime
) -> str:
    quoted, listed = quote(schema), ", ".join(map(literal, declared)) or "NULL"
    return f"""
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass,
    coalesce(last_value, 0) + CASE WHEN sequencename IN ({listed}) THEN {numbers} ELSE {others} END)
  FROM pg_sequences WHERE schemaname = {literal(schema)};
UPDATE {quoted}.delivery SET number = number + {others}, attempts = greatest(attempts, 1) WHERE state = 'waiting';
UPDATE {quoted}.subscription s SET last_number = last_number + {others}, fence = fence + {others}, worker = NULL,
    lease_until = NULL, next_attempt_at = NULL, delivered_number = CASE WHEN EXISTS (SELECT FROM {quoted}.delivery d
    WHERE d.subscription = s.id AND d.state = 'waiting') THEN delivered_number ELSE last_number END + {others};
UPDATE {quoted}.timer SET fence = fence + {others}, worker = NULL, lease_until = NULL,
    attempts = CASE kind WHEN 'errand' THEN greatest(attempts, 1) ELSE attempts END;
UPDATE {quoted}.follow SET filled = false, as_of = NULL;
INSERT INTO {quoted}.mark (name, value) VALUES ({literal(SKIP)}, '{others}')
    ON CONFLICT (name) DO UPDATE SET value = (mark.value::bigint + {others})::text;
{_audit(quoted, manifest, now)}"""


def _audit(quoted: str, manifest: Manifest, now: datetime) -> str:
    dump = manifest.members["database.dump"]["sha256"]
    row = Audit("slipring", "", "restore", "", f"backup-{manifest.made_at}", 200, body_sha256=dump)
    values = ", ".join(literal(value) for value in (row.client, row.practitioner, row.interaction, row.resource))
    return (
        f"INSERT INTO {quoted}.audit (at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256,"
        f" request_id, outcome, content_sha256) VALUES ({literal(now.isoformat())}::timestamptz, {values}, '{{}}', '{{}}',"
        f" {literal(dump)}, {literal(row.request_id)}, {row.outcome}, {literal(row.content_sha256(now))});"
    )


@cache
def _data() -> dict[str, Any]:
    with Path(__file__).with_name("restore.toml").open("rb") as file:
        return tomllib.load(file)
