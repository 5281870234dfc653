"""What is searched and counted against the records it is made from: a row taken away hides a record, one changed tells another figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from slipring.fhir.service import Service
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.store.reindex import form_of_rows, kept_form, made_of, read
from slipring.fhir.store.written import MOST_NAMED
from slipring.upkeep.audit.finding import SchemaReport

_TOGETHER = 500
_COUNTED = "counted"
# A subscription is found by the state that its lane is in, which is no version (`fhir/delivery/life.py`).
_CURRENT = """SELECT r.key, r.type, r.id, CASE WHEN r.deleted THEN NULL ELSE v.body END AS body, nullif(s.searched_as, '') AS lane
  FROM resource r JOIN version v ON v.key = r.key AND v.version = r.version
  LEFT JOIN subscription s ON r.type = 'Subscription' AND s.id = r.id WHERE r.key > $1 ORDER BY r.key LIMIT $2"""
_SUMS = """WITH made AS (SELECT population, {span} AS day, marks, counted_step(value) AS step, count(*) AS members,
      sum(first::numeric) AS first, sum(second::numeric) AS second FROM counted WHERE NOT remark GROUP BY 1, 2, 3, 4),
  kept AS (SELECT population, day, marks, step, sum(members) AS members, sum(first) AS first, sum(second) AS second
    FROM {table} GROUP BY 1, 2, 3, 4 HAVING sum(members) <> 0 OR sum(first) <> 0 OR sum(second) <> 0)
  SELECT DISTINCT coalesce(m.population, k.population) AS population, coalesce(m.day, k.day) AS day
  FROM made m FULL JOIN kept k ON k.population = m.population AND k.day = m.day AND k.marks = m.marks
    AND k.step IS NOT DISTINCT FROM m.step
  WHERE (m.members, m.first, m.second) IS DISTINCT FROM (k.members, k.first, k.second) ORDER BY 1, 2 LIMIT $1"""
_SPANS = {
    "counted_sum": "(at AT TIME ZONE 'UTC')::date",
    "counted_month": "date_trunc('month', at AT TIME ZONE 'UTC')::date",
}


async def check_derived(
    connection: asyncpg.Connection,
    report: SchemaReport,
    service: Service,
    zone: ZoneInfo,
    tell: Callable[[int, int], None],
) -> None:
    """Name every record whose search or counted rows are not those it makes, and every sum that is not that of its rows.

    Where the rows are of an earlier release or another time zone they are only said to be so: the service writes them
    anew when it starts. `tell`: records done, records in all.
    """
    if await kept_form(connection) != form_of_rows(zone, service.counts_form):
        report.found("rows-older", "search rows")
        return
    everything = await connection.fetchval("SELECT count(*) FROM resource")
    changed = {finding.about.partition("/_history/")[0] for finding in report.findings}
    after, done, named = 0, 0, 0
    while named < MOST_NAMED and (page := await connection.fetch(_CURRENT, after, _TOGETHER)):
        kept = await _kept(connection, [one["key"] for one in page])
        for one in page:
            about = f"{one['type']}/{one['id']}"
            if about in changed:  # its text was: what it would make now is no measure
                continue
            for table in _differing(one["body"], one["lane"], kept.get(one["key"], {}), service, zone):
                named += 1
                report.found("count-differs" if table == _COUNTED else "search-differs", about, table)
        after, done = page[-1]["key"], done + len(page)
        tell(done, everything)
    for table, span in _SPANS.items():
        for row in await connection.fetch(_SUMS.format(table=table, span=span), MOST_NAMED):
            report.found("sum-differs", f"{row['population']} {row['day']}", table)


Kept = dict[str, Counter[tuple[Any, ...]]]


async def _kept(connection: asyncpg.Connection, keys: list[int]) -> dict[int, Kept]:
    found: dict[int, Kept] = {}
    for table, columns, _, _ in FAMILIES:
        sql = f"SELECT key, {', '.join(columns)} FROM {table} WHERE key = ANY($1::bigint[])"
        for key, *row in await connection.fetch(sql, keys):
            found.setdefault(key, {}).setdefault(table, Counter())[tuple(row)] += 1
    return found


def _differing(body: str | None, lane: str | None, kept: Kept, service: Service, zone: ZoneInfo) -> list[str]:
    """The tables whose rows are not those that a record makes; one that is deleted makes none."""
    made: Kept = {}
    if body is not None:
        resource = read(body)
        if lane is not None:
            resource["status"] = lane
        found = made_of(resource, zone, service)
        made = {table: Counter(map(tuple, getattr(found, attribute))) for table, _, _, attribute in FAMILIES}
    return [table for table, *_ in FAMILIES if made.get(table, Counter()) != kept.get(table, Counter())]
