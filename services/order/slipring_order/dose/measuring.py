"""From a dose Observation to what is compared: the highest CTDIvol of its scans and its DLP, for the right phantom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from slipring.fhir.service import Resource
from slipring.rules.limits import Limits

from slipring_order import catalogue
from slipring_order.dose.events import terms
from slipring_order.dose.groups import ExamMeasure
from slipring_order.dose.levels import Level, level_for
from slipring_order.dose.report import DoseReport, Event
from slipring_order.facts import age_on
from slipring_order.reading import codes, reference_of

_STATIONARY = "113806"  # bolus tracking: many times one place, no scan of a region
_SEVERAL_PHASES = "both"


@dataclass(frozen=True, slots=True)
class Patient:
    """What of a patient decides about the band."""

    birth_date: str
    weight_kg: Decimal | None = None


def measured(
    observation: Resource, report: DoseReport, code: Resource | None, patient: Patient, on: date, limits: Limits
) -> ExamMeasure | None:
    """What an exam was given; None when the catalogue names no kind of exam that levels exist for.

    DLP is compared for exams of one phase only: levels are stated for a single pass. Dose given for another phantom
    than the level's is not compared.
    """
    exam = catalogue.exam_of(codes(code))
    if exam is None or not exam.drl:
        return None
    level = level_for(exam.drl, age_on(patient.birth_date, on), patient.weight_kg, limits)
    scans = [event for event in report.events if _is_scan(event)]
    fits = not _other_phantom(scans, level)
    ctdi = max((event.ctdi_vol_mgy for event in scans if event.ctdi_vol_mgy is not None), default=None)
    return ExamMeasure(
        reference=f"Observation/{observation.get('id', '')}",
        key=exam.drl,
        scanner=scanner_of(observation),
        level=level,
        band=level.band if level else "-",
        ctdivol=ctdi if fits else None,
        dlp=report.dlp_mgy_cm if fits and exam.phases != _SEVERAL_PHASES else None,
    )


def scanner_of(observation: Resource) -> str:
    """By what a group knows the scanner of an Observation: its Device, else what is said of it, else `-`."""
    device = observation.get("device", {})
    return reference_of(device) or str(device.get("identifier", {}).get("value") or device.get("display") or "-")


def _is_scan(event: Event) -> bool:
    known = terms()["acquisition"].get(event.acquisition_code, {})
    return not known.get("localizer", False) and event.acquisition_code != _STATIONARY


def _other_phantom(scans: list[Event], level: Level | None) -> bool:
    """Whether a scan states its dose for another phantom than the level does."""
    if level is None or level.phantom_cm is None:
        return False
    return any(event.phantom_cm not in (None, level.phantom_cm) for event in scans)
