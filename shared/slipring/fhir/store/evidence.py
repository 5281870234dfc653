"""What a verdict rests on: the versions that stood at a moment, each with its hash and with what the trail says of it.

A version that stands now stood at an earlier moment when it was written before it; of what was written since, the
version that stood then is looked up and matched by its own rows, as `search/match.py` does. Only what is kept here
counts: a copy has its trail at its keeper. Searches find the same versions over and over: each is read once.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import matches
from slipring.fhir.service import Evidence
from slipring.fhir.store.comparisons import Arguments
from slipring.fhir.store.conditions import matching
from slipring.fhir.store.held_texts import TOGETHER, HeldEvidence, HeldStored, Texts
from slipring.fhir.store.reading import Reader

_CHOSEN_AT_ONCE = 20_000  # keys: a search that is paged narrowly is carried out anew for each page
_READ_AT_ONCE = 512  # versions
_CHANGED = """SELECT r.key, (SELECT max(v.version) FROM version v WHERE v.key = r.key AND v.updated_at <= $2) AS version
  FROM resource r WHERE r.type = $1 AND r.source = '' AND r.updated_at > $2 AND r.key > $3 ORDER BY r.key LIMIT $4"""
# A row of the trail is written in the commit of its version and bears its time: the index on that time finds it.
_READ = """SELECT t.key, t.version, r.type || '/' || r.id || '/_history/' || t.version AS name, v.updated_at, v.method, v.body,
    a.stored_sha256 AS told, r.version < (SELECT max(w.version) FROM version w WHERE w.key = t.key) AS passed_over
  FROM unnest($1::bigint[], $2::int[]) t(key, version)
  JOIN resource r ON r.key = t.key JOIN version v ON v.key = t.key AND v.version = t.version
  LEFT JOIN LATERAL (SELECT a.stored_sha256 FROM audit a WHERE a.at = v.updated_at
    AND a.resource = r.type || '/' || r.id || '/_history/' || t.version
    AND a.interaction IN ('create', 'update', 'delete', 'refused') LIMIT 1) a ON true
  ORDER BY t.key"""
_Version = tuple[int, int]  # a resource's key, and its version


class Versions:
    """The versions that the searches of one act found. A deletion is None."""

    def __init__(self, reader: Reader, zone: tzinfo) -> None:
        self._reader = reader
        self._zone = zone
        self._held: dict[_Version, Evidence | None] = {}

    async def stood(self, criteria: Criteria, at: datetime) -> AsyncIterator[Evidence]:
        """Every match as it stood at a moment: what has not changed since first, then what has; each in the order of its keys."""
        after = 0
        while True:
            arguments = Arguments()
            joined, where = matching(criteria, "", arguments)
            page = await self._reader.fetch(
                f"SELECT r.key, r.version FROM resource r{joined} WHERE {where} "
                f"AND r.updated_at <= {arguments.add(at, 'timestamptz')} AND r.key > {arguments.add(after, 'bigint')} "
                f"ORDER BY r.key LIMIT {arguments.add(_CHOSEN_AT_ONCE, 'bigint')}",
                *arguments,
            )
            async for one in self._read(page):
                yield one
            if len(page) < _CHOSEN_AT_ONCE:
                break
            after = page[-1]["key"]
        async for one in self._changed_since(criteria, at):
            yield one

    async def _changed_since(self, criteria: Criteria, at: datetime) -> AsyncIterator[Evidence]:
        after = 0
        while page := await self._reader.fetch(_CHANGED, criteria.type, at, after, _CHOSEN_AT_ONCE):
            # What did not exist yet has no version of then.
            async for one in self._read([chosen for chosen in page if chosen["version"] is not None]):
                tree = one.stored.resource
                if matches(criteria, rows(tree, self._zone), tree, one.stored.updated_at):
                    yield one
            after = page[-1]["key"]

    async def _read(self, chosen: Sequence[Any]) -> AsyncIterator[Evidence]:
        """These versions, each read unless it is held."""
        for first in range(0, len(chosen), _READ_AT_ONCE):
            wanted: list[_Version] = [(key, version) for key, version in chosen[first : first + _READ_AT_ONCE]]
            lacking = [one for one in wanted if one not in self._held]
            if lacking:
                keys, versions = [list(of) for of in zip(*lacking, strict=True)]
                found = await self._reader.fetch(_READ, keys, versions)
                for number in range(0, len(found), TOGETHER):
                    self._held |= _packed(found[number : number + TOGETHER])
            for one in wanted:
                held = self._held.get(one)
                if held is not None:
                    yield held


def _packed(records: Sequence[Any]) -> dict[_Version, Evidence | None]:
    bodies = [str(one["body"]).encode() for one in records]
    texts = Texts(bodies)
    return {
        (record["key"], record["version"]): _evidence(record, hashlib.sha256(body).hexdigest(), texts, place)
        for place, (record, body) in enumerate(zip(records, bodies, strict=True))
    }


def _evidence(record: Any, sha256: str, texts: Texts, place: int) -> Evidence | None:
    if record["method"] == "DELETE":
        return None
    line, told = f"{record['name']} {sha256}", record["told"]  # '' = written by a release that did not note it yet
    return HeldEvidence(
        line,
        HeldStored(line, texts, place, record["version"], record["updated_at"]),
        altered=told is None or told not in ("", sha256) or record["passed_over"],
    )
