"""The calls for a late reaction: planned at the release, due by the clock, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Changes, Desk, Resource, Save, Wake

from slipring_consent.catalogue import data_file
from slipring_consent.department import limits_of, settings_of
from slipring_consent.observing import task as observation
from slipring_consent.observing.policy import LEAST
from slipring_consent.observing.resources import coded, said
from slipring_consent.reactions.said import kind_of
from slipring_consent.reading import codes_in, has_code, instant, reference_of
from slipring_consent.resources import TASK_CODE, concept

DUE = "follow-up-due"
CODE = "reaction-follow-up"
_RESULT = f"{CANONICAL}/CodeSystem/follow-up-result"
RESULTS = ("well", "late-reaction", "not-reached")


def is_follow_up(task: Resource) -> bool:
    """Whether a Task is the call for a late reaction."""
    return has_code(task.get("code"), TASK_CODE, CODE)


def reasons_for(standing: Resource, reactions: list[Resource]) -> list[str]:
    """Why this patient is called, of `follow-up-reason`: a reaction tells more than a risk, and a risk more than usual."""
    kinds = {kind_of(event) for event in reactions}
    found = ["extravasation"] if "extravasation" in kinds else []
    if reactions and kinds != {"extravasation"}:
        found.append("reaction")
    return found or (["risk"] if observation.limit_of(standing) != LEAST else ["all"])


def planned(standing: Resource, reasons: list[str], desk: Desk) -> Changes:
    """The calls of one patient, each a Task with its time and timer; what lies behind already is not planned."""
    begun_at = observation.begun_at(standing, settings_of(desk).time_zone) or desk.now
    changes = Changes.none()
    for hours, reason in sorted(_hours(reasons, desk).items()):
        at = begun_at + timedelta(hours=hours)
        if at > desk.now:
            task = _as_task(desk.new_id(), standing, reason, at, now=desk.now)
            wake = Wake(DUE, f"Task/{task['id']}", at - desk.now, timer_of(f"Task/{task['id']}"))
            changes = changes.plus(Changes(save=[Save(task)], wake=[wake]))
    return changes


def timer_of(task: str) -> str:
    """The key of the timer of one call."""
    return f"follow-up:{task}"


def result_of(task: Resource) -> str:
    """What the last call brought, of `follow-up-result`; empty before the first."""
    values = observation.told(task, "output", "follow-up-result")
    return next((code for system, code in codes_in(values[-1]) if system == _RESULT), "") if values else ""


def calls_in(task: Resource) -> int:
    """How often the patient was called."""
    return len(observation.told(task, "output", "follow-up-call"))


def as_state(code: str) -> Resource:
    """Where a call stands, as `Task.businessStatus`."""
    return coded("follow-up-state", code)


def _hours(reasons: list[str], desk: Desk) -> Mapping[int, str]:
    calls, limits = data_file("aftercare.toml")["calls"], limits_of(desk)
    return {int(hours): reason for reason in reversed(reasons) for hours in limits.limit(calls[reason]).value}


def _as_task(task_id: str, standing: Resource, reason: str, at: datetime, *, now: datetime) -> Resource:
    members: dict[str, Any] = {"basedOn": standing["basedOn"]} if standing.get("basedOn") else {}
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "code": concept(TASK_CODE, CODE, "迟发反应随访", "Follow-up for late reactions"),
        "for": {"reference": reference_of(standing.get("for"))},
        "authoredOn": instant(now),
        "lastModified": instant(now),
        "focus": standing["focus"],
        "partOf": [{"reference": f"Task/{standing['id']}"}],
        "restriction": {"period": {"start": instant(at)}},
        "businessStatus": as_state("planned"),
        "input": [said("follow-up-reason", valueCodeableConcept=coded("follow-up-reason", reason))],
        **members,
    }
