"""How a check looks at the records: as they stood at one moment, noting all it saw and what of it was altered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from slipring.clauses.register import Words
from slipring.fhir.search.clause import MOST_VALUES
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Ahead, Desk, Evidence, Resource, Stored
from slipring.runtime.turns import in_turns
from slipring.verdicts.declared import Check, filled
from slipring.verdicts.period import Period
from slipring.verdicts.verdict import ALTERED, Breach

T = TypeVar("T")


@dataclass(slots=True)
class Look:
    """One look at the records of a service; what a search found is kept for the next check, what `each` found is not."""

    desk: Desk
    period: Period
    at: datetime
    zone: ZoneInfo
    check: Check | None = None  # the one at work
    _once: dict[str, tuple[Any, list[Evidence], set[str]]] = field(default_factory=dict)
    _found: dict[tuple[str, datetime], list[Evidence]] = field(default_factory=dict)
    _told: dict[Any, dict[str, Any]] = field(default_factory=dict)  # by who read it, by the version's line
    _seen: list[Evidence] = field(default_factory=list)
    _not_then: set[str] = field(default_factory=set)

    async def stood(self, query: str, at: datetime | None = None) -> list[Evidence]:
        """What a declared search finds, as it stood at the moment, or before it; noted as an input of the check at work."""
        start, end = self.period.span(self.zone)
        asked, moment = filled(query, start, end, self.at), min(at or self.at, self.at)
        if (asked, moment) not in self._found:
            self._found[asked, moment] = [one async for one in self.desk.evidence(asked, moment)]
        self._seen += self._found[asked, moment]
        return self._found[asked, moment]

    async def each(self, query: str, names: Iterable[str]) -> list[Evidence]:
        """What a search finds whose last parameter takes these values, some of them at a time."""
        found = [one for asked in self._some(query, names) async for one in self.desk.evidence(asked, self.at)]
        self._seen += found
        return list({one.stored.reference: one for one in found}.values())

    async def copies(self, query: str, names: Iterable[str]) -> list[Stored]:
        """The copies of other services' records that such a search finds, as far as there were any at the moment."""
        found = [one for asked in self._some(query, names) for one in await self.desk.search(asked) if one.source]
        return self.copied({one.reference: one for one in found}.values())

    def _some(self, query: str, names: Iterable[str]) -> Iterator[str]:
        """A search for each so many of the values of its last parameter."""
        wanted, asked = sorted(set(names)), filled(query, *self.period.span(self.zone), self.at)
        for first in range(0, len(wanted), MOST_VALUES):
            yield f"{asked}={','.join(wanted[first : first + MOST_VALUES])}"

    @property
    def head(self) -> list[Resource]:
        """Period and moment, as an answer begins."""
        moment = self.at.astimezone(UTC)
        return [
            {"name": "periodStart", "valueDate": self.period.first.isoformat()},
            {"name": "periodEnd", "valueDate": self.period.last.isoformat()},
            {"name": "at", "valueInstant": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"},
        ]

    @property
    def until(self) -> datetime:
        """The last moment of the period, or the moment of the verdict where the period is not over."""
        _, after = self.period.span(self.zone)
        return min(self.at, after - after.resolution)

    @property
    def over(self) -> bool:
        """Whether the period lies behind the moment of the verdict: what was to be done in it can be missed."""
        _, after = self.period.span(self.zone)
        return self.at >= after

    @property
    def then(self) -> Desk:
        """The desk as it was at the moment, for what decides by a desk; what it reads is noted as seen."""
        return cast("Desk", _Then(self))

    async def seen(self, query: str) -> list[Stored]:
        """What a search without placeholders finds, as it stood at the moment."""
        return [one.stored for one in await self.stood(query)]

    async def once(self, name: str, make: Callable[[], Awaitable[T]]) -> T:
        """What several checks need, gathered for the first of them; each has seen what it rests on."""
        if name not in self._once:
            before, self._seen, self._not_then = (self._seen, self._not_then), [], set()
            self._once[name] = (await make(), self._seen, self._not_then)
            self._seen, self._not_then = before
        made, seen, not_then = self._once[name]
        self._seen += seen
        self._not_then |= not_then
        found: T = made
        return found

    def spread(self, found: Iterable[T]) -> AsyncIterator[T]:
        """One after the other, with a turn for whatever else waits now and then."""
        return in_turns(found)

    def told(self, one: Evidence, read: Callable[[Resource, ZoneInfo], T]) -> T:
        """What several checks read from a version, read once: a tree is dear, what a check wants of it is little."""
        held = self._told.setdefault(read, {})
        line = one.line
        if line not in held:
            held[line] = read(one.stored.resource, self.zone)
        found: T = held[line]
        return found

    def begin(self, check: Check | None = None) -> None:
        """A check begins: nothing is seen yet."""
        self.check = check
        self._seen, self._not_then = [], set()

    def copied(self, copies: Iterable[Stored]) -> list[Stored]:
        """Of copies of another service's records those that there were at the moment.

        A copy has no history here: one that was written since is read as it is today, and noted as such.
        """
        found = []
        for one in copies:
            written = zoned(one.resource.get("meta", {}).get("lastUpdated"))
            since = written is not None and written > self.at
            if since and one.version == 1:
                continue
            if since:
                self._not_then.add(one.reference)
            found.append(one)
        return found

    @property
    def not_then(self) -> tuple[str, ...]:
        """The copies that this check saw as they are today, not as they stood at the moment."""
        return tuple(sorted(self._not_then))

    @property
    def inputs(self) -> tuple[str, ...]:
        """All that this check has seen, one line for each version."""
        return tuple(sorted(dict.fromkeys(one.line for one in self._seen)))

    @property
    def altered(self) -> list[Breach]:
        """What of it is no longer what was written."""
        names = sorted({one.stored.reference for one in self._seen if one.altered})
        return [Breach(name, ALTERED, "altered") for name in names]


class _Then:
    """A desk that reads the records kept here as they stood at a moment; all else is the desk's own."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.now = look.at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._look.desk, name)

    async def foresee(self, ahead: Ahead) -> None:
        """Nothing of now is looked at."""

    async def read(self, reference: str) -> Stored | None:
        kind, _, name = reference.partition("/_history/")[0].partition("/")
        found = await self.search(f"{kind}?_id={name}") if name else []
        return found[0] if found else None

    async def search(self, query: str) -> list[Stored]:
        own = await self._look.seen(query)
        return own or self._look.copied(one for one in await self._look.desk.search(query) if one.source)

    async def searches(self, queries: Sequence[str]) -> list[list[Stored]]:
        return [await self.search(query) for query in queries]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a service's own judge says: exceptions, how many were looked at (the counted records if it does not say)."""

    breaches: Sequence[Breach] = ()
    population: int | None = None
    unconfirmed: Sequence[str] = ()
    inputs: Sequence[str] = ()  # of what it looked at in its own way


Judge = Callable[[Look, Sequence[Evidence]], Awaitable[Judged]]


def broken(one: Evidence, zh: str, en: str, *, figure: str = "") -> Breach:
    """A record that breaks a check, in words; `figure`: the one that it does so by."""
    return Breach(one.stored.reference, Words(zh, en), figure=figure)
