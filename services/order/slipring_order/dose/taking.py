"""A dose report arrives, from a scanner or over HTTP: one Observation holds the dose of a study, whatever comes later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write
from slipring.rules.rulebook import check

from slipring_order import catalogue
from slipring_order.dose.compared import with_compared
from slipring_order.dose.doubted import doubted
from slipring_order.dose.effective import Estimate, Part, estimated, stated
from slipring_order.dose.events import terms
from slipring_order.dose.measuring import Patient, measured
from slipring_order.dose.observation import STUDY_DOSE, as_observation, study_identifier
from slipring_order.dose.problem import NotADoseReport
from slipring_order.dose.reading import read_dose_report
from slipring_order.dose.report import DoseReport, Event
from slipring_order.dose.several import STUDY, one_study
from slipring_order.dose.stored import as_report
from slipring_order.facts import age_on
from slipring_order.handlers.evidence import images_written
from slipring_order.images.comparing import compared, new_issues
from slipring_order.images.exam import patient_of, request_of, study_of
from slipring_order.images.reading import NotAnImage, header_of, order_side
from slipring_order.reading import reference_of
from slipring_order.rules import DOSE_RULES, IDENTITY_RULES

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset


async def take_dose_report(dataset: Dataset, desk: Desk, request: Stored | None = None) -> Changes:
    """Take a CT dose report: its Observation new or united with what the study's earlier reports said.

    `request` names the exam when somebody knows better than the report. The same report again changes nothing.
    A report of no known exam is kept, with a finding. NotADoseReport when it is none.
    """
    zone = desk.settings.zone
    report = read_dose_report(dataset, zone)
    if not report.sop_instance_uid:
        raise NotADoseReport("a report without SOP Instance UID cannot be kept", "没有 SOP Instance UID 的报告无法保存")
    before = await _dose_of(report, desk)
    named = reference_of(next(iter(before.resource.get("basedOn", [])), None)) if before else ""
    exam = (
        request
        or await request_of(report.study_uid, report.accession_number, desk)
        or (await desk.read(named) if named.startswith("ServiceRequest/") else None)
    )
    if before is not None and _holds(before.resource, report) and (exam is None or exam.reference == named):
        return Changes(answer=before.resource)
    whole = _united(as_report(before.resource, zone), report) if before else report
    observation = await _observation(whole, exam, before, desk)
    saves = [Save(observation, replaces=before.version if before else None)]
    changes = await images_written(Write("update" if before else "create", observation, before), desk)
    about = f"Observation/{observation['id']}"
    doubts, notes = await doubted(report, exam, about, desk)
    observation["note"] += notes
    findings = doubts + await _differences(dataset, exam, about, desk)
    findings += await _prompts(observation, whole, exam, desk)
    return Changes(save=[*saves, *findings], answer=observation).plus(changes)


def scanned_parts(events: Sequence[Event], regions: frozenset[str]) -> list[Part]:
    """The parts of the body that received dose; an event that names no region is of those ordered."""
    return [
        Part(regions_of_event(event) or regions, event.dlp_mgy_cm, event.phantom_cm)
        for event in events
        if event.dlp_mgy_cm
    ]


def regions_of_event(event: Event) -> frozenset[str]:
    """The catalogue's regions that an event's target region stands for."""
    named = terms()["region"].get(event.region_code)
    return frozenset(named) if named else catalogue.regions_of([event.region_code])


def dose_estimate(report: DoseReport, regions: frozenset[str], patient: Resource | None, on: date) -> Estimate:
    """The effective dose that the scanner states, else the estimate from DLP for the patient's age that day."""
    doses = [event.effective_dose_msv for event in report.events if event.dlp_mgy_cm]
    told = [dose for dose in doses if dose is not None]
    if told and len(told) == len(doses):
        return stated(sum(told, Decimal(0)))
    parts = scanned_parts(report.events, regions)
    if not parts and report.dlp_mgy_cm:
        parts = [Part(regions, report.dlp_mgy_cm)]
    return estimated(parts, age_on(str((patient or {}).get("birthDate", "")), on), on)


async def _dose_of(report: DoseReport, desk: Desk) -> Stored | None:
    """What is on record of this study, or of this very report."""
    queries = [f"Observation?identifier=urn:dicom:uid|urn:oid:{report.sop_instance_uid}"]
    if report.study_uid:
        queries.append(f"Observation?identifier={STUDY_DOSE}|{report.study_uid}")
    for query in queries:
        for found in await desk.search(query):
            if not found.source:
                return found
    return None


def _holds(observation: Resource, report: DoseReport) -> bool:
    return study_identifier(report.sop_instance_uid) in observation.get("identifier", [])


def _united(told: DoseReport, report: DoseReport) -> DoseReport:
    """What both say: the events of both, each once."""
    study = one_study([told, report])
    began = min((at for at in (told.started_at, report.started_at) if at), default=None)
    return replace(
        report,
        sop_instance_uid=" ".join(dict.fromkeys([*told.sop_instance_uid.split(), report.sop_instance_uid])),
        scope=STUDY if STUDY in (told.scope, report.scope) else report.scope,
        total_dlp_mgy_cm=study.dlp_mgy_cm,
        events=study.events,
        started_at=began,
        written_at=max((at for at in (told.written_at, report.written_at) if at), default=None),
    )


async def _observation(whole: DoseReport, exam: Stored | None, before: Stored | None, desk: Desk) -> Resource:
    request = exam.resource if exam else None
    patient = await patient_of(request, desk) if request else None
    regions = order_side(request)[0] if request else frozenset()
    on = (whole.started_at or desk.now).astimezone(desk.settings.zone).date()
    observation = as_observation(
        whole,
        id=before.resource["id"] if before else desk.new_id(),
        request=_request_reference(whole, exam),
        subject=request.get("subject") if request else None,
        now=desk.now,
        study=await _study_reference(whole, desk),
        device=await _device(whole, desk),
        estimate=dose_estimate(whole, regions, patient, on),
    )
    if request and (said := await with_compared(observation, desk, request)):
        observation["extension"] = said
    return observation | ({"status": "amended"} if before else {})


def _request_reference(report: DoseReport, exam: Stored | None) -> Resource | None:
    if exam is not None:
        return {"reference": exam.reference}
    return {"display": report.accession_number} if report.accession_number else None


async def _study_reference(report: DoseReport, desk: Desk) -> Resource | None:
    if not report.study_uid:
        return None
    study = await study_of(report.study_uid, desk)
    named = {"type": "ImagingStudy", "identifier": study_identifier(report.study_uid)}
    return {"reference": study.reference, **named} if study else named


async def _device(report: DoseReport, desk: Desk) -> Resource:
    """The scanner: the Device that carries its serial number, else what the report says of it."""
    said: Resource = {"display": report.device or "unknown"}
    if not report.serial_number:
        return said
    said["identifier"] = {"value": report.serial_number}
    for device in await desk.search("Device?type=CT"):
        numbers = [
            device.resource.get("serialNumber"),
            *(i.get("value") for i in device.resource.get("identifier", [])),
        ]
        if report.serial_number in numbers:
            return {"reference": device.reference, **said}
    return said


async def _prompts(observation: Resource, whole: DoseReport, exam: Stored | None, desk: Desk) -> list[Save]:
    """A dose beyond its reference level, or an unusually low one, is pointed out; it is no verdict."""
    if exam is None:
        return []
    born = str((await patient_of(exam.resource, desk) or {}).get("birthDate", ""))
    day = desk.now.astimezone(desk.settings.zone).date()
    on = (whole.started_at or desk.now).astimezone(desk.settings.zone).date()
    limits = desk.settings.limits.on(day)
    measure = measured(observation, whole, exam.resource.get("code"), Patient(born), on, limits)
    findings = check(measure, DOSE_RULES, limits, desk.now) if measure else []
    return await new_issues(findings, exam, f"Observation/{observation['id']}", desk)


async def _differences(dataset: Dataset, exam: Stored | None, about: str, desk: Desk) -> list[Save]:
    """The report's header held against the order, as far as it says of whom it is."""
    try:
        header = header_of(dataset)
    except NotAnImage:
        return []
    return await compared(header, exam, about, desk, rules=IDENTITY_RULES)
