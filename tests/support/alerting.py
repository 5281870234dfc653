"""Ladders, catalogues and rosters of a department, as resources; and whoever lays them down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipring.fhir.caller import Caller
from slipring.fhir.service import CANONICAL, Resource

C = f"{CANONICAL}/CodeSystem"
USAGE = "http://terminology.hl7.org/CodeSystem/usage-context-type"


def coded(system: str, code: str) -> Resource:
    """A CodeableConcept of one of our code systems."""
    return {"coding": [{"system": f"{C}/{system}", "code": code}]}


def in_person(name: str) -> Caller:
    """A member of staff who is signed in."""
    return Caller(client="pages", scopes=frozenset({"user/*.cruds"}), practitioner=f"Practitioner/o-{name}")


def a_head(name: str) -> list[Resource]:
    """Somebody who may approve what the department lays down."""
    return in_role(name, "ct-head")


def in_role(name: str, role: str) -> list[Resource]:
    """A member of staff and the one role he has."""
    return [
        {"resourceType": "Practitioner", "id": f"o-{name}", "active": True},
        {
            "resourceType": "PractitionerRole",
            "id": f"o-{name}-role",
            "active": True,
            "practitioner": {"reference": f"Practitioner/o-{name}"},
            "code": [coded("staff-role", role)],
        },
    ]


def a_step(*who: str, minutes: float = 3, channels: Sequence[str] = ("webhook",), **members: Any) -> Resource:
    """One step of a ladder."""
    return {
        "participant": [{"type": "practitioner", "role": coded("ladder-target", one)} for one in who],
        "code": [coded("channel", one) for one in channels],
        "timingDuration": {"value": minutes, "system": "http://unitsofmeasure.org", "code": "min", "unit": "min"},
        **members,
    }


def a_ladder(*steps: Resource, level: str = "1", **given: Any) -> Resource:
    """A draft of a ladder; `hour`, `finding` and `venue` narrow what it is for, the rest are members."""
    contexts = [
        {
            "code": {"system": f"{C}/ladder-context", "code": "level"},
            "valueCodeableConcept": coded("finding-level", level),
        }
    ]
    if hour := given.pop("hour", ""):
        contexts.append(
            {
                "code": {"system": f"{C}/ladder-context", "code": "hour"},
                "valueCodeableConcept": coded("ladder-hour", hour),
            }
        )
    if finding := given.pop("finding", ""):
        contexts.append(
            {"code": {"system": USAGE, "code": "focus"}, "valueCodeableConcept": coded("critical-finding", finding)}
        )
    if venue := given.pop("venue", ""):
        contexts.append({"code": {"system": USAGE, "code": "venue"}, "valueReference": {"reference": venue}})
    due = {"value": 60, "system": "http://unitsofmeasure.org", "code": "min", "unit": "min"}
    return {
        "resourceType": "PlanDefinition",
        "id": "k-ladder",
        "type": coded("plan-type", "critical-ladder"),
        "status": "draft",
        "version": "2027-1",
        "useContext": contexts,
        "goal": [{"description": {"text": "acted on"}, "target": [{"due": due}]}],
        "action": list(steps) or [a_step("ward"), a_step("fallback")],
        **given,
    }


def an_entry(code: str, level: str, zh: str = "", en: str = "", *said: str) -> Resource:
    """One entry of the department's catalogue."""
    names = {"title": zh, "textEquivalent": en} if zh else {}
    return {"code": [coded("critical-finding", code), *({"text": word} for word in said)], "priority": level, **names}


def a_catalogue(*entries: Resource, **given: Any) -> Resource:
    """A draft of an edition of the department's catalogue."""
    return {
        "resourceType": "PlanDefinition",
        "id": "k-catalogue",
        "type": coded("plan-type", "critical-catalogue"),
        "status": "draft",
        "version": "2027-1",
        "action": list(entries),
        **given,
    }
