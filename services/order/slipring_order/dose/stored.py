"""A dose Observation read back, whoever wrote it: ours with its events, or a plain one entered by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

from slipring_order.dose.events import phantom_cm
from slipring_order.dose.observation import DCM, DICOM_UID, DOSE_CODE, LOINC, STUDY_DOSE
from slipring_order.dose.report import DoseReport, Event, Source
from slipring_order.dose.units import UnknownUnit, converted
from slipring_order.reading import codes, first, has_code, moment, reference_of

_COUNTS = frozenset({"final", "amended", "corrected", "preliminary"})
_TOTAL, _EFFECTIVE = "113813", "113839"


@dataclass(frozen=True, slots=True)
class StoredDose:
    """One dose Observation: what it says, of which exam, when."""

    reference: str
    report: DoseReport
    msv: Decimal | None
    performed_at: datetime | None
    studies: frozenset[tuple[str, str]]  # (kind, key): by UID and by reference
    requests: frozenset[str]


def counts(observation: Resource) -> bool:
    """Whether an Observation says what a patient received: a dose summary, a total DLP or an effective dose."""
    if observation.get("status") not in _COUNTS:
        return False
    summary = has_code(observation.get("code"), LOINC, DOSE_CODE)
    return summary or any(
        _amount(part, code) is not None for part in _parts(observation) for code in (_TOTAL, _EFFECTIVE)
    )


def stored_dose(observation: Resource, zone: ZoneInfo) -> StoredDose:
    """Read a dose Observation back."""
    uids = {i["value"] for i in observation.get("identifier", []) if i.get("system") == STUDY_DOSE and i.get("value")}
    studies = {("uid", uid) for uid in uids}
    for element in (*observation.get("focus", []), *observation.get("partOf", [])):
        if reference := reference_of(element):
            studies.add(("reference", reference))
        identifier = element.get("identifier", {})
        if identifier.get("system") == DICOM_UID:
            studies.add(("uid", str(identifier.get("value", "")).removeprefix("urn:oid:")))
    requests = {
        reference_of(element) or str(element.get("identifier", {}).get("value", ""))
        for element in observation.get("basedOn", [])
    }
    return StoredDose(
        reference=f"Observation/{observation.get('id', '')}",
        report=as_report(observation, zone),
        msv=_first_amount(observation, _EFFECTIVE),
        performed_at=moment(
            first(observation, "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"), zone
        ),
        studies=frozenset(studies),
        requests=frozenset(requests - {""}),
    )


def as_report(observation: Resource, zone: ZoneInfo) -> DoseReport:
    """The report that an Observation of ours was made from, as far as it holds it."""
    held = observation.get("identifier", [])
    contained = [each for each in observation.get("contained", []) if has_code(each.get("code"), DCM, "113852")]
    return DoseReport(
        sop_instance_uid=" ".join(_uid(one) for one in held if one.get("system") == DICOM_UID),
        study_uid=next((str(one.get("value", "")) for one in held if one.get("system") == STUDY_DOSE), ""),
        accession_number="",
        manufacturer="",
        model="",
        serial_number="",
        started_at=moment(observation.get("effectiveDateTime"), zone),
        ended_at=None,
        stated_events=None,
        total_dlp_mgy_cm=_first_amount(observation, _TOTAL),
        events=tuple(_event(each, zone) for each in contained),
        alerts=(),
        written_at=moment(observation.get("issued"), zone),
        scope=_coded(observation, "113705")[0],
    )


def _event(observation: Resource, zone: ZoneInfo) -> Event:
    acquisition_code, acquisition = _coded(observation, "113820")
    region_code, region = _coded(observation, "123014")
    phantom_code, phantom = _coded(observation, "113835")
    said = (p.get("valueString") for p in observation.get("component", []) if has_code(p.get("code"), DCM, "125203"))
    return Event(
        uid=next((_uid(one) for one in observation.get("identifier", []) if one.get("system") == DICOM_UID), ""),
        acquisition=acquisition,
        acquisition_code=acquisition_code,
        protocol=next((str(text) for text in said if text), ""),
        region=region,
        region_code=region_code,
        ctdi_vol_mgy=_first_amount(observation, "113830"),
        dlp_mgy_cm=_first_amount(observation, "113838"),
        length_mm=_first_amount(observation, "113825"),
        phantom=phantom,
        phantom_code=phantom_code,
        phantom_cm=phantom_cm(phantom_code, phantom),
        started_at=moment(observation.get("effectiveDateTime"), zone),
        exposure_time_s=_first_amount(observation, "113824"),
        pitch=_first_amount(observation, "113828"),
        ssde_mgy=_first_amount(observation, "113930"),
        effective_dose_msv=_first_amount(observation, _EFFECTIVE),
        sources=tuple(_sources(observation)),
    )


def _sources(observation: Resource) -> Iterator[Source]:
    """What is kept of the X-ray sources: the voltages that were used and the current of each source."""
    voltages, currents = tuple(_amounts(observation, "113733")), list(_amounts(observation, "113734"))
    for number, current in enumerate(currents or ([None] if voltages else []), 1):
        yield Source(str(number), voltages if number == 1 else (), current)


def _coded(observation: Resource, code: str) -> tuple[str, str]:
    for part in observation.get("component", []):
        if has_code(part.get("code"), DCM, code):
            concept = part.get("valueCodeableConcept", {})
            coding: Resource = next(iter(concept.get("coding", [])), {})
            return next(iter(codes(concept)), ""), str(coding.get("display") or concept.get("text") or "")
    return "", ""


def _parts(observation: Resource) -> Iterator[Resource]:
    yield observation
    yield from observation.get("component", [])


def _first_amount(observation: Resource, code: str) -> Decimal | None:
    return next(_amounts(observation, code), None)


def _amounts(observation: Resource, code: str) -> Iterator[Decimal]:
    return (amount for part in _parts(observation) if (amount := _amount(part, code)) is not None)


_UNITS = {
    "113813": "mGy.cm", "113838": "mGy.cm", "113830": "mGy", "113839": "mSv", "113825": "mm",
    "113824": "s", "113828": "1", "113930": "mGy", "113733": "kV", "113734": "mA",
}  # fmt: skip


def _amount(part: Resource, code: str) -> Decimal | None:
    """An amount in the fixed unit of its concept; one in another quantity's unit says nothing."""
    if not has_code(part.get("code"), DCM, code):
        return None
    quantity: dict[str, Any] = part.get("valueQuantity", {})
    if quantity.get("value") is None:
        return None
    try:
        value = Decimal(str(quantity["value"]))
        return converted(value, str(quantity.get("code") or quantity.get("unit") or ""), _UNITS[code])
    except (InvalidOperation, UnknownUnit):
        return None


def _uid(identifier: Resource) -> str:
    return str(identifier.get("value", "")).removeprefix("urn:oid:")
