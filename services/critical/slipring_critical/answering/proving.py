"""By which numbers a receiver proves whom a case is about that belongs to no exam: a reaction before its exam is known."""

from __future__ import annotations

from slipring.fhir.service import Desk, Resource

from slipring_critical.cases.facts import CaseFacts, first_reference
from slipring_critical.rules.read_back import TAIL_LENGTH

_HOSPITAL_NUMBERS = ("MR", "PI")  # v2-0203: medical record number, patient's number within


async def numbers_of(case: CaseFacts, desk: Desk) -> tuple[str, ...]:
    """The patient's hospital numbers; of a patient without one, the number of the reaction. Empty for a case with an exam.

    Nobody is told of an exam's case by any other number than the exam's own: two exams of one patient are two cases.
    """
    if case.request:
        return ()
    patient = await desk.read(case.patient) if case.patient.startswith("Patient/") else None
    numbers = hospital_numbers(patient.resource) if patient else ()
    if numbers:
        return numbers
    finding = await desk.read(case.observation) if case.observation else None
    reaction = first_reference(finding.resource.get("focus"), "AdverseEvent") if finding else ""
    return (reaction.partition("/")[2],) if reaction else ()


def hospital_numbers(patient: Resource) -> tuple[str, ...]:
    """The numbers of a Patient that are long enough to check by and no longer old."""
    return tuple(
        value
        for one in patient.get("identifier", [])
        if one.get("use") != "old"
        and any(coding.get("code") in _HOSPITAL_NUMBERS for coding in one.get("type", {}).get("coding", []))
        and len(value := str(one.get("value", ""))) >= TAIL_LENGTH
    )
