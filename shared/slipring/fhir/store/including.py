"""What goes with a page of matches: resources they refer to, and resources that refer to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from slipring.fhir.search.condition import Condition
from slipring.fhir.search.parameter import SearchParameter
from slipring.fhir.store.comparisons import Arguments
from slipring.fhir.store.conditions import all_of
from slipring.fhir.store.reading import Reader, Row

# How a reference row `s` leads to a resource: by type and id, or by the canonical URL that the resource has.
_BY_ID = "{to}.type = s.type AND {to}.id = s.id"
_BY_URL = "s.type = '' AND u.code = s.id AND u.key = {to}.key AND u.parameter = {to}.type || '.url'"


async def referred(
    reader: Reader,
    rows: Sequence[Row],
    parameters: Sequence[SearchParameter],
    types: Mapping[str, tuple[Condition, ...]],
    seen: Collection[int],
    limit: int,
) -> list[Row]:
    """Own resources of these types that the rows refer to by these parameters, without those seen already.

    `types` says what of each type there is to be found.
    """
    return await _linked(reader, rows, parameters, types, seen, limit, to="r", ends="s.key = ANY($1::bigint[])")


async def referring(
    reader: Reader,
    rows: Sequence[Row],
    parameters: Sequence[SearchParameter],
    types: Mapping[str, tuple[Condition, ...]],
    seen: Collection[int],
    limit: int,
) -> list[Row]:
    """Own resources of these types that refer to the rows by these parameters, without those seen already."""
    ends = "h.key = ANY($1::bigint[]) AND r.key = s.key"
    return await _linked(reader, rows, parameters, types, seen, limit, to="h", ends=ends)


async def _linked(
    reader: Reader,
    rows: Sequence[Row],
    parameters: Sequence[SearchParameter],
    types: Mapping[str, tuple[Condition, ...]],
    seen: Collection[int],
    limit: int,
    *,
    to: str,
    ends: str,
) -> list[Row]:
    found: dict[int, Row] = {}
    for canonical in (False, True):
        keys = [key for parameter in parameters if parameter.canonical is canonical for key in parameter.keys]
        if not keys or not rows:
            continue
        tables = "search_reference s, resource r" + (", resource h" if to == "h" else "")
        tables += ", search_token u" if canonical else ""
        arguments = Arguments()
        arguments += [[row.key for row in rows], keys, list(types), list(seen)]
        sql = (
            f"SELECT DISTINCT r.key, r.type, r.id, r.version, r.updated_at, r.source FROM {tables} "
            f"WHERE {ends} AND {(_BY_URL if canonical else _BY_ID).format(to=to)} AND s.parameter = ANY($2::text[]) "
            "AND r.source = '' AND NOT r.deleted AND r.type = ANY($3::text[]) AND NOT r.key = ANY($4::bigint[]) "
            f"AND {_within(types, arguments)} ORDER BY r.key LIMIT {int(limit)}"
        )
        records = await reader.fetch(
            f"SELECT t.*, v.body FROM ({sql}) t JOIN version v ON v.key = t.key AND v.version = t.version ORDER BY t.key",
            *arguments,
        )
        found |= {
            record["key"]: Row(
                record["key"],
                record["type"],
                record["id"],
                record["version"],
                record["updated_at"],
                False,
                record["source"],
                record["body"],
            )
            for record in records
        }
    return list(found.values())


def _within(types: Mapping[str, tuple[Condition, ...]], arguments: Arguments) -> str:
    """That a row lies within what there is of its type; types with the same conditions go together."""
    together: dict[tuple[Condition, ...], list[str]] = {}
    for kind, conditions in types.items():
        together.setdefault(conditions, []).append(kind)
    if together.keys() <= {()}:
        return "true"
    ways = (
        f"(r.type = ANY({arguments.add(kinds, 'text[]')}) AND {all_of(conditions, arguments)})"
        for conditions, kinds in together.items()
    )
    return f"({' OR '.join(ways)})"
