"""Contrast is permitted and runs, and what permitted it no longer stands: who is at the injector is told at once."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_consent.facts import exam_of_administration
from slipring_consent.gathering import lacking
from slipring_consent.reading import reference_of
from slipring_consent.resources import as_notice
from slipring_consent.verdicts import on_record

_RULE = "consent.changed-after-permission"
_ZH, _EN = "给药许可后情况已变化，请立即核对：", "Something changed after contrast was permitted, look at once: "


async def at_the_injector(exam: str, zh: str, en: str, desk: Desk) -> list[Save]:
    """The alarm on every injection of an exam that is permitted and not over: a high finding, and a notice to each person."""
    saves: list[Save] = []
    for administration in await _running(desk):
        if exam_of_administration(administration.resource) == exam:
            saves += _alarm(administration, zh, en, desk)
    return saves


async def staff_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Whoever gives contrast and may no longer: the alarm is told on his injections that run."""
    person = arrival.reference
    if arrival.resource["resourceType"] == "PractitionerRole":
        person = reference_of(arrival.resource.get("practitioner"))
    saves: list[Save] = []
    for administration in await _running(desk):
        if person in _people(administration) and (reasons := await lacking("give-contrast", person, desk)):
            saves += _alarm(administration, reasons[0].zh, reasons[0].en, desk)
    return Changes(save=saves)


async def _running(desk: Desk) -> list[Stored]:
    found = await desk.search("MedicationAdministration?status=in-progress,on-hold")
    return [one for one in found if not one.source]


def _alarm(administration: Stored, zh: str, en: str, desk: Desk) -> list[Save]:
    patient = reference_of(administration.resource.get("subject"))
    finding = Finding(
        _RULE, "1", "CL02-A011:5.4.1", Weight.STOP, f"{_ZH}{zh}", f"{_EN}{en}", "MedicationAdministration.status"
    )
    issues = on_record([finding], desk, patient=patient, about=administration.reference)
    notices = [
        Save(as_notice(desk.new_id(), administration.resource, who, finding.zh, finding.en, now=desk.now))
        for who in _people(administration)
    ]
    return [*issues, *notices]


def _people(administration: Stored) -> list[str]:
    named = (reference_of(one.get("actor")) for one in administration.resource.get("performer", []))
    return [one for one in dict.fromkeys(named) if one]
