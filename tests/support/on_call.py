"""A department with rosters, shifts and contact routes, in memory."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.caller import itself
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Resource, Write
from slipring_critical.guards import route_written
from slipring_critical.handlers.rosters import roster_written, shift_written

from tests.support.alerting import a_head, coded, in_person
from tests.support.ringing import ARinging, a_department, a_doctor, a_route

HANDLERS = {"Schedule": roster_written, "Slot": shift_written, "Endpoint": route_written}


def on_call(name: str) -> Resource:
    """A reference to a member of staff."""
    return {"reference": f"Practitioner/o-{name}"}


def a_roster(*members: str, office: str = "ward-duty", place: str = "", **given: Any) -> Resource:
    """A roster whose members take turns; `handover` daily or weekly, '' for one of shifts alone."""
    handover, at, first = given.pop("handover", "daily"), given.pop("at", "08:00:00"), given.pop("first", "2026-03-02")
    parts = [
        {"url": "handover", "valueCode": handover},
        {"url": "at", "valueTime": at},
        {"url": "from", "valueDate": first},
    ]
    rotation = [{"url": f"{CANONICAL}/StructureDefinition/on-call-rotation", "extension": parts}] if handover else []
    return {
        "resourceType": "Schedule",
        "id": "k-roster",
        "active": True,
        "extension": rotation,
        "serviceType": [coded("ladder-target", office)],
        "actor": [*map(on_call, members), *([{"reference": place}] if place else [])],
        **given,
    }


def a_shift(name: str, start: str, end: str, **members: Any) -> Resource:
    """Hours of one person laid over a roster."""
    return {
        "resourceType": "Slot",
        "id": f"k-shift-{name}",
        "extension": [{"url": f"{CANONICAL}/StructureDefinition/on-call-person", "valueReference": on_call(name)}],
        "schedule": {"reference": "Schedule/k-roster"},
        "status": "busy",
        "start": start,
        "end": end,
        **members,
    }


class ADirectory(ARinging):
    """A department whose office ward-duty has a roster and no telephone of its own: Anne, Bob and Carl have routes."""

    def __init__(self, *more: Resource) -> None:
        kept = [one for one in a_department() if one["id"] != "k-duty.test"]
        staff = [each for name in ("anne", "bob", "carl", "dora") for each in a_doctor(name)]
        routes = [a_route(f"Practitioner/o-{name}", f"{name}.test") for name in ("anne", "bob", "carl")]
        super().__init__(*kept, *staff, *routes, *a_head("keeper"), *more)

    async def written(self, resource: Resource, method: Any = "", by: str = "keeper") -> None:
        before = self.desk.held.get(f"{resource['resourceType']}/{resource['id']}")
        self.desk.caller = in_person(by)
        write = Write(method or ("update" if before else "create"), resource, before)
        changes = await HANDLERS[resource["resourceType"]](write, self.desk)
        self.desk.hold({**resource, **changes.members}, deleted=method == "delete")
        self.carry_out(changes)
        await self.settle()

    async def asked(self, handler: Any, by: str = "anne", target: str = "", **values: Any) -> Any:
        given = [{"name": name.rstrip("_"), **_valued(value)} for name, value in values.items()]
        self.desk.caller = in_person(by) if by else itself("his")
        call = Call({"resourceType": "Parameters", "parameter": given}, self.desk.held.get(target))
        changes = await handler(call, self.desk)
        self.carry_out(changes)
        await self.settle()
        return changes.answer

    @property
    def gaps(self) -> list[tuple[str, str, str]]:
        """What the open Task of the roster says."""
        tasks = [one.resource for one in self.desk.held.values() if one.resource["resourceType"] == "Task"]
        return [
            (one["type"]["coding"][0]["code"], one["valuePeriod"]["start"][5:16], one["valuePeriod"]["end"][5:16])
            for task in tasks
            if task["status"] == "requested" and task["code"]["coding"][0]["code"] == "roster-gap"
            for one in task["input"]
        ]


def _valued(value: Any) -> Resource:
    if isinstance(value, dict):
        return {"valueReference": value}
    return (
        {"valueBoolean": value}
        if isinstance(value, bool)
        else {"valueDateTime" if "T" in value else "valueCode": value}
    )


async def refusal(doing: Any) -> list[tuple[str, str]]:
    with pytest.raises(FhirError) as refused:
        await doing
    assert all(issue.zh and issue.en for issue in refused.value.issues)
    return [(issue.detail, issue.at) for issue in refused.value.issues]
