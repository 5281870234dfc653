"""Reads by id and searches by reference, any number of them in one statement whose text never changes.

Nearly all that a handler looks at is one of these: a resource by its id, or what refers to one, perhaps with a code. As
the text is always the same, its plan is made once for each connection; a round trip and a plan cost more than what
such a look finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from slipring.fhir.search.pointed import Pointed
from slipring.fhir.store.batch import array_text

# What a row `w` of what is asked finds: by reference, and by one of some codes where codes are asked for. Types and codes
# are compared as expressions, so that everything is reached by its key: before the first statistics of a table the planner
# would rather walk all of a type for each thing that refers, and a gate that looks at 1,500 observations took 13 seconds.
_MATCH = """search_reference s JOIN resource r ON r.key = s.key
    WHERE s.parameter = w.parameter AND s.id = w.id AND s.type = w.target AND r.type || '' = w.kind AND NOT r.deleted
      AND (w.codes IS NULL OR EXISTS (SELECT 1 FROM search_token t WHERE t.key = r.key AND t.parameter || '' = ANY(w.named::text[])
        AND t.code || '' = ANY(w.codes::text[]) AND (w.system IS NULL OR t.system = w.system)))"""
# The limits cut nothing off. Without them the planner knows how much is asked each time, plans anew each time, and gains
# nothing by it; so it takes the plan it has.
_ASKED = (
    "(SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) "
    "AS u(n, kind, parameter, target, id, named, codes, system) LIMIT $11::bigint) w"
)
_COLUMNS = "r.key, r.type, r.id, r.version, r.updated_at, r.deleted, r.source, r.audience"
FOUND = f"""SELECT t.*, v.updated_at AS written_at, v.body, v.method FROM (
    SELECT -1 AS n, {_COLUMNS} FROM (SELECT * FROM unnest($9::text[], $10::text[]) AS u(type, id) LIMIT $11::bigint) w
      JOIN resource r ON r.type = w.type AND r.id = w.id
    UNION ALL
    SELECT w.n, f.* FROM {_ASKED} CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM {_MATCH} LIMIT $12::bigint) f
  ) t JOIN version v ON v.key = t.key AND v.version = t.version"""
# The rows relied on or written, locked one by one in the order given, and what the searches find now. What is only
# relied on is shared, so that decisions on one fact do not queue.
STANDING = f"""SELECT -1 AS n, w.type || '/' || w.id AS reference, CASE
      WHEN w.written THEN (SELECT r.version FROM resource r WHERE r.type = w.type AND r.id = w.id FOR UPDATE)
      ELSE (SELECT r.version FROM resource r WHERE r.type = w.type AND r.id = w.id FOR SHARE) END AS version
    FROM (SELECT * FROM unnest($9::text[], $10::text[], $12::bool[]) AS u(type, id, written) LIMIT $11::bigint) w
  UNION ALL
  SELECT w.n, f.reference, 0 FROM {_ASKED} CROSS JOIN LATERAL (SELECT r.type || '/' || r.id AS reference FROM {_MATCH}) f"""
EVERYTHING = 2**31


def arguments(searches: Iterable[tuple[int, Pointed]], references: Sequence[str], last: Any) -> list[Any]:
    """The arguments of a look: searches with their numbers, references, and what stands last in the statement."""
    rows, pairs = list(_rows(searches)), [reference.partition("/") for reference in references]
    asked = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(8)]
    return [*asked, [pair[0] for pair in pairs], [pair[2] for pair in pairs], EVERYTHING, last]


def _rows(searches: Iterable[tuple[int, Pointed]]) -> Iterator[tuple[Any, ...]]:
    for n, one in searches:
        named, codes = array_text(one.named), array_text(one.codes)
        for target, name in one.targets:
            yield n, one.kind, one.parameter, target, name, named, codes, one.system
