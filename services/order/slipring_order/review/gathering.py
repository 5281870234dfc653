"""What a review of staffing or complaints looks at, read from the desk a day at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from slipring.fhir.service import Desk, Resource, Stored
from slipring.quality import life as quality
from slipring.runtime.turns import in_turns
from slipring.staff import StaffFacts, staff_facts

from slipring_order import resources
from slipring_order.asked_day import found_by_day
from slipring_order.department.gathering import on_duty
from slipring_order.lifecycle import SCANNED
from slipring_order.people import person_and_roles
from slipring_order.reading import instant, moment, reference_of
from slipring_order.resources import CONTRAST_CONDITION
from slipring_order.review.complaints import Complaint
from slipring_order.review.staffing import Work

_WITHOUT_CONTRAST = frozenset({"", "not-needed", "refused"})
_RELEASED = "final,amended,corrected,appended"
_OPEN = "requested,received,accepted,in-progress,on-hold,ready"


@dataclass(frozen=True, slots=True)
class Performed:
    """An exam that was performed, as far as a review counts it: a year's exams as trees take gigabytes."""

    operator: str  # '' when nobody is named
    with_contrast: bool


async def staff_at(on: date, desk: Desk) -> dict[str, StaffFacts]:
    """Everyone who holds or once held a duty of the department, as at noon of a day."""
    at = datetime.combine(on, time(12), desk.settings.zone).astimezone(UTC)
    found: dict[str, StaffFacts] = {}
    for reference in await on_duty(desk):
        person, roles = await person_and_roles(reference, desk)
        if person is not None:
            found[reference] = staff_facts(person, roles, at, zone=desk.settings.time_zone)
    return found


async def work_done(start: date, end: date, desk: Desk) -> Work:
    """The exams performed and the reports released in a period."""
    exams = await exams_performed(start, end, desk)
    found = await found_by_day(f"DiagnosticReport?status={_RELEASED}", "issued", (start, end), desk)
    readers = [_readers(one.resource) async for one in in_turns(found)]
    persons = await _persons([*(exam.operator for exam in exams), *(who for each in readers for who in each)], desk)
    return Work(
        exams=len(exams),
        contrast_exams=sum(exam.with_contrast for exam in exams),
        reports=len(found),
        operated=Counter(persons[exam.operator] for exam in exams if persons.get(exam.operator)),
        read=Counter(who for each in readers for who in {persons.get(one, "") for one in each} - {""}),
    )


async def exams_performed(start: date, end: date, desk: Desk) -> list[Performed]:
    """The exams that were begun in a period and acquired."""
    zone = desk.settings.zone
    first, last = (datetime.combine(day, time.min, zone) for day in (start, end + timedelta(days=1)))
    found = await found_by_day(f"Task?code={resources.TASK_CODE_SYSTEM}|exam", "period", (start, end), desk)
    performed = []
    async for one in in_turns(found):
        exam = one.resource
        begun = moment(exam.get("executionPeriod", {}).get("start"), zone)
        # A period that only meets the days is found as well.
        if not one.source and resources.state_of(exam) in SCANNED and begun is not None and first <= begun < last:
            performed.append(Performed(reference_of(exam.get("owner")), _with_contrast(exam)))
    return performed


async def complaints_of(start: date, end: date, desk: Desk) -> list[Complaint]:
    """The complaints received in a period, and those received before its end that are still open."""
    code = f"Task?code={resources.TASK_CODE_SYSTEM}|complaint"
    ends = datetime.combine(end + timedelta(days=1), time.min, desk.settings.zone)
    own = await found_by_day(code, "authored-on", (start, end), desk)
    waiting = await desk.search(f"{code}&status={_OPEN}&authored-on=lt{instant(ends)}")
    found = {one.reference: one for one in (*own, *waiting) if not one.source}
    return [await _complaint(one, desk) for one in found.values() if one.resource.get("status") != "entered-in-error"]


async def _complaint(stored: Stored, desk: Desk) -> Complaint:
    received = _day(stored.resource.get("authoredOn"), desk)
    state = quality.state_of(stored.resource)
    return Complaint(
        reference=stored.reference,
        received_on=received or desk.now.astimezone(desk.settings.zone).date(),
        answered_on=await _answered_on(stored, desk),
        is_open=state not in ("closed", "dismissed"),
    )


async def _answered_on(stored: Stored, desk: Desk) -> date | None:
    """The day of the first version that says it was answered; later ones may have closed or reopened it."""
    for version in range(1, stored.version + 1):
        one = stored if version == stored.version else await desk.read_version(stored.reference, version)
        if one is not None and quality.state_of(one.resource) in ("answered", "closed"):
            return _day(one.resource.get("lastModified"), desk)
    return None


def _day(text: object, desk: Desk) -> date | None:
    at = moment(text, desk.settings.zone)
    return at.astimezone(desk.settings.zone).date() if at else None


def _readers(report: Resource) -> list[str]:
    return [reference_of(one) for one in report.get("resultsInterpreter", [])]


def _with_contrast(exam: Resource) -> bool:
    shown = (e.get("valueCode", "") for e in exam.get("extension", []) if e.get("url") == CONTRAST_CONDITION)
    return next((str(code) for code in shown), "") not in _WITHOUT_CONTRAST


async def _persons(named: list[str], desk: Desk) -> dict[str, str]:
    """Who each of these references is in person; a role leads to its holder."""
    found = {one: one for one in named if one.startswith("Practitioner/")}
    for one in {one for one in named if one.startswith("PractitionerRole/")}:
        role = await desk.read(one)
        found[one] = reference_of(role.resource.get("practitioner")) if role else ""
    return found
