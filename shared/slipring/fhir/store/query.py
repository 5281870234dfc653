"""A search as SQL text and arguments (pure): pages by keyset, so that none is dropped or repeated, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.search.criteria import Criteria, Sort
from slipring.fhir.store.comparisons import Arguments
from slipring.fhir.store.conditions import TABLES, matching

# The column a sort looks at; several rows of one resource count by their lowest (ascending) or highest.
_SORTED = {
    "token": 's.code COLLATE "C"',
    "uri": 's.code COLLATE "C"',
    "date": "s.low",
    "string": 's.folded COLLATE "C"',
    "reference": 's.id COLLATE "C"',
    "number": "s.low",
    "quantity": "s.low",
}
_COLUMNS = {"_id": 'r.id COLLATE "C"', "_lastUpdated": "r.updated_at"}


def page(
    criteria: Criteria, *, source: str | None, after: Sequence[Any] | None = None, limit: int
) -> tuple[str, list[Any]]:
    """One page of what is current and not deleted.

    `source`: '' = kept here, a service's name = its copies, None = all. `after`: `cursor_of` the last row seen.
    """
    if len(criteria.sort) == 1 and criteria.sort[0].parameter.type == "date" and not criteria.sort[0].parameter.column:
        return _page_by_date(criteria, source, after, limit)
    arguments = Arguments()
    joined, where = matching(criteria, source, arguments)
    sorts = [_sort_value(rule, arguments) for rule in criteria.sort]
    backwards = bool(criteria.sort) and criteria.sort[-1].descending
    columns = "".join(f", {value} AS s{n}" for n, value in enumerate(sorts, 1))
    inner = f"SELECT r.key, r.type, r.id, r.version, r.updated_at, r.source, r.audience{columns} FROM resource r{joined} WHERE {where}"
    order = ", ".join(
        [f"t.s{n} {_direction(rule)}" for n, rule in enumerate(criteria.sort, 1)]
        + [f"t.key {'DESC' if backwards else 'ASC'}"]
    )
    follows = f"WHERE {_keyset(criteria.sort, after, backwards, arguments)}" if after is not None else ""
    chosen = f"SELECT t.* FROM ({inner}) t {follows} ORDER BY {order} LIMIT {arguments.add(limit, 'bigint')}"
    body = f"({chosen}) t JOIN version v ON v.key = t.key AND v.version = t.version"
    return f"SELECT t.*, v.body FROM {body} ORDER BY {order}", list(arguments)


def _page_by_date(
    criteria: Criteria, source: str | None, after: Sequence[Any] | None, limit: int
) -> tuple[str, list[Any]]:
    """The commonest sort, led by the index on the dates instead of sorting all matches.

    `dated` walks that index; `undated` comes last and is not even looked for while `dated` fills the page. The CASE
    keeps the planner from taking "the row that counts" for a rare thing and sorting everything after all.
    """
    rule = criteria.sort[0]
    direction, beyond = ("DESC", "<") if rule.descending else ("ASC", ">")
    arguments = Arguments()
    joined, where = matching(criteria, source, arguments)
    key, most = arguments.add(rule.parameter.key, "text"), arguments.add(limit, "bigint")
    dated, undated = "true", "true"
    if after is not None and after[0] is not None:
        dated = f"(d.low, d.key) {beyond} ({_held(rule, after[0], arguments)}, {arguments.add(after[1], 'bigint')})"
    elif after is not None:
        dated, undated = "false", f"r.key {beyond} {arguments.add(after[1], 'bigint')}"
    columns = "r.key, r.type, r.id, r.version, r.updated_at, r.source, r.audience"
    rows = f"search_date x WHERE x.key = r.key AND x.parameter = {key}"
    # The same key, but a planner tries an EXISTS only after the table it names: here, before any resource is read.
    of_dated = where.replace("s.key = r.key", "s.key = d.key")
    sql = f"""WITH dated AS MATERIALIZED (
        SELECT {columns}, d.low AS s1 FROM search_date d JOIN resource r ON r.key = d.key{joined}
        WHERE d.parameter = {key} AND {dated} AND {of_dated}
          AND CASE WHEN d.ctid = (SELECT x.ctid FROM {rows} ORDER BY x.low {direction}, x.ctid LIMIT 1) THEN true ELSE false END
        ORDER BY d.low {direction}, d.key {direction} LIMIT {most}
      ), undated AS (
        SELECT {columns}, NULL::timestamptz AS s1 FROM resource r{joined}
        WHERE (SELECT count(*) FROM dated) < {most} AND {undated} AND {where} AND NOT EXISTS (SELECT 1 FROM {rows})
        ORDER BY r.key {direction} LIMIT {most}
      )
      SELECT t.*, v.body FROM (SELECT * FROM dated UNION ALL SELECT * FROM undated) t
      JOIN version v ON v.key = t.key AND v.version = t.version
      ORDER BY t.s1 {direction} NULLS LAST, t.key {direction} LIMIT {most}"""
    return sql, list(arguments)


def count(criteria: Criteria, *, source: str | None) -> tuple[str, list[Any]]:
    """How many resources match."""
    arguments = Arguments()
    joined, where = matching(criteria, source, arguments)
    return f"SELECT count(*) FROM resource r{joined} WHERE {where}", list(arguments)


# Asked so, every timer is looked at once whatever is known of how many there are; to look for each resource's own, ten
# thousand times among ten thousand, takes seconds until the database has counted them.
NOT_ARMED = "r.type || '/' || r.id NOT IN (SELECT w.subject FROM timer w WHERE w.kind = 'timer')"


def without_timer(criteria: Criteria, *, most: int) -> tuple[str, list[Any]]:
    """The references (`subject`) of what is kept here and matches although no timer is armed for it."""
    arguments = Arguments()
    joined, where = matching(criteria, "", arguments)
    sql = f"SELECT r.type || '/' || r.id AS subject FROM resource r{joined} WHERE {where} AND {NOT_ARMED}"
    return f"{sql} ORDER BY r.key LIMIT {arguments.add(most, 'bigint')}", list(arguments)


def cursor_of(criteria: Criteria, record: Mapping[str, Any]) -> list[Any]:
    """The sort values and key of a result row, as JSON can hold them; `page(after=...)` goes on from there."""
    found = [record[f"s{n}"] for n in range(1, len(criteria.sort) + 1)]
    return [_plain(value) for value in found] + [record["key"]]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


# --- in which order, from where ----------------------------------------------------------------------------------


def _direction(rule: Sort) -> str:
    """Every resource has its columns; only as it stands does their index give the order backwards."""
    nulls = "" if rule.parameter.column else " NULLS LAST"
    return f"{'DESC' if rule.descending else 'ASC'}{nulls}"


def _sort_value(rule: Sort, arguments: Arguments) -> str:
    if rule.parameter.column:
        return _COLUMNS[rule.parameter.code]
    extreme = "max" if rule.descending else "min"
    keys = arguments.add(list(rule.parameter.keys), "text[]")
    return (
        f"(SELECT {extreme}({_SORTED[rule.parameter.type]}) FROM {TABLES[rule.parameter.family]} s "
        f"WHERE s.key = r.key AND s.parameter = ANY({keys}))"
    )


def _keyset(sort: Sequence[Sort], after: Sequence[Any], backwards: bool, arguments: Arguments) -> str:
    """Rows behind the cursor: equal in the first sort values and behind in the next, or behind by key."""
    equal: list[str] = []
    behind: list[str] = []
    bounds: list[str] = []
    for n, (rule, value) in enumerate(zip(sort, after[:-1], strict=True), 1):
        column = f"t.s{n}"
        if value is None:  # nothing lies behind "no value" but others without
            equal.append(f"{column} IS NULL")
            continue
        held = _held(rule, value, arguments)
        less = "<" if rule.descending else ">"
        beyond = f"{column} {less} {held}"
        if rule.parameter.column and not equal:
            bounds.append(f"{column} {less}= {held}")  # says nothing new, but lets an index start there
        behind.append(" AND ".join([*equal, beyond if rule.parameter.column else f"({beyond} OR {column} IS NULL)"]))
        equal.append(f"{column} = {held}")
    key = arguments.add(after[-1], "bigint")
    behind.append(" AND ".join([*equal, f"t.key {'<' if backwards else '>'} {key}"]))
    return " AND ".join([*bounds, "(" + " OR ".join(f"({part})" for part in behind) + ")"])


def _held(rule: Sort, value: Any, arguments: Arguments) -> str:
    if rule.parameter.type == "date":
        return arguments.add(datetime.fromisoformat(value) if isinstance(value, str) else value, "timestamptz")
    if rule.parameter.family == "quantity":
        return arguments.add(Decimal(value), "numeric")
    return arguments.add(value, "text") + ' COLLATE "C"'
