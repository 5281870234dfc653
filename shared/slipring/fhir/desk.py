"""The desk that handlers read from: the store, the clock, the caller, and what this request is about to write."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from slipring.fhir.caller import Caller
from slipring.fhir.outcome import busy
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.match import matches
from slipring.fhir.search.pointed import Pointed, pointed
from slipring.fhir.service import Ahead, Evidence, OpenAccount, Receiver, Seals, Stored, Vault, Wholeness
from slipring.fhir.store import reading, receivers, written
from slipring.fhir.store.counted import CountedRows
from slipring.fhir.store.evidence import Versions
from slipring.fhir.store.reading import Reader, Row
from slipring.fhir.store.relied import Relied, Unreferred
from slipring.qc.indicators.asked import Counting

_SEARCH_LIMIT = 5000

Accounts = Callable[[datetime], Awaitable[Sequence[OpenAccount]]]


async def no_accounts(at: datetime) -> Sequence[OpenAccount]:
    """Nobody signs in where no people are kept."""
    return ()


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
        vault: Vault,
        accounts: Accounts = no_accounts,
    ) -> None:
        self.now = now
        self.caller = caller
        self.settings = settings
        self.seals = seals
        self.vault = vault
        self.reader = reader
        self._accounts = accounts
        self.counting: Counting = CountedRows(searcher, zone)
        self._searcher = searcher
        self._versions = Versions(searcher, zone)
        self._types = types
        self._letter = letter
        self.zone = zone
        self._pending: dict[str, Stored] = {}
        self._pending_rows: dict[str, Rows] = {}
        # What was looked at once stays the same for this act: it must stand until the commit.
        self._read: dict[str, Row | None] = {}
        self._found: dict[str, tuple[Criteria, Sequence[Row]]] = {}
        self._decoded: dict[tuple[int, int], Stored] = {}
        self._asked: dict[str, Criteria] = {}
        self._as_of: dict[str, datetime | None] = {}  # the age a decision was made at is the age it tells
        self._made: set[str] = set()  # ids that are this act's own
        self.relied = Relied()  # all that was looked at in the store: it must still stand when the act is committed

    def put(self, stored: Stored) -> None:
        """Lay a pending write over the store."""
        self._pending[stored.reference] = stored
        self._pending_rows.pop(stored.reference, None)

    async def foresee(self, ahead: Ahead) -> None:
        """Look at once at what a handler is going to read and search; when it comes to it, it is here."""
        wanted = [one for one in dict.fromkeys(map(_unversioned, ahead.references)) if self._unread(one)]
        narrow = {
            query: one
            for query in ahead.queries
            if query not in self._found and (one := pointed(self._criteria(query)))
        }
        sought = [query for query, one in narrow.items() if not self._own(one)]
        self._found |= {query: (self._criteria(query), ()) for query in narrow if query not in sought}
        if not (wanted or sought):
            return
        asked = [narrow[query] for query in sought]
        standing, found = await reading.looked(self.reader, wanted, asked, limit=_SEARCH_LIMIT + 1)
        self._read |= {name: standing.get(name) for name in wanted}
        self._found |= {query: (self._criteria(query), rows) for query, rows in zip(sought, found, strict=True)}

    def _unread(self, name: str) -> bool:
        return "/" in name and name not in self._read and name not in self._pending

    def _own(self, search: Pointed) -> bool:
        """Whether it asks for what refers to this act's own new resources: nothing that is stored can."""
        return all(name in self._made for _, name in search.targets)

    async def read(self, reference: str) -> Stored | None:
        """The current version of `Type/id`, own or followed; None when absent or deleted, or when that names nothing."""
        name = _unversioned(reference)
        if "/" not in name:  # an element that was left out: no row can come to stand under it
            return None
        pending = self._pending.get(name)
        if pending:
            return None if pending.deleted else pending
        if name not in self._read:
            kind, _, resource_id = name.partition("/")
            self._read[name] = await reading.current(self.reader, kind, resource_id)
        row = self._read[name]
        self.relied.saw(name, row.version if row else 0)
        return self._tree(row) if row and not row.deleted else None

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
        await self.foresee(Ahead(queries=queries))
        others = {query: self._criteria(query) for query in queries if query not in self._found}
        asked = list(others.values())
        if len(asked) == 1:
            answers = [await reading.search(self._searcher, asked[0], source=None, limit=_SEARCH_LIMIT + 1)]
        else:  # narrow ones, asked again and again in the same shape: their plan is worth keeping
            answers = await reading.searches(self.reader, asked, limit=_SEARCH_LIMIT + 1) if asked else []
        self._found |= dict(zip(others, zip(asked, answers, strict=True), strict=True))
        return [self._looked_at(*self._found[query]) for query in queries]

    def evidence(self, query: str, at: datetime) -> AsyncIterator[Evidence]:
        """All matches kept here as they stood at a moment, however many."""
        return self._versions.stood(self._parsed(query), at)

    async def whole(self, since: datetime, until: datetime) -> Wholeness:
        """Whether what was written here from `since` to `until` is as the trail says."""
        count, digest = await written.digest(self._searcher, since, until)
        return Wholeness(count, digest, [stray async for stray in written.strays(self._searcher, since, until)])

    async def receivers(self, reference: str, since: datetime) -> list[Receiver]:
        """Who has read, found or been sent a resource kept here since then; services of the house are left out."""
        return await receivers.of(self.reader, reference, since)

    async def open_accounts(self, at: datetime) -> Sequence[OpenAccount]:
        """The accounts of the house that were open at a moment."""
        return await self._accounts(at)

    def _criteria(self, query: str) -> Criteria:
        if query not in self._asked:
            self._asked[query] = self._parsed(query)
        return self._asked[query]

    def _parsed(self, query: str) -> Criteria:
        resource_type, _, text = query.partition("?")
        pairs = parse_qsl(text, keep_blank_values=True)
        return parse(resource_type, pairs, zone=self.zone, types=self._types)

    def _looked_at(self, criteria: Criteria, found: Sequence[Row]) -> list[Stored]:
        """What a search found, noted as relied on, under what this act is about to write."""
        if len(found) > _SEARCH_LIMIT:
            raise busy(
                "Too many matches to decide on.", "匹配结果过多，无法判断。", detail="kernel.too-many-matches-decide"
            )
        narrow = pointed(criteria)
        if narrow is None or not self._own(narrow):
            self.relied.found(narrow or criteria, (row.reference for row in found))
        for row in found:
            self.relied.saw(row.reference, row.version)
        hits = [self._tree(row) for row in found if row.reference not in self._pending]
        return hits + [
            stored
            for reference, stored in self._pending.items()
            if not stored.deleted
            and stored.resource["resourceType"] == criteria.type
            and matches(criteria, self._rows(reference, stored), stored.resource)
        ]

    def _rows(self, reference: str, stored: Stored) -> Rows:
        if reference not in self._pending_rows:
            self._pending_rows[reference] = rows(stored.resource, self.zone)
        return self._pending_rows[reference]

    def _tree(self, row: Row) -> Stored:
        named = row.key, row.version
        if named not in self._decoded:
            self._decoded[named] = row.stored()
        return self._decoded[named]

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
        made = f"{self._letter}-{uuid.uuid4()}"
        self._made.add(made)
        return made

    async def next_value(self, sequence: str) -> int:
        """The next number of a database sequence; gaps are fine, repeats are not."""
        return int(await self.reader.fetchval("SELECT nextval($1::text::regclass)", sequence))

    async def as_of(self, service: str) -> datetime | None:
        """Up to when the copies that follow this service are complete."""
        if service not in self._as_of:
            self._as_of[service] = await self.reader.fetchval(
                "SELECT min(as_of) FROM follow WHERE source = $1 HAVING bool_and(filled)", service
            )
        return self._as_of[service]


def _unversioned(reference: str) -> str:
    return reference.partition("/_history/")[0]
