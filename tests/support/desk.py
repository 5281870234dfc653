"""A desk held in memory, so that handlers can be tested without a database.

It keeps the contract of `slipring.fhir.service.Desk`: read-only for the handler. `carry_out` lays the saves of a
`Changes` on it, as the kernel would, so that a test can go on to the next act.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from cryptography.fernet import Fernet
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import busy
from slipring.fhir.search.criteria import parse
from slipring.fhir.service import Ahead, Changes, Evidence, OpenAccount, Receiver, Resource, Stored, Wholeness
from slipring.fhir.vault import Safe

from tests.support.matching import matches
from tests.support.seals import SealsInMemory

A_NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # noon in Shanghai, a Monday
ANYONE = Caller(client="a-test", scopes=frozenset({"system/*.cruds"}))

# Search parameters whose member is spelt another way.


class ADesk:
    """A desk with a fixed time, a caller and the resources given; ids and sequences count from one."""

    def __init__(
        self,
        now: datetime = A_NOON,
        holding: Iterable[Resource] = (),
        caller: Caller = ANYONE,
        settings: Any = None,
        letter: str = "o",
        copies: Iterable[Resource] = (),
        as_of: Mapping[str, datetime] | None = None,
    ) -> None:
        self.now = now
        self.caller = caller
        self.settings = settings
        self.seals = SealsInMemory()
        self.vault = Safe(Fernet(Fernet.generate_key()))
        self._letter = letter
        self._most: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._as_of = dict(as_of) if as_of is not None else None
        self.shown_to: list[Receiver] = []
        self.accounts: list[OpenAccount] = []
        self.held: dict[str, Stored] = {}
        self.versions: dict[tuple[str, int], Stored] = {}
        for resource in holding:
            self.hold(resource)
        for resource in copies:
            self.hold(resource, source="elsewhere")

    def hold(self, resource: Resource, *, source: str = "", deleted: bool = False) -> Stored:
        """Put a resource on the desk as its next version."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        before = self.held.get(reference)
        version = before.version + 1 if before else 1
        stored = Stored(deepcopy(resource), version, self.now, source=source, deleted=deleted)
        self.held[reference] = stored
        self.versions[reference, version] = stored
        return stored

    def limit_searches(self, *, of: str, to: int) -> None:
        """From here on a search of a type that finds more is refused, as the store refuses more than 5,000."""
        self._most[of] = to

    def carry_out(self, changes: Changes, written: Resource | None = None) -> Resource | None:
        """Store what `changes` saves, and the written resource amended as the kernel would; returns the latter."""
        for save in changes.save:
            self.hold(save.resource, deleted=save.delete)
        if written is None or changes.refuse is not None:
            return None
        amended = deepcopy(written)
        for name, items in changes.append.items():
            amended[name] = [*amended.get(name, []), *items]
        amended.update(changes.members)
        amended = {name: value for name, value in amended.items() if value is not None}
        self.hold(amended)
        return amended

    async def receivers(self, reference: str, since: datetime) -> list[Receiver]:
        """Whoever a test says was shown it."""
        return self.shown_to

    async def foresee(self, ahead: Ahead) -> None:
        """Everything is at hand."""

    async def read(self, reference: str) -> Stored | None:
        """The current version of `Type/id`; None when absent or deleted."""
        stored = self.held.get(reference)
        return None if stored is None or stored.deleted else stored

    async def read_version(self, reference: str, version: int) -> Stored | None:
        """One earlier version."""
        return self.versions.get((reference, version))

    async def search(self, query: str) -> list[Stored]:
        """All current matches; tokens and references compare exactly, commas mean or. What the store refuses is refused."""
        resource_type, _, rest = query.partition("?")
        pairs = parse_qsl(rest, keep_blank_values=True)
        parse(resource_type, pairs)
        criteria = [(name, value) for name, value in pairs if name not in ("_count", "_sort")]
        found = [
            stored
            for stored in self.held.values()
            if not stored.deleted
            and stored.resource["resourceType"] == resource_type
            and all(matches(stored.resource, name, value) for name, value in criteria)
        ]
        if len(found) > self._most.get(resource_type, 5000):
            raise busy(
                "Too many matches to decide on.", "匹配结果过多，无法判断。", detail="kernel.too-many-matches-decide"
            )
        return found

    async def searches(self, queries: Sequence[str]) -> list[list[Stored]]:
        """Each search after the other."""
        return [await self.search(query) for query in queries]

    async def evidence(self, query: str, at: datetime) -> AsyncIterator[Evidence]:
        """All matches as they stand, each as it was written."""
        for one in await self.search(query):
            yield Evidence(one, "x")

    async def whole(self, since: datetime, until: datetime) -> Wholeness:
        """All that is held is as it was written."""
        return Wholeness(len(self.held), "x", [])

    async def open_accounts(self, at: datetime) -> list[OpenAccount]:
        """Whoever a test lets sign in."""
        return [one for one in self.accounts if one.since <= at]

    def new_id(self) -> str:
        """`o-1`, `o-2`, ..."""
        return f"{self._letter}-{self._count('id')}"

    async def next_value(self, sequence: str) -> int:
        """1, 2, 3, ... for each sequence."""
        return self._count(f"sequence {sequence}")

    async def as_of(self, service: str) -> datetime | None:
        """What the test set; without a setting, copies are complete up to now."""
        return self.now if self._as_of is None else self._as_of.get(service)

    def _count(self, name: str) -> int:
        self._numbers[name] = self._numbers.get(name, 0) + 1
        return self._numbers[name]
