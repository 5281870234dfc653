"""What importing a calendar changes about a roster: shifts new, moved or withdrawn, and those that stay as they are. Pure.

A shift is known again by its event (UID and which of the series), so that the same file changes nothing. What was entered
by hand or agreed as a swap is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.service import CANONICAL, Resource, Save, Stored, successor

from slipring_critical.cases.resources import instant
from slipring_critical.directory.ical import Occurrence
from slipring_critical.directory.roster import Shift
from slipring_critical.directory.schedules import COUNTS, ON_CALL, hours_of, person_of

EVENT = f"{CANONICAL}/identifier/calendar-event"
CREATE, UPDATE, WITHDRAW, UNCHANGED = "create", "update", "withdraw", "unchanged"
_WITHDRAWN = "entered-in-error"


@dataclass(frozen=True, slots=True)
class Planned:
    """One shift and what happens to it; `line` of the file, 0 for one that is withdrawn."""

    action: str
    event: str
    line: int
    start: datetime
    end: datetime
    person: str
    slot: Resource
    before: Stored | None = None

    @property
    def save(self) -> Save | None:
        """What is stored of it; None when nothing is."""
        if self.action == UNCHANGED:
            return None
        return Save(self.slot) if self.before is None else successor(self.before, **self.slot)

    @property
    def counts(self) -> bool:
        """Whether it is new or moved, so that the roster does not know it yet."""
        return self.action in (CREATE, UPDATE)

    def shift(self, now: datetime) -> Shift:
        """As the roster counts it."""
        return Shift(self.start, self.end, self.person, f"Slot/{self.slot['id']}", now)


def event_of(slot: Resource) -> str:
    """The event that a shift was imported from; '' for one that was not."""
    return next((str(one.get("value", "")) for one in slot.get("identifier", []) if one.get("system") == EVENT), "")


def planned(
    meant: Iterable[tuple[Occurrence, str]],
    standing: Sequence[Stored],
    uids: Iterable[str],
    *,
    schedule: str,
    now: datetime,
    complete: bool,
    new_id: Callable[[], str],
) -> list[Planned]:
    """Each occurrence with its person beside the shifts that stand (Slots of the roster, whatever their status).

    A series that the file names is as the file says; with `complete` one that it does not name is withdrawn, too.
    What is over stays as it was.
    """
    known = {(event, person_of(one.resource, ON_CALL)): one for one in standing if (event := event_of(one.resource))}
    named, found = frozenset(uids), dict[tuple[str, str], Planned]()
    for one, person in meant:
        event = f"{one.uid} {one.key}".strip() if one.key else one.uid
        found[event, person] = _planned(one, event, person, known.get((event, person)), schedule, new_id)
    for (event, person), stored in known.items():
        uid = event.rpartition(" ")[0] if event not in named else event
        start, end = hours_of(stored.resource)
        counts = stored.resource["status"] == COUNTS and end > now
        if (event, person) not in found and counts and (complete or uid in named):
            gone = {"id": stored.resource["id"], "status": _WITHDRAWN}
            found[event, person] = Planned(WITHDRAW, event, 0, start, end, person, gone, stored)
    return sorted(found.values(), key=lambda one: (one.start, one.end, one.person))


def _planned(
    one: Occurrence, event: str, person: str, before: Stored | None, schedule: str, new_id: Callable[[], str]
) -> Planned:
    hours = {"start": instant(one.start), "end": instant(one.end)}
    if before is None:
        slot: Resource = {
            "resourceType": "Slot",
            "id": new_id(),
            "extension": [{"url": ON_CALL, "valueReference": {"reference": person}}],
            "identifier": [{"system": EVENT, "value": event}],
            "schedule": {"reference": schedule},
            "status": COUNTS,
            **hours,
        }
        return Planned(CREATE, event, one.line, one.start, one.end, person, slot)
    same = hours_of(before.resource) == (one.start, one.end) and before.resource["status"] == COUNTS
    changed: Mapping[str, str] = {"id": before.resource["id"], "status": COUNTS, **hours}
    return Planned(UNCHANGED if same else UPDATE, event, one.line, one.start, one.end, person, dict(changed), before)
