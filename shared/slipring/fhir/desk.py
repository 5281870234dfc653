"""The desk that handlers read from: the store, the clock, the caller, and what this request is about to write."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from slipring.fhir.caller import Caller
from slipring.fhir.outcome import busy
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import matches
from slipring.fhir.service import Seals, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.batch import Relied, Unreferred
from slipring.fhir.store.reading import Reader, Row

_SEARCH_LIMIT = 5000


class LiveDesk:
    """Implements `slipring.fhir.service.Desk` on one schema; pending writes lie over what is stored."""

    def __init__(
        self,
        reader: Reader,
        *,
        searcher: Reader,
        types: Collection[str],
        letter: str,
        now: datetime,
        caller: Caller,
        settings: Any,
        zone: ZoneInfo,
        seals: Seals,
    ) -> None:
        self.now = now
        self.caller = caller
        self.settings = settings
        self.seals = seals
        self.reader = reader
        self._searcher = searcher
        self._types = types
        self._letter = letter
        self.zone = zone
        self._pending: dict[str, Stored] = {}
        self._read: dict[str, Row | None] = {}
        self.relied = Relied()  # all that was looked at in the store: it must still stand when the act is committed

    def put(self, stored: Stored) -> None:
        """Lay a pending write over the store."""
        self._pending[stored.reference] = stored

    async def read(self, reference: str) -> Stored | None:
        """The current version of `Type/id`, own or followed; None when absent or deleted."""
        resource_type, _, resource_id = reference.partition("/")
        resource_id = resource_id.partition("/_history/")[0]
        pending = self._pending.get(f"{resource_type}/{resource_id}")
        if pending:
            return None if pending.deleted else pending
        name = f"{resource_type}/{resource_id}"
        if name not in self._read:  # what was read once stays the same for this act: it must stand until the commit
            self._read[name] = await reading.current(self.reader, resource_type, resource_id)
        row = self._read[name]
        self.relied.saw(name, row.version if row else 0)
        return row.stored() if row and not row.deleted else None

    async def read_version(self, reference: str, version: int) -> Stored | None:
        """One earlier version of a resource kept here."""
        resource_type, _, resource_id = reference.partition("/")
        row = await reading.version(self.reader, resource_type, resource_id, version)
        return row.stored() if row and row.method != "DELETE" else None

    async def search(self, query: str) -> list[Stored]:
        """All current matches, own and followed."""
        [found] = await self.searches([query])
        return found

    async def searches(self, queries: Sequence[str]) -> list[list[Stored]]:
        """The matches of several searches, asked of the store at once."""
        asked = [self._criteria(query) for query in queries]
        if len(asked) == 1:
            answers = [await reading.search(self._searcher, asked[0], source=None, limit=_SEARCH_LIMIT + 1)]
        else:  # narrow ones, asked again and again in the same shape: their plan is worth keeping
            answers = await reading.searches(self.reader, asked, limit=_SEARCH_LIMIT + 1) if asked else []
        return [self._looked_at(criteria, found) for criteria, found in zip(asked, answers, strict=True)]

    def _criteria(self, query: str) -> Criteria:
        resource_type, _, text = query.partition("?")
        return parse(resource_type, parse_qsl(text, keep_blank_values=True), zone=self.zone, types=self._types)

    def _looked_at(self, criteria: Criteria, found: Sequence[Row]) -> list[Stored]:
        """What a search found, noted as relied on, under what this act is about to write."""
        if len(found) > _SEARCH_LIMIT:
            raise busy(
                "Too many matches to decide on.", "匹配结果过多，无法判断。", detail="kernel.too-many-matches-decide"
            )
        self.relied.searches.append((criteria, frozenset(row.reference for row in found)))
        for row in found:
            self.relied.saw(row.reference, row.version)
        hits = [row.stored() for row in found if row.reference not in self._pending]
        return hits + [
            stored
            for stored in self._pending.values()
            if not stored.deleted
            and stored.resource["resourceType"] == criteria.type
            and matches(criteria, rows(stored.resource, self.zone), stored.resource)
        ]

    async def stood(self, reference: str) -> Stored | None:
        """What stands in the store under the pending writes; it is not relied on."""
        kind, _, name = reference.partition("/")
        row = await reading.current(self.reader, kind, name)
        return row.stored() if row else None

    async def referrer(self, asked: Unreferred) -> str | None:
        """Who refers to a resource; that nobody does is relied on."""
        self.relied.unreferred.append(asked)
        return await reading.referrer(self.reader, asked)

    def new_id(self) -> str:
        """A fresh id with the service's letter."""
        return f"{self._letter}-{uuid.uuid4()}"

    async def next_value(self, sequence: str) -> int:
        """The next number of a database sequence; gaps are fine, repeats are not."""
        return int(await self.reader.fetchval("SELECT nextval($1::text::regclass)", sequence))

    async def as_of(self, service: str) -> datetime | None:
        """Up to when the copies that follow this service are complete."""
        moment: datetime | None = await self.reader.fetchval(
            "SELECT min(as_of) FROM follow WHERE source = $1 HAVING bool_and(filled)", service
        )
        return moment
