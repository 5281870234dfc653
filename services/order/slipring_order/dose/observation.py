"""A dose report as an Observation, after the HL7 Radiation Dose Summary guide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from slipring.fhir.service import Resource

from slipring_order.dose.report import DoseReport, Event
from slipring_order.reading import instant

LOINC = "http://loinc.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
UCUM = "http://unitsofmeasure.org"
DICOM_UID = "urn:dicom:uid"
_NAMES = {
    "113813": "CT Dose Length Product Total", "113812": "Total Number of Irradiation Events", "113830": "Mean CTDIvol",
    "113838": "DLP", "113835": "CTDIw Phantom Type", "113852": "Irradiation Event",
}  # fmt: skip


def as_observation(
    report: DoseReport,
    *,
    request: Resource,
    subject: Resource | None,
    now: datetime,
    performer: Resource | None = None,
    id: str | None = None,
) -> Resource:
    """Write a dose report as an Observation 73569-6; `request`, `subject`, `performer` are References.

    Components give the total and each event in turn; contained Observations hold the events with their own values.
    """
    observation: Resource = {
        "resourceType": "Observation",
        "identifier": [{"system": DICOM_UID, "value": f"urn:oid:{report.sop_instance_uid}"}],
        "basedOn": [request],
        "status": "final",
        "code": {
            "coding": [{"system": LOINC, "code": "73569-6", "display": "Radiation exposure and protection information"}]
        },
        "effectiveDateTime": instant(report.started_at or now),
        "valueString": summary(report),
        "device": {"display": report.device or "unknown"},
        "component": list(_totals(report)),
    }
    if id:
        observation = {"resourceType": "Observation", "id": id, **observation}
    if subject:
        observation["subject"] = subject
    if performer:
        observation["performer"] = [performer]
    events = [_contained(event, position, subject) for position, event in enumerate(report.events, 1)]
    if events:
        observation["contained"] = events
        observation["hasMember"] = [{"reference": f"#{event['id']}"} for event in events]
    return observation


def summary(report: DoseReport) -> str:
    """One line in words, as a person reads it beside the images."""
    ctdi = report.max_ctdi_vol_mgy
    parts = [f"{len(report.events)} irradiation events"]
    if report.total_dlp_mgy_cm is not None:
        parts.append(f"total DLP {report.total_dlp_mgy_cm} mGy.cm")
    if ctdi is not None:
        parts.append(f"highest CTDIvol {ctdi} mGy")
    return ", ".join(parts) + (f" ({report.device})" if report.device else "")


def _totals(report: DoseReport) -> Iterator[Resource]:
    if report.total_dlp_mgy_cm is not None:
        yield _quantity("113813", report.total_dlp_mgy_cm, "mGy.cm")
    yield {"code": _code("113812"), "valueInteger": len(report.events)}


def _contained(event: Event, position: int, subject: Resource | None) -> Resource:
    components = []
    if event.ctdi_vol_mgy is not None:
        components.append(_quantity("113830", event.ctdi_vol_mgy, "mGy"))
    if event.dlp_mgy_cm is not None:
        components.append(_quantity("113838", event.dlp_mgy_cm, "mGy.cm"))
    if event.phantom_code:
        phantom = {"coding": [{"system": DCM, "code": event.phantom_code, "display": event.phantom}]}
        components.append({"code": _code("113835"), "valueCodeableConcept": phantom})
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"event-{position}",
        "status": "final",
        "code": _code("113852"),
        "valueString": "; ".join(part for part in (event.protocol, event.region, event.acquisition) if part) or "-",
    }
    if event.uid:
        observation["identifier"] = [{"system": DICOM_UID, "value": f"urn:oid:{event.uid}"}]
    if subject:
        observation["subject"] = subject
    return {**observation, "component": components} if components else observation


def _quantity(code: str, value: Decimal, unit: str) -> Resource:
    return {
        "code": _code(code),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def _code(code: str) -> Resource:
    return {"coding": [{"system": DCM, "code": code, "display": _NAMES[code]}]}
