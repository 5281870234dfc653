"""What a verdict rests on: the versions that stood at a moment, each with its hash and with what the trail says of it.

A version that stands now stood at an earlier moment when it was written before it; of what was written since, the
version that stood then is looked up and matched by its own rows, as `search/match.py` does. Only what is kept here
counts: a copy has its trail at its keeper.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

import asyncpg
import msgspec

from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import matches
from slipring.fhir.service import Evidence, Resource, Stored
from slipring.fhir.store.comparisons import Arguments
from slipring.fhir.store.conditions import matching
from slipring.fhir.store.reading import Reader

_DECODER = msgspec.json.Decoder(dict, float_hook=Decimal)
_AT_ONCE = 1000
# A row of the trail is written in the commit of its version and bears its time: the index on that time finds it.
_WITH_TRAIL = """SELECT t.key, t.type, t.id, t.version, v.updated_at, v.method, v.body,
    encode(sha256(convert_to(v.body, 'UTF8')), 'hex') AS sha256, a.stored_sha256 AS told,
    t.pointed < (SELECT max(w.version) FROM version w WHERE w.key = t.key) AS passed_over
  FROM ({chosen}) t JOIN version v ON v.key = t.key AND v.version = t.version
  LEFT JOIN LATERAL (SELECT a.stored_sha256 FROM audit a WHERE a.at = v.updated_at
    AND a.resource = t.type || '/' || t.id || '/_history/' || t.version
    AND a.interaction IN ('create', 'update', 'delete', 'refused') LIMIT 1) a ON true
  ORDER BY t.key"""
_STOOD = """SELECT r.key, r.type, r.id, r.version AS pointed, (SELECT max(v.version) FROM version v WHERE v.key = r.key
    AND v.updated_at <= $2) AS version
  FROM resource r WHERE r.type = $1 AND r.source = '' AND r.updated_at > $2 AND r.key > $3 ORDER BY r.key LIMIT $4"""


async def stood(reader: Reader, criteria: Criteria, at: datetime, zone: tzinfo) -> AsyncIterator[Evidence]:
    """Every match as it stood at a moment: what has not changed since first, then what has; each in the order of its keys."""
    after = 0
    while True:
        arguments = Arguments()
        joined, where = matching(criteria, "", arguments)
        chosen = (
            f"SELECT r.key, r.type, r.id, r.version, r.version AS pointed FROM resource r{joined} WHERE {where} "
            f"AND r.updated_at <= {arguments.add(at, 'timestamptz')} AND r.key > {arguments.add(after, 'bigint')} "
            f"ORDER BY r.key LIMIT {arguments.add(_AT_ONCE, 'bigint')}"
        )
        page = await reader.fetch(_WITH_TRAIL.format(chosen=chosen), *arguments)
        for record in page:
            yield _as_evidence(record)
        if len(page) < _AT_ONCE:
            break
        after = page[-1]["key"]
    async for one in _changed_since(reader, criteria, at, zone):
        yield one


async def _changed_since(reader: Reader, criteria: Criteria, at: datetime, zone: tzinfo) -> AsyncIterator[Evidence]:
    after = 0
    while True:
        page = await reader.fetch(_WITH_TRAIL.format(chosen=_STOOD), criteria.type, at, after, _AT_ONCE)
        for record in page:
            if record["method"] == "DELETE":
                continue
            found = _as_evidence(record)
            if matches(criteria, rows(found.stored.resource, zone), found.stored.resource, record["updated_at"]):
                yield found
        # What did not exist yet has no version of then and falls out of the join: the page is measured by its last key.
        following = await reader.fetchval(
            "SELECT max(key) FROM (SELECT r.key FROM resource r WHERE r.type = $1 AND r.source = '' AND r.updated_at > $2 "
            "AND r.key > $3 ORDER BY r.key LIMIT $4) t",
            criteria.type,
            at,
            after,
            _AT_ONCE,
        )
        if following is None:
            return
        after = following


class _Text(Stored):
    """A version as its text, read each time it is looked at: a quarter's exams as trees take gigabytes."""

    __slots__ = ("_name", "_text")
    _name: str
    _text: str

    def __init__(self, name: str, text: str, version: int, updated_at: datetime) -> None:
        for member, value in (
            ("_name", name), ("_text", text), ("version", version), ("updated_at", updated_at), ("source", ""),
            ("deleted", False), ("audience", None),
        ):  # fmt: skip
            object.__setattr__(self, member, value)

    @property
    def resource(self) -> Resource:
        """The tree; not to be changed by whoever reads it."""
        return _decoded(self._text)

    @property
    def reference(self) -> str:
        """The relative reference, `Type/id`."""
        return self._name


@lru_cache(maxsize=64)  # what a judge looks at more than once before it goes on
def _decoded(text: str) -> Resource:
    tree: Resource = _DECODER.decode(text)
    return tree


def _as_evidence(record: asyncpg.Record) -> Evidence:
    name = f"{record['type']}/{record['id']}"
    told = record["told"]  # '' = written by a release that did not note it yet
    return Evidence(
        _Text(name, record["body"], record["version"], record["updated_at"]),
        record["sha256"],
        altered=told is None or told not in ("", record["sha256"]) or record["passed_over"],
    )
