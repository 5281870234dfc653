"""Calendar files, and a department whose roster is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Call, Resource
from slipring_critical.handlers.importing import calendar_imported
from slipring_critical.settings import CriticalSettings

from tests.support.alerting import in_person
from tests.support.on_call import ADirectory, a_roster

_STAFF: dict[str, dict[str, Any]] = {
    "anne": {
        "name": [{"family": "Meyer", "given": ["Anne"]}],
        "telecom": [{"system": "email", "value": "Anne@Hospital.test"}],
        "identifier": [{"system": "urn:staff", "value": "T-104"}],
    },
    "bob": {
        "name": [{"text": "王小明"}],
        "telecom": [{"system": "email", "value": "bob@hospital.test"}],
        "identifier": [{"system": "urn:staff", "value": "7"}],
    },
    "carl": {"name": [{"text": "王小"}], "identifier": [{"system": "urn:staff", "value": "104"}]},
}


async def a_department(zone: str = "Asia/Shanghai") -> ADirectory:
    """A roster of shifts alone, and people with names, numbers and addresses; it is noon on Monday the 2nd of March in Shanghai."""
    department = ADirectory()
    department.desk.settings = CriticalSettings(time_zone=zone)
    for name, members in _STAFF.items():
        department.desk.hold({**department.desk.held[f"Practitioner/o-{name}"].resource, **members})
    await department.written(a_roster(handover="", place="Location/o-ward"))
    return department


def a_calendar(*events: str, head: str = "") -> str:
    """A calendar of events, each a line of properties with `|` between them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a test", *([head] if head else [])]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def an_event(uid: str, start: str, end: str, *more: str, who: str = "anne@hospital.test", zone: str = "") -> str:
    of = f";TZID={zone}" if zone else ""
    said = f"ATTENDEE;CN=x:mailto:{who}" if "@" in who else f"SUMMARY:{who}"
    return "|".join([f"UID:{uid}", f"DTSTART{of}:{start}", f"DTEND{of}:{end}", said, *more])


async def imported(department: ADirectory, text: str, *, by: str = "keeper", **given: Any) -> list[Resource]:
    """The shifts that the answer tells, their parts by name."""
    answer = await answered(department, text, by=by, **given)
    return [
        {part["name"]: next(value for name, value in part.items() if name != "name") for part in one["part"]}
        for one in answer["parameter"]
        if one["name"] == "shift"
    ]


async def answered(department: ADirectory, text: str, *, by: str = "keeper", **given: Any) -> Resource:
    parameters: list[Resource] = [{"name": "text", "valueString": text}] if text else []
    parameters += [
        {
            "name": "person",
            "part": [
                {"name": "named", "valueString": words},
                {"name": "is", "valueReference": {"reference": f"Practitioner/o-{who}"}},
            ],
        }
        for words, who in given.pop("persons", {}).items()
    ]
    parameters += [{"name": name, **value} for name, value in given.items()]
    department.desk.caller = in_person(by)
    call = Call({"resourceType": "Parameters", "parameter": parameters}, department.desk.held["Schedule/k-roster"])
    changes = await calendar_imported(call, department.desk)
    department.carry_out(changes)
    await department.settle()
    assert changes.answer is not None
    return changes.answer


def slots(department: ADirectory) -> list[tuple[str, str, str, str]]:
    """Status, who, from and to (UTC, without the year) of every shift that is stored."""
    return sorted(
        (
            one.resource["status"],
            one.resource["extension"][0]["valueReference"]["reference"].rpartition("-")[2],
            one.resource["start"][5:16],
            one.resource["end"][5:16],
        )
        for one in department.desk.held.values()
        if one.resource["resourceType"] == "Slot"
    )


async def faults(department: ADirectory, text: str, **given: Any) -> list[str]:
    """What a refusal says in English."""
    return [issue.en for issue in await issues(department, text, **given)]


async def issues(department: ADirectory, text: str, **given: Any) -> Sequence[Issue]:
    """What a refusal says, each issue at the file; nothing was stored."""
    before = slots(department)
    with pytest.raises(FhirError) as refused:
        await answered(department, text, **given)
    assert refused.value.status == 422
    assert slots(department) == before
    for issue in refused.value.issues:
        assert issue.at == "Parameters.parameter[0]"
        assert issue.zh and issue.en
    return refused.value.issues
