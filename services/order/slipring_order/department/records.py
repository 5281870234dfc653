"""The department's resources read as evidence: who owes, and what is on record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource
from slipring.staff import StaffFacts

from slipring_order.department.checklists import checklist_of, expiries, failed_items
from slipring_order.department.due import DEPARTMENT, Record, Subject
from slipring_order.department.obligations import carried_by
from slipring_order.reading import codes, codings, moment, reference_of
from slipring_order.rooms.scanner import is_ct

DOCUMENT_SYSTEM = f"{CANONICAL}/CodeSystem/department-document"
KIND_SYSTEM = f"{CANONICAL}/CodeSystem/device-kind"
TEST_SYSTEM = f"{CANONICAL}/CodeSystem/device-test"
NEXT_DUE = f"{CANONICAL}/StructureDefinition/next-due"
SCANNER = "ct-scanner"
_VOID = frozenset({"entered-in-error", "cancelled", "in-progress", "stopped"})
_EVER = date(1900, 1, 1)  # in use since before anybody wrote it down
_DAY = 10  # length of yyyy-mm-dd


def person_of(reference: str, name: str, staff: StaffFacts) -> Subject:
    """A person with the duties held that day; what is owed is owed from the first of them on."""
    starts = [span.start for spans in staff.duties.values() for span in spans if span.start]
    return Subject(reference, "person", staff.roles, name, min(starts, default=None))


def qualifications_of(reference: str, staff: StaffFacts) -> Iterator[Record]:
    """Certificates, training and competence of a person."""
    for code in carried_by("qualification"):
        for span in staff.qualifications.get(code, ()):
            yield Record(reference, code, span.start or _EVER, span.end, source=reference)


def kinds_of(device: Resource) -> frozenset[str]:
    """What a Device is by its type, in our words."""
    found = {str(c["code"]) for c in codings(device.get("type")) if c.get("system") == KIND_SYSTEM and c.get("code")}
    return frozenset(found | ({SCANNER} if is_ct(device) else set()))


def devices(resources: Iterable[Resource]) -> tuple[list[Subject], list[Record]]:
    """The Devices in use: each owes its checks, and that one is there is the department's evidence."""
    subjects, records = [], []
    for device in resources:
        kinds = kinds_of(device)
        if not kinds or device.get("status", "active") != "active":
            continue
        reference = f"Device/{device['id']}"
        names = device.get("deviceName") or [{}]
        subjects.append(Subject(reference, "device", kinds, str(names[0].get("name", ""))))
        records += [Record(DEPARTMENT, kind, _EVER, source=reference) for kind in kinds]
        if end := _day(device.get("expirationDate")):
            records.append(Record(reference, "expiry", _EVER, end, source=reference))
    return subjects, records


def documents(resources: Iterable[Resource]) -> Iterator[Record]:
    """Licences, permits, the agreement and procedures in force."""
    for document in resources:
        if document.get("status") != "current" or document.get("docStatus") in ("preliminary", "entered-in-error"):
            continue
        period = document.get("context", {}).get("period", {})
        on = _day(period.get("start")) or _day(document.get("date")) or _EVER
        for coding in codings(document.get("type")):
            if coding.get("system") == DOCUMENT_SYSTEM:
                source = f"DocumentReference/{document['id']}"
                yield Record(DEPARTMENT, str(coding.get("code")), on, _day(period.get("end")), source=source)


def answered(resources: Iterable[Resource], zone: ZoneInfo) -> Iterator[Record]:
    """Check lists, dose readings, health examinations; of competence the failed ones (a pass is a qualification)."""
    for response in resources:
        listed = checklist_of(response)
        on = _local_day(response.get("authored"), zone)
        if listed is None or on is None or response.get("status") in _VOID:
            continue
        passed = not failed_items(listed, response)
        if listed.code == "competence" and passed:
            continue
        about = reference_of(response.get("subject"))
        subject = about if about.startswith(("Practitioner/", "Device/")) else DEPARTMENT
        source = f"QuestionnaireResponse/{response['id']}"
        ends = [_answered_day(response, "valid-until"), *map(_day, expiries(listed, response))]
        yield Record(subject, listed.code, on, min(filter(None, ends), default=None), passed, source)


def tests(resources: Iterable[Resource], zone: ZoneInfo) -> Iterator[Record]:
    """Acceptance, status and constancy tests and calibrations of devices."""
    for observation in resources:
        on = _local_day(observation.get("effectiveDateTime") or observation.get("issued"), zone)
        if on is None or observation.get("status") in _VOID:
            continue
        device = device_of(observation)
        until = next(
            (_day(e.get("valueDate")) for e in observation.get("extension", []) if e.get("url") == NEXT_DUE), None
        )
        for coding in codings(observation.get("code")):
            if coding.get("system") == TEST_SYSTEM:
                source = f"Observation/{observation['id']}"
                yield Record(device, str(coding.get("code")), on, until, test_result(observation) == "passed", source)


def device_of(observation: Resource) -> str:
    """The device an Observation is about."""
    named = [reference_of(observation.get(member)) for member in ("device", "subject")]
    return next((reference for reference in named if reference.startswith("Device/")), "")


def test_result(observation: Resource) -> str:
    """`passed`, `failed`, or empty when nothing says it."""
    found = [code for code in codes(observation.get("valueCodeableConcept")) if code in ("passed", "failed")]
    return next(iter(found), "")


def _answered_day(response: Resource, link: str) -> date | None:
    for item in response.get("item", []):
        if item.get("linkId") == link:
            return next((_day(answer.get("valueDate")) for answer in item.get("answer", [])), None)
    return None


def _local_day(text: Any, zone: ZoneInfo) -> date | None:
    at = moment(text, zone)
    return at.astimezone(zone).date() if at else None


def _day(text: Any) -> date | None:
    """A whole date as written; a month or a year alone is no day."""
    return date.fromisoformat(text[:_DAY]) if isinstance(text, str) and len(text) >= _DAY else None
