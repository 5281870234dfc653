"""A made-up department's requests, the same for every run, loaded by COPY through the indexer that writes go through."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from slipring.fhir.search.index import rows
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.text import encode

SEED = 20260302
CODES = [f"{24600 + n}-{n % 10}" for n in range(40)]  # the last ones are rare
BEGUN = datetime(2023, 1, 1, tzinfo=UTC)
_MINUTES = 3 * 365 * 24 * 60
_AT_ONCE = 10_000
_STATUSES, _SHARES = ("completed", "active", "revoked", "draft"), (70, 22, 6, 2)
_PRIORITIES = ("routine", "urgent", "stat")
_LAST_KEY = "SELECT coalesce(max(key), 0) FROM resource"
_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY($1::text[])"
)


def reference_of(number: int) -> str:
    """The id of the request with this number."""
    return f"o-{number:08x}-0000-4000-8000-000000000000"


def patient_of(number: int, choose: random.Random) -> str:
    """One of the patients when there are so many requests: ten requests each."""
    return f"Patient/o-{choose.randrange(max(1, number // 10)):08x}-1111-4000-8000-000000000000"


def requests(first: int, last: int) -> Iterator[tuple[int, datetime, dict[str, Any]]]:
    """Requests by number, each with the moment it was written; a number always gives the same one."""
    for number in range(first, last):
        choose = random.Random(SEED + number)
        at = BEGUN + timedelta(minutes=choose.randrange(_MINUTES))
        code = CODES[min(int(choose.expovariate(0.15)), len(CODES) - 1)]
        yield (
            number,
            at,
            {
                "resourceType": "ServiceRequest",
                "id": reference_of(number),
                "meta": {"versionId": "1", "lastUpdated": f"{at:%Y-%m-%dT%H:%M:%S}.000Z"},
                "identifier": [{"system": "urn:bench:placer", "value": f"PL{number}"}],
                "status": choose.choices(_STATUSES, _SHARES)[0],
                "intent": "order",
                "priority": choose.choices(_PRIORITIES, (85, 12, 3))[0],
                "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "subject": {"reference": patient_of(last, choose)},
                "requester": {"reference": f"Practitioner/o-doctor-{choose.randrange(200)}"},
                "authoredOn": f"{at:%Y-%m-%dT%H:%M:%S}Z",
                "reasonCode": [{"text": "synthetic"}],
            },
        )


async def grow(connection: asyncpg.Connection, first: int, last: int, say: Callable[[str], None]) -> None:
    """Load the requests from one number up to another; search indexes are made anew when most rows are new."""
    tables = [table for table, *_ in FAMILIES]
    anew = last - first > first
    indexes = await connection.fetch(_INDEXES, tables) if anew else []
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    for begin in range(first, last, _AT_ONCE):
        await _load(connection, begin, min(begin + _AT_ONCE, last))
        if (begin - first) % (10 * _AT_ONCE) == 0:
            say(f"loading {begin} of {last}")
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("SELECT setval('resource_key_seq', (SELECT max(key) FROM resource))")
    await connection.execute(f"VACUUM ANALYZE resource, version, {', '.join(tables)}")


async def _load(connection: asyncpg.Connection, first: int, last: int) -> None:
    key = int(await connection.fetchval(_LAST_KEY))
    resources, versions = [], []
    found: dict[str, list[tuple[Any, ...]]] = {table: [] for table, *_ in FAMILIES}
    for _, at, tree in requests(first, last):
        key += 1
        resources.append((key, tree["resourceType"], tree["id"], 1, at))
        versions.append((key, 1, at, "POST", encode(tree)))
        of_this = rows(tree)
        for table, _, _, attribute in FAMILIES:
            found[table] += [(key, *row) for row in getattr(of_this, attribute)]
    copy = connection.copy_records_to_table
    await copy("resource", records=resources, columns=("key", "type", "id", "version", "updated_at"))
    await copy("version", records=versions, columns=("key", "version", "updated_at", "method", "body"))
    for table, columns, *_ in FAMILIES:
        await copy(table, records=found[table], columns=("key", *columns))
