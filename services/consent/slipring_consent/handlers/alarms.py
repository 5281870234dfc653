"""Contrast is permitted and runs, and what permitted it no longer stands: who is at the injector is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import Arrival, Changes, Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.known import PERMITTED
from slipring_consent.people import people_of, person_behind, roles_of, unqualified_among
from slipring_consent.reading import reference_of
from slipring_consent.resources import as_notice
from slipring_consent.verdicts import on_record

_RULE = "consent.changed-after-permission"
_ZH, _EN = "给药许可后情况已变化，请立即核对：", "Something changed after contrast was permitted, look at once: "


async def at_the_injector(exam: str, patients: Iterable[str], zh: str, en: str, desk: Desk) -> list[Save]:
    """The alarm on every injection of an exam that is permitted and not over: a high finding, and a notice to each person.

    `patients` are those the exam is or was for; an injection of theirs is found under any record of theirs.
    """
    people = [await merge_set(patient, desk) for patient in dict.fromkeys(patients) if patient]
    saves: list[Save] = []
    for administration in await _running("patient", frozenset[str]().union(*people), desk):
        if exam_of_administration(administration.resource) == exam:
            saves += _alarm(administration, zh, en, desk)
    return saves


async def at_every_injection(patient: str, zh: str, en: str, desk: Desk) -> list[Save]:
    """The alarm on every injection of a person that is permitted and not over, for whatever exam."""
    return at_injections(await running_of(patient, desk), zh, en, desk)


async def running_of(patient: str, desk: Desk) -> list[Stored]:
    """The injections of a person, under any record, that are permitted and not over."""
    return await _running("patient", await merge_set(patient, desk), desk) if patient else []


def at_injections(running: Iterable[Stored], zh: str, en: str, desk: Desk) -> list[Save]:
    """The alarm on these very injections, which run: a high finding, and a notice to each person at the injector."""
    return [save for administration in running for save in _alarm(administration, zh, en, desk)]


def untold(later: Changes, first: Changes) -> Changes:
    """What is decided later, less the alarm on injections that what was decided first alarms already."""
    about = {one for save in first.save for one in _about(save.resource)}
    told = {one for one in about if one.startswith("MedicationAdministration/")}
    return replace(later, save=[save for save in later.save if not told & _about(save.resource)])


def _about(resource: Resource) -> frozenset[str]:
    focus = [resource.get("focus")] if resource["resourceType"] == "Task" else []
    return frozenset(map(reference_of, [*focus, *resource.get("implicated", [])]))


async def staff_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """One of those who give contrast has changed, and none of them may give it now: the alarm is told on what runs."""
    changed = _staff(arrival)
    roles = [await desk.search(roles_of(one)) for one in changed if _is_person(one)]
    names = changed.union(role.reference for held in roles for role in held)
    saves: list[Save] = []
    for administration in await _running("performer", names, desk):
        givers, _ = people_of(administration.resource)
        named = {*givers, *[await person_behind(desk, giver) for giver in givers]}
        if named & changed and (reasons := await unqualified_among(givers, desk)):
            saves += _alarm(administration, reasons[0].zh, reasons[0].en, desk)
    return Changes(save=saves)


def _staff(arrival: Arrival) -> frozenset[str]:
    """Whose rights may be others now: who arrived, and whom a role named, or named before."""
    versions = [arrival.resource, *([arrival.before.resource] if arrival.before else [])]
    return frozenset({arrival.reference, *filter(None, (reference_of(one.get("practitioner")) for one in versions))})


def _is_person(reference: str) -> bool:
    return reference.startswith("Practitioner/")


async def _running(by: str, references: frozenset[str], desk: Desk) -> list[Stored]:
    """The injections that run of these patients, or by these performers."""
    if not references:
        return []
    found = await desk.search(f"MedicationAdministration?status={','.join(PERMITTED)}&{by}={any_of(references)}")
    return [one for one in found if not one.source]


def _alarm(administration: Stored, zh: str, en: str, desk: Desk) -> list[Save]:
    patient = reference_of(administration.resource.get("subject"))
    finding = Finding(
        _RULE, "1", "CL02-A011:5.4.1", Weight.STOP, f"{_ZH}{zh}", f"{_EN}{en}", "MedicationAdministration.status"
    )
    issues = on_record([finding], desk, patient=patient, about=administration.reference)
    notices = [
        Save(as_notice(desk.new_id(), administration.resource, who, finding.zh, finding.en, now=desk.now))
        for who in _named(administration)
    ]
    return [*issues, *notices]


def _named(administration: Stored) -> list[str]:
    named = (reference_of(one.get("actor")) for one in administration.resource.get("performer", []))
    return [one for one in dict.fromkeys(named) if one]
