"""One entry of the worklist: a scheduled step with its patient, request and scanner, as DICOM attributes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.dicom.names import one_line, person_name
from slipring_order.reading import codes, codings
from slipring_order.rooms.step import ScheduledStep

AE_TITLE_SYSTEM = f"{CANONICAL}/sid/ae-title"
SHORT, LONG, TEXT = 16, 64, 1024  # characters of SH, LO and ST (PS3.5 table 6.2-1)
MODALITY = "CT"
_SEX = {"male": "M", "female": "F", "other": "O"}
_PRIORITY = {"stat": "STAT", "asap": "HIGH", "urgent": "HIGH", "routine": "ROUTINE"}
_PREGNANCY = {"not-pregnant": 1, "pregnant": 3, "unknown": 4}  # (0010,21C0), PS3.3 C.2.3
# Code systems by the designator that DICOM knows them by (PS3.16 section 8).
_DESIGNATORS = {
    "http://loinc.org": "LN", "http://snomed.info/sct": "SCT", "http://dicom.nema.org/resources/ontology/DCM": "DCM",
}  # fmt: skip
_OURS = "99SLIPRING"


@dataclass(frozen=True, slots=True)
class PatientState:
    """What is known of a patient's state; empty where nothing is said."""

    pregnancy: str = ""  # pregnant, not-pregnant, unknown
    allergies: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()  # those of high criticality
    weight_kg: Decimal | None = None
    height_m: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one line of the worklist is made of."""

    step: ScheduledStep
    ae_title: str
    patient: Resource
    request: Resource
    scanner: Resource
    requester: Resource
    room: Resource
    begins_at: datetime  # in the department's time zone
    state: PatientState = PatientState()


def ae_title_of(device: Resource) -> str:
    """The AE title that a Device carries as identifier, or an empty string."""
    found = (one.get("value") for one in device.get("identifier", []) if one.get("system") == AE_TITLE_SYSTEM)
    return next((str(value) for value in found if value), "")


def patient_id(patient: Resource) -> tuple[str, str]:
    """The patient's number with who gave it: the medical record number, else the usual one, else the first."""
    identifiers = [one for one in patient.get("identifier", []) if one.get("value") and one.get("use") != "old"]
    ranked = sorted(identifiers, key=lambda one: ("MR" not in codes(one.get("type")), one.get("use") != "usual"))
    if not ranked:
        return "", ""
    issuer = ranked[0].get("assigner", {}).get("display") or ranked[0].get("system", "")
    return one_line(str(ranked[0]["value"]), LONG), one_line(str(issuer), LONG)


def in_zone(step: ScheduledStep, zone: ZoneInfo) -> datetime:
    """When a step begins, on the department's clock."""
    return step.starts_at.astimezone(zone)


# Attributes that are both matched and returned have their value here alone; others are made in `coded`.
REQUEST: Mapping[str, Callable[[Entry], str | int]] = {
    "AccessionNumber": lambda e: e.step.imaging_number[:SHORT],
    "RequestedProcedureID": lambda e: e.step.imaging_number[:SHORT],
    "StudyInstanceUID": lambda e: e.step.study_instance_uid,
    "RequestedProcedureDescription": lambda e: exam_name(e.request),
    "RequestedProcedurePriority": lambda e: _PRIORITY.get(e.step.priority, "ROUTINE"),
    "ReasonForTheRequestedProcedure": lambda e: reason(e.request),
    "ReferringPhysicianName": lambda e: person_name(e.requester.get("name", [])),
    "RequestingPhysician": lambda e: person_name(e.requester.get("name", [])),
    "PatientName": lambda e: person_name(e.patient.get("name", [])),
    "PatientID": lambda e: patient_id(e.patient)[0],
    "IssuerOfPatientID": lambda e: patient_id(e.patient)[1],
    "PatientBirthDate": lambda e: birth_date(e.patient),
    "PatientSex": lambda e: _SEX.get(str(e.patient.get("gender", "")), ""),
    "Modality": lambda e: MODALITY,
    "PregnancyStatus": lambda e: _PREGNANCY.get(e.state.pregnancy, ""),
    "Allergies": lambda e: "\\".join(e.state.allergies),
    "MedicalAlerts": lambda e: "\\".join(e.state.alerts),
    "PatientWeight": lambda e: _decimal(e.state.weight_kg),
    "PatientSize": lambda e: _decimal(e.state.height_m),
}
STEP: Mapping[str, Callable[[Entry], str]] = {
    "ScheduledStationAETitle": lambda e: e.ae_title,
    "ScheduledStationName": lambda e: one_line(device_name(e.scanner), SHORT),
    "ScheduledProcedureStepLocation": lambda e: one_line(str(e.room.get("name", "")), SHORT),
    "Modality": lambda e: MODALITY,
    "ScheduledProcedureStepStartDate": lambda e: e.begins_at.strftime("%Y%m%d"),
    "ScheduledProcedureStepStartTime": lambda e: e.begins_at.strftime("%H%M%S"),
    "ScheduledProcedureStepID": lambda e: e.step.step_id[:SHORT],
    "ScheduledProcedureStepDescription": lambda e: one_line(e.step.protocol_text, LONG) or exam_name(e.request),
    "ScheduledProcedureStepStatus": lambda e: "SCHEDULED",
    "ScheduledPerformingPhysicianName": lambda e: "",
}
CODED = {"RequestedProcedureCodeSequence", "ScheduledProtocolCodeSequence"}
STEP_SEQUENCE = "ScheduledProcedureStepSequence"


def coded(keyword: str, entry: Entry) -> list[Mapping[str, str]]:
    """The items of a code sequence, by keyword in the order of their tags."""
    concept = entry.request.get("code", {})
    if keyword == "ScheduledProtocolCodeSequence" and entry.step.protocol:
        return [_code(entry.step.protocol.rpartition("/")[2], _OURS, entry.step.protocol_text or entry.step.protocol)]
    return [
        _code(str(one["code"]), _DESIGNATORS.get(str(one.get("system", "")), _OURS), str(one.get("display") or ""))
        for one in codings(concept)[:1]
        if one.get("code")
    ]


def exam_name(request: Resource) -> str:
    """The examination in words."""
    concept = request.get("code", {})
    texts = [concept.get("text"), *(one.get("display") for one in codings(concept)), *codes(concept)]
    return one_line(str(next((text for text in texts if text), "")), LONG)


def reason(request: Resource) -> str:
    """What the request says it is for."""
    found = [
        str(one.get("text") or next((c.get("display") for c in codings(one) if c.get("display")), ""))
        for one in request.get("reasonCode", [])
    ]
    return one_line("; ".join(filter(None, found)), LONG)


def birth_date(patient: Resource) -> str:
    """A whole birth date as DICOM writes it; a year or month alone is none."""
    written = str(patient.get("birthDate", ""))
    return written.replace("-", "") if len(written) == len("1970-01-01") else ""


def _decimal(value: Decimal | None) -> str:
    """A decimal string (DS), 16 characters at most."""
    return "" if value is None else f"{value.normalize():f}"[:SHORT]


def device_name(device: Resource) -> str:
    """What a Device is called."""
    names = device.get("deviceName") or [{}]
    return str(names[0].get("name", ""))


def _code(value: str, designator: str, meaning: str) -> Mapping[str, str]:
    words = {"CodingSchemeDesignator": designator, "CodeMeaning": one_line(meaning or value, LONG)}
    if len(value) > SHORT:  # cut short it would be another code (PS3.3 table 8.8-1)
        return {**words, "LongCodeValue": one_line(value, LONG)}
    return {"CodeValue": one_line(value, SHORT), **words}
