"""The dose of a study as an Observation, after the HL7 Radiation Dose Summary guide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.dose.effective import Estimate
from slipring_order.dose.report import DoseReport, Event
from slipring_order.reading import instant

LOINC = "http://loinc.org"
DOSE_CODE = "73569-6"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
UCUM = "http://unitsofmeasure.org"
DICOM_UID = "urn:dicom:uid"
STUDY_DOSE = f"{CANONICAL}/sid/study-dose"  # one Observation holds all that the reports of a study say
DOSE_QUANTITY = f"{CANONICAL}/CodeSystem/dose-quantity"
CTDI_MAX = "ctdivol-max"
NAMES = {
    "113813": "CT Dose Length Product Total", "113812": "Total Number of Irradiation Events", "113830": "Mean CTDIvol",
    "113838": "DLP", "113835": "CTDIw Phantom Type", "113852": "Irradiation Event", "113839": "Effective Dose",
    "113840": "Effective Dose Conversion Factor", "113820": "CT Acquisition Type", "123014": "Target Region",
    "125203": "Acquisition Protocol", "113825": "Scanning Length", "113733": "KVP", "113734": "X-Ray Tube Current",
    "113824": "Exposure Time", "113705": "Scope of Accumulation", "113828": "Pitch Factor", "113930": "Size Specific Dose Estimation",
}  # fmt: skip
_SNOMED_DIGITS = 7  # at least; the codes of DCM have six


def as_observation(
    report: DoseReport,
    *,
    request: Resource | None,
    subject: Resource | None,
    now: datetime,
    performer: Resource | None = None,
    id: str | None = None,
    study: Resource | None = None,
    device: Resource | None = None,
    estimate: Estimate | None = None,
) -> Resource:
    """Write a dose as an Observation 73569-6; `request`, `subject`, `performer`, `study`, `device` are References.

    Components give the total, the highest CTDIvol and the number of events; contained Observations hold the events.
    """
    observation: Resource = {
        "resourceType": "Observation",
        "id": id,
        "identifier": [*_identifiers(report)],
        "basedOn": [request] if request else None,
        "partOf": [study] if study and "reference" in study else None,
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}]}],
        "code": {
            "coding": [{"system": LOINC, "code": DOSE_CODE, "display": "Radiation exposure and protection information"}]
        },
        "subject": subject,
        "focus": [study] if study else None,
        "effectiveDateTime": instant(report.started_at or report.written_at or now),
        "issued": instant(report.written_at or now),
        "performer": [performer] if performer else None,
        "valueString": summary(report),
        "device": device or {"display": report.device or "unknown"},
        "component": [*_totals(report), *_effective(estimate)],
    }  # fmt: skip
    events = [contained_event(event, position, subject) for position, event in enumerate(report.events, 1)]
    if events:
        observation["contained"] = events
        observation["hasMember"] = [{"reference": f"#{event['id']}"} for event in events]
    if estimate is not None:
        observation["note"] = [{"text": f"{estimate.zh} {estimate.en}"}]
    return {name: value for name, value in observation.items() if value is not None}


def summary(report: DoseReport) -> str:
    """One line in words, as a person reads it beside the images."""
    ctdi, total = report.max_ctdi_vol_mgy, report.dlp_mgy_cm
    parts = [f"{len(report.events)} irradiation events"]
    if total is not None:
        parts.append(f"total DLP {total} mGy.cm")
    if ctdi is not None:
        parts.append(f"highest CTDIvol {ctdi} mGy")
    return ", ".join(parts) + (f" ({report.device})" if report.device else "")


def study_identifier(uid: str) -> Resource:
    """How a DICOM UID stands in an identifier."""
    return {"system": DICOM_UID, "value": f"urn:oid:{uid}"}


def contained_event(event: Event, position: int, subject: Resource | None) -> Resource:
    """One irradiation event; a localizer without dose has no dose components."""
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"event-{position}",
        "status": "final",
        "code": dicom_code("113852"),
        "valueString": "; ".join(part for part in (event.protocol, event.region, event.acquisition) if part) or "-",
    }
    if event.uid:
        observation["identifier"] = [study_identifier(event.uid)]
    if event.started_at:
        observation["effectiveDateTime"] = instant(event.started_at)
    if subject:
        observation["subject"] = subject
    components = [*_coded(event), *_measured(event)]
    return {**observation, "component": components} if components else observation


def dicom_code(code: str) -> Resource:
    """A concept of DICOM's own terminology."""
    return {"coding": [{"system": DCM, "code": code, "display": NAMES[code]}]}


def _identifiers(report: DoseReport) -> Iterator[Resource]:
    for uid in filter(None, report.sop_instance_uid.split()):
        yield study_identifier(uid)
    if report.study_uid:
        yield {"system": STUDY_DOSE, "value": report.study_uid}


def _totals(report: DoseReport) -> Iterator[Resource]:
    if report.dlp_mgy_cm is not None:
        yield quantity("113813", report.dlp_mgy_cm, "mGy.cm")
    yield {"code": dicom_code("113812"), "valueInteger": len(report.events)}
    if report.scope:
        yield {"code": dicom_code("113705"), "valueCodeableConcept": _concept(report.scope, "")}
    if report.max_ctdi_vol_mgy is not None:
        highest = {"coding": [{"system": DOSE_QUANTITY, "code": CTDI_MAX, "display": "highest CTDIvol"}]}
        yield {**quantity("113830", report.max_ctdi_vol_mgy, "mGy"), "code": highest}


def _effective(estimate: Estimate | None) -> Iterator[Resource]:
    if estimate is None or estimate.msv is None:
        return
    yield quantity("113839", estimate.msv, "mSv")
    for factor in estimate.factors:
        yield quantity("113840", factor, "mSv/(mGy.cm)")


def _coded(event: Event) -> Iterator[Resource]:
    for name, code, meaning in (
        ("113820", event.acquisition_code, event.acquisition),
        ("123014", event.region_code, event.region),
        ("113835", event.phantom_code, event.phantom),
    ):
        if code or meaning:
            yield {"code": dicom_code(name), "valueCodeableConcept": _concept(code, meaning)}
    if event.protocol:
        yield {"code": dicom_code("125203"), "valueString": event.protocol}


def _measured(event: Event) -> Iterator[Resource]:
    currents = [source.current_ma for source in event.sources]
    given: Sequence[tuple[str, Decimal | None, str]] = (
        ("113830", event.ctdi_vol_mgy, "mGy"),
        ("113838", event.dlp_mgy_cm, "mGy.cm"),
        ("113825", event.length_mm, "mm"),
        ("113824", event.exposure_time_s, "s"),
        ("113828", event.pitch, "{ratio}"),
        ("113930", event.ssde_mgy, "mGy"),
        ("113839", event.effective_dose_msv, "mSv"),
        *(("113733", voltage, "kV") for voltage in event.kvp_kv),
        *(("113734", current, "mA") for current in currents),
    )
    for name, value, unit in given:
        if value is not None:
            yield quantity(name, value, unit)


def _concept(code: str, meaning: str) -> Resource:
    if not code:
        return {"text": meaning}
    coding = {"system": _system(code), "code": code, "display": meaning or None}
    return {"coding": [{name: value for name, value in coding.items() if value}]}


def _system(code: str) -> str:
    """SNOMED CT by its long numbers, its retired DICOM spelling by letters, else DICOM's own."""
    if not code.isdigit():
        return "http://snomed.info/srt"
    return "http://snomed.info/sct" if len(code) >= _SNOMED_DIGITS else DCM


def quantity(code: str, value: Decimal, unit: str) -> Resource:
    """A component that holds an amount."""
    return {
        "code": dicom_code(code),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }
