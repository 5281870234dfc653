"""Who is interested in an event: the lanes of a schema, laid out so that an event meets only those it may concern.

Lanes that wait for the same are asked once. Most wait for a token or a reference: an event that does not carry it is
never held against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from slipring.fhir.caller import Caller
from slipring.fhir.delivery.notification import Fields
from slipring.fhir.delivery.rights import may_be_told, subscriber
from slipring.fhir.merged import with_records
from slipring.fhir.search.criteria import Clause, Condition, Criteria
from slipring.fhir.search.values import ReferenceValue, TokenValue
from slipring.fhir.service import Desk
from slipring.fhir.topics import Topic
from slipring.fhir.topics.hearing import Change, Hearer, OfCopies, OfCriteria, OfTopic, of_topic, read

Mark = tuple[str, str]  # a row's parameter with its code, or with the id it refers to


@dataclass(slots=True)
class _Listener:
    """One lane: until when it is told, and whose rights decide what; None = a service of ours."""

    id: str
    ends_at: datetime | None
    caller: Caller | None

    def may_hear(self, change: Change, at: datetime) -> bool:
        if self.ends_at is not None and at >= self.ends_at:
            return False
        return self.caller is None or may_be_told(self.caller, change.subject)


_Group = tuple[Hearer, list[_Listener]]


class Interests:
    """All lanes by what they wait for."""

    def __init__(self, lanes: Iterable[Fields], topics: Mapping[str, Topic], zone: tzinfo) -> None:
        self.internal: set[str] = set()
        self.types: set[str] = set()
        self._about_one: list[_Listener] = []  # by a token that is about one patient
        self._always: dict[str, list[_Group]] = {}
        self._lured: dict[Mark, list[_Group]] = {}
        groups: dict[Hearer, list[_Listener]] = {}
        for lane in lanes:
            if lane["internal"]:
                self.internal.add(lane["id"])
            caller = None if lane["internal"] else subscriber(lane)
            listener = _Listener(lane["id"], lane["ends_at"], caller)
            if caller is not None and caller.patient:
                self._about_one.append(listener)
            for hearer in _hearers(lane, topics, zone):
                groups.setdefault(hearer, []).append(listener)
        for group in groups.items():
            self._lay_out(group)

    def _lay_out(self, group: _Group) -> None:
        hearer = group[0]
        self.types.add(hearer.type)
        lures = lures_of(hearer)
        if not lures:
            self._always.setdefault(hearer.type, []).append(group)
        for mark in lures:
            self._lured.setdefault(mark, []).append(group)

    async def identify(self, desk: Callable[[Caller], Desk]) -> None:
        """Learn which records are those of the patients whom subscribers may hear about: merges come and go."""
        for listener in self._about_one:
            if listener.caller is not None:
                listener.caller = await with_records(listener.caller, desk(listener.caller))

    def hit(self, type_: str, change: Change, at: datetime) -> Sequence[str]:
        """The lanes that are told of a change of this moment, each once."""
        if type_ not in self.types:
            return ()
        candidates = list(self._always.get(type_, ()))
        if self._lured and change.subject is not None:
            rows = change.subject.rows
            marks = {(row.parameter, row.code) for row in rows.tokens} | {(r.parameter, r.id) for r in rows.references}
            candidates += [group for mark in marks for group in self._lured.get(mark, ())]
        found: dict[str, None] = {}
        for hearer, listeners in candidates:
            if hearer.hears(change):
                found.update((one.id, None) for one in listeners if one.may_hear(change, at))
        return list(found)


def lures_of(hearer: Hearer) -> frozenset[Mark]:
    """Marks of which whatever the hearer hears of has at least one; none when that cannot be said."""
    asked: tuple[Criteria, ...] = ()
    if isinstance(hearer, OfCriteria):
        asked = (hearer.criteria,)
    elif isinstance(hearer, OfTopic):  # what a topic asks of a resource now says nothing of one that is deleted
        current = () if "delete" in hearer.trigger.interactions else (hearer.current,)
        asked = (*hearer.filters, *current)
    found = (_lures(clause) for criteria in asked for clause in criteria.clauses)
    return next((lures for lures in found if lures), frozenset())


def _lures(clause: Condition) -> frozenset[Mark]:
    if not isinstance(clause, Clause) or clause.modifier or clause.parameter.code.startswith("_"):
        return frozenset()
    found: set[Mark] = set()
    for value in clause.values:
        if isinstance(value, TokenValue) and value.code is not None:
            found.update((key, value.code) for key in clause.keys)
        elif isinstance(value, ReferenceValue):
            found.update((key, value.id) for key in clause.keys)
        else:
            return frozenset()
    return frozenset(found)


def _hearers(lane: Fields, topics: Mapping[str, Topic], zone: tzinfo) -> Sequence[Hearer]:
    """What a lane waits for; a topic that is no longer offered tells nothing."""
    if lane["topic"]:
        topic = topics.get(lane["topic"].partition("|")[0])
        return of_topic(topic, tuple(lane["filters"]), zone) if topic else ()
    asked = criteria_of(lane["criteria"], zone)
    return [OfCopies(one) for one in asked] if lane["internal"] else [OfCriteria(one) for one in asked]


@lru_cache(maxsize=4096)
def criteria_of(text: str, zone: tzinfo) -> tuple[Criteria, ...]:
    """A lane's criteria: one for an outside Subscription, one per line for a following service."""
    return tuple(read(line, zone) for line in text.splitlines())


__all__ = ["Interests", "Mark", "criteria_of", "lures_of"]
