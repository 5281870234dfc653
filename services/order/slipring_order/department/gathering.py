"""What the department has on record, read from the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from slipring.fhir.service import Desk, Resource
from slipring.staff import StaffFacts, staff_facts
from slipring.staff.facts import ROLE_SYSTEM, register

from slipring_order.department import records
from slipring_order.department.checklists import checklists
from slipring_order.department.constancy import CONSTANCY, constancy
from slipring_order.department.due import DEPARTMENT, Record, Subject
from slipring_order.department.obligations import carried_by, obligations
from slipring_order.eqa.form import EQA
from slipring_order.eqa.standing import covered, rounds_in
from slipring_order.people import person_and_roles
from slipring_order.reading import reference_of
from slipring_order.rooms.scanner import CT_TYPES, is_ct
from slipring_order.rooms.scanners import measured_on
from slipring_order.rooms.testing import result_of, standing

SEVERAL = frozenset({"several-scanners"})  # what a department is that has more than one in use


@dataclass(slots=True)
class OnRecord:
    """Who and what the department has, and the evidence about it."""

    subjects: list[Subject] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    staff: dict[str, StaffFacts] = field(default_factory=dict)  # by Practitioner/...
    documents: list[Resource] = field(default_factory=list)


async def department_on_record(desk: Desk, at: datetime) -> OnRecord:
    """Everything that may be owed, with all evidence, as it stands at a moment."""
    found = OnRecord(subjects=[Subject(DEPARTMENT, "department")])
    for reference in await on_duty(desk):
        await person_on_record(reference, found, desk, at)
    await _devices_on_record(found, desk, at)
    kinds = _tokens(records.DOCUMENT_SYSTEM, list(carried_by("document")))
    found.documents = [one.resource for one in await desk.search(f"DocumentReference?type={kinds}")]
    found.records += records.documents(found.documents)
    found.records += records.answered(await _answers(desk), desk.settings.zone)
    found.records += covered(rounds_in(await eqa_records(desk)))
    return found


async def one_on_record(reference: str, desk: Desk, at: datetime) -> OnRecord:
    """One person, one device, or (no reference) the department itself, with the evidence about it."""
    if reference == DEPARTMENT:
        found = await department_on_record(desk, at)
        found.subjects = [one for one in found.subjects if one.reference == DEPARTMENT]
        return found
    found = OnRecord()
    if reference.startswith("Practitioner/"):
        await person_on_record(reference, found, desk, at)
    elif (device := await desk.read(reference)) is not None:
        found.subjects, found.records = records.devices([device.resource])
        found.records += await _tested([device.resource], await _tests(desk, f"&device={reference}"), desk, at)
    found.records += records.answered(await _answers(desk, f"&subject={reference}"), desk.settings.zone)
    return found


async def person_on_record(reference: str, found: OnRecord, desk: Desk, at: datetime) -> None:
    """One member of staff with what his register entry says."""
    person, roles = await person_and_roles(reference, desk)
    staff = staff_facts(person, roles, at, zone=desk.settings.time_zone)
    if person is None or not staff.active:
        return
    found.staff[reference] = staff
    found.subjects.append(records.person_of(reference, _name(person), staff))
    found.records += records.qualifications_of(reference, staff)


async def on_duty(desk: Desk) -> list[str]:
    """Everyone who holds, or once held, a role of the department."""
    roles = [code for code in register()["roles"] if code not in ("requester", "may-order-ct", "may-receive-critical")]
    held = await desk.search(f"PractitionerRole?role={_tokens(ROLE_SYSTEM, roles)}")
    people = [reference_of(role.resource.get("practitioner")) for role in held]
    return sorted({person for person in people if person.startswith("Practitioner/")})


async def _devices_on_record(found: OnRecord, desk: Desk, at: datetime) -> None:
    owed = {kind for one in obligations() for kind in one.by if one.of == "device"} | set(carried_by("device")) - {
        "expiry"
    }
    kinds = [_tokens(records.KIND_SYSTEM, sorted(owed)), *sorted(CT_TYPES)]
    held = await desk.search(f"Device?type={','.join(kinds)}")
    subjects, evidence = records.devices([one.resource for one in held])
    if sum(records.SCANNER in one.kinds for one in subjects) > 1:
        found.subjects = [replace(one, kinds=SEVERAL) if one.of == "department" else one for one in found.subjects]
    found.subjects += subjects
    found.records += evidence
    found.records += await _tested([one.resource for one in held], await _tests(desk), desk, at)


async def _tested(devices: Sequence[Resource], tests: Sequence[Resource], desk: Desk, at: datetime) -> list[Record]:
    """What tests say of these devices; a scanner's constancy by its measured values, where there are any."""
    settings = desk.settings
    limits = settings.scanner_limits.on(at.astimezone(settings.zone).date())
    found = list(records.tests(tests, settings.zone))
    for device in devices:
        scanner = f"Device/{device['id']}"
        if not is_ct(device) or device.get("status", "active") != "active":
            continue
        read = (result_of(one.resource, settings.zone) for one in await measured_on(scanner, desk))
        stands = standing([one for one in read if one], at, limits, settings.scanner_edition, settings.zone)
        measured = constancy(scanner, stands, settings.zone)
        if measured is not None:
            found = [one for one in found if (one.subject, one.code) != (scanner, CONSTANCY)] + [measured]
    return found


async def eqa_records(desk: Desk) -> list[Resource]:
    """Every record of a round of comparison with others."""
    return [one.resource for one in await desk.search(f"QuestionnaireResponse?questionnaire={EQA}")]


async def _tests(desk: Desk, narrowed: str = "") -> list[Resource]:
    kinds = _tokens(records.TEST_SYSTEM, list(carried_by("test")))
    return [one.resource for one in await desk.search(f"Observation?code={kinds}{narrowed}")]


async def _answers(desk: Desk, narrowed: str = "") -> list[Resource]:
    """All answers to the department's forms; each form is asked for by itself, in any version."""
    found: list[Resource] = []
    for listed in checklists().values():
        asked = f"QuestionnaireResponse?questionnaire={listed.canonical}{narrowed}"
        found += [one.resource for one in await desk.search(asked)]
    return found


def _name(person: Resource) -> str:
    name = (person.get("name") or [{}])[0]
    return str(name.get("text") or f"{name.get('family', '')}{''.join(name.get('given', []))}")


def _tokens(system: str, codes: Sequence[str]) -> str:
    return ",".join(f"{system}|{code}" for code in codes)
