"""The reading of one exam in FHIR spelling: a Task with its deadline, where it stands and who has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from slipring.fhir.service import CANONICAL, Resource

from slipring_report.clocks.deadline import Deadline
from slipring_report.reading import code_of
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE
from slipring_report.worklist.carrying import first, said, told, without
from slipring_report.worklist.life import in_state

READING = "reading"
EXAM_STATE = f"{CANONICAL}/CodeSystem/exam-state"
CLAIM = ("claimed-at", "lease-until")
_CLOCK = (
    "clock", "clock-minutes", "clock-since", "clock-hours", "clock-source", "clock-confirmed", "warn-at", "year-not-covered",
)  # fmt: skip
_UCUM = "http://unitsofmeasure.org"


def is_reading(task: Resource) -> bool:
    """Whether a Task is the reading of an exam."""
    return code_of(task.get("code"), TASK_CODE) == READING


def reading_id(exam: str) -> str:
    """The id of an exam's reading: it follows from the exam, so there is one."""
    return f"r-{uuid5(NAMESPACE_URL, f'{CANONICAL}/{exam}#reading')}"


def as_reading(exam: Resource, due: Deadline, *, now: datetime) -> Resource:
    """A new reading that nobody has claimed."""
    taken = ("focus", "for", "encounter", "groupIdentifier", "priority")
    return {
        "resourceType": "Task",
        "id": reading_id(f"Task/{exam['id']}"),
        "basedOn": [reference(f"Task/{exam['id']}")],
        **{name: exam[name] for name in taken if name in exam},
        **in_state("unread", "running"),
        "intent": "order",
        "code": {**coded(TASK_CODE, READING, "阅片"), "text": "阅片 / reading"},
        "authoredOn": written(now),
        "lastModified": written(now),
        **with_deadline({}, due),
    }


def with_deadline(task: Resource, due: Deadline) -> dict[str, Any]:
    """The members that say by when it is due, and by which figure of which source."""
    clock = due.clock
    minutes = {"value": clock.minutes, "unit": "min", "system": _UCUM, "code": "min"}
    given = [
        said("clock", valueCode=clock.code),
        said("clock-minutes", valueDuration=minutes),
        said("clock-since", valueCode=clock.since),
        said("clock-hours", valueCode=clock.hours),
        said("clock-source", valueString=clock.source),
        said("clock-confirmed", valueBoolean=clock.confirmed),
        said("warn-at", valueInstant=written(due.warn_at)),
        *(said("year-not-covered", valueInteger=year) for year in due.uncovered),
    ]
    return {
        "restriction": {"period": {"start": written(due.since), "end": written(due.due_at)}},
        "input": [*without(task, *_CLOCK), *given],
    }


def due_at(task: Resource) -> datetime:
    """The stored deadline."""
    return datetime.fromisoformat(task["restriction"]["period"]["end"])


def since(task: Resource) -> datetime:
    """When the clock began to run."""
    return datetime.fromisoformat(task["restriction"]["period"]["start"])


def warn_at(task: Resource) -> datetime:
    """When it warns."""
    return datetime.fromisoformat(first(task, "warn-at"))


def issued_at(task: Resource) -> datetime | None:
    """When the report was issued; None while it is not."""
    said_at = first(task, "issued", "output")
    return datetime.fromisoformat(said_at) if said_at else None


def holder_of(task: Resource) -> str:
    """Who has claimed it, or ''."""
    return str(task.get("owner", {}).get("reference", ""))


def lease_of(task: Resource) -> str:
    """Until when the claim stands, as written; '' without one."""
    return str(first(task, "lease-until") or "")


def claimed_by(task: Resource, who: str, until: datetime, *, now: datetime) -> dict[str, Any]:
    """The members of a Task that somebody holds; the moment of the claim stays when the same person renews it."""
    at = first(task, "claimed-at") if holder_of(task) == who else None
    lease = [said("claimed-at", valueInstant=at or written(now)), said("lease-until", valueInstant=written(until))]
    return {"owner": reference(who), "input": [*without(task, *CLAIM), *lease]}


def unclaimed(task: Resource) -> Mapping[str, Any]:
    """The members of a Task that nobody holds any more."""
    return {"owner": None, "input": without(task, *CLAIM)}


def exam_of(task: Resource) -> str:
    """The exam's own Task, kept by order."""
    return next((str(one.get("reference", "")) for one in task.get("basedOn", [])), "")


def clock_named(task: Resource) -> dict[str, Any]:
    """What the clock is: code, minutes, since, hours, source, whether confirmed, and years it did not know."""
    found: dict[str, Any] = {kind: first(task, kind) for kind in _CLOCK}
    found["clock-minutes"] = int((found["clock-minutes"] or {}).get("value", 0))
    found["year-not-covered"] = told(task, "year-not-covered")
    return found
