"""What the department works with while the system is down: reserved imaging numbers, forms, and today's work on paper.

The numbers come out of the same sequence as all others, so none is ever given twice. A form that was filled in is
entered afterwards as a request that names its number (extension `reserved-number`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from slipring.fhir.service import CANONICAL, Desk, Resource, Stored

from slipring_order import resources
from slipring_order.reading import instant, reference_of, sought
from slipring_order.rooms.scanner import scanner_of
from slipring_order.rooms.starting import scanner_for

CODE = "downtime-kit"
RESERVED_SYSTEM = f"{CANONICAL}/sid/reserved-imaging-number"
RESERVED_NUMBER = f"{CANONICAL}/StructureDefinition/reserved-number"
_WORK = ("justified", "scheduled", "arrived", "ready", "in-progress")


@dataclass(frozen=True, slots=True)
class Line:
    """One exam of the printed worklist."""

    at: str
    scanner: str
    number: str
    patient: str
    identifiers: str
    birth_date: str
    sex: str
    exam: str
    state: str
    stat: bool


def reservation(numbers: Sequence[str], who: str, *, id: str, now: datetime) -> Resource:
    """The Task that holds a block of numbers; each of them finds it."""
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "identifier": [{"system": RESERVED_SYSTEM, "value": number} for number in numbers],
        "status": "ready",
        "intent": "plan",
        "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": CODE}]},
        "description": f"停机备用：{numbers[0]} 至 {numbers[-1]}。Reserved for downtime: {numbers[0]} to {numbers[-1]}.",
        "authoredOn": instant(now),
        "lastModified": instant(now),
    }
    return task | ({"requester": {"reference": who}} if who else {})


def is_reservation(task: Resource) -> bool:
    """Whether a Task holds reserved numbers."""
    return any(one.get("system") == RESERVED_SYSTEM for one in task.get("identifier", []))


def reserved_in(request: Resource) -> str:
    """The number that a late-entered request says was printed on its form, or an empty string."""
    found = (one.get("valueString") for one in request.get("extension", []) if one.get("url") == RESERVED_NUMBER)
    return next((str(number).strip() for number in found if number), "")


async def is_reserved(number: str, desk: Desk) -> bool:
    """Whether this number was handed out for downtime."""
    return bool(await desk.search(f"Task?identifier={RESERVED_SYSTEM}|{sought(number)}"))


async def worklist(desk: Desk, scanner: str = "") -> list[Line]:
    """The exams that are not over, by time, then by number; of one scanner: its own and those without a time."""
    states = ",".join(f"{resources.STATE_SYSTEM}|{state}" for state in _WORK)
    exams = await desk.search(f"Task?code={resources.TASK_CODE_SYSTEM}|exam&business-status={states}")
    booked = {exam.reference: await scanner_for(exam.resource, desk) for exam in exams if not exam.source}
    wanted = [
        exam for exam in exams if exam.reference in booked and (not scanner or booked[exam.reference] in ("", scanner))
    ]
    lines = [await _line(exam, booked[exam.reference], desk) for exam in wanted]
    return sorted(lines, key=lambda line: (not line.stat, line.at or "~", line.number))


def printed(numbers: Sequence[str], lines: Sequence[Line], desk: Desk, *, scanner: str = "") -> str:
    """The kit as one self-contained page in Chinese and English, ready to print; `scanner`: the name of the one it is for."""
    made = desk.now.astimezone(desk.settings.zone)
    page = _environment().get_template("downtime_kit.html")
    return page.render(
        numbers=numbers, lines=lines, made=f"{made:%Y-%m-%d %H:%M}", zone=str(desk.settings.zone), scanner=scanner
    )


async def called_scanner(reference: str, desk: Desk) -> str:
    """What a scanner is called on paper; an empty string without one."""
    device = await desk.read(reference) if reference else None
    return (scanner_of(device.resource, None).name or reference) if device else ""


async def _line(exam: Stored, scanner: str, desk: Desk) -> Line:
    task = exam.resource
    request = await desk.read(reference_of(task.get("focus")))
    patient = await desk.read(reference_of(task.get("for")))
    person: Mapping[str, Any] = patient.resource if patient else {}
    start = task.get("restriction", {}).get("period", {}).get("start")
    at = f"{datetime.fromisoformat(start).astimezone(desk.settings.zone):%m-%d %H:%M}" if start else ""
    code = (request.resource if request else {}).get("code", {})
    named = code.get("text") or next((str(c.get("display") or c.get("code")) for c in code.get("coding", [])), "")
    return Line(
        at=at,
        scanner=await called_scanner(scanner, desk),
        number=str(task.get("groupIdentifier", {}).get("value", "")),
        patient=_name(person),
        identifiers=" ".join(str(one.get("value", "")) for one in person.get("identifier", [])),
        birth_date=str(person.get("birthDate", "")),
        sex=str(person.get("gender", "")),
        exam=str(named),
        state=resources.state_of(task),
        stat=task.get("priority") == "stat",
    )


def _name(patient: Mapping[str, Any]) -> str:
    for name in patient.get("name", []):
        return str(name.get("text") or "".join([str(name.get("family", "")), *map(str, name.get("given", []))]))
    return ""


@cache
def _environment() -> Environment:
    loader = PackageLoader("slipring_order", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
