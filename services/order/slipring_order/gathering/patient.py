"""What is known about the patient of a request: who it is, age, pregnancy and its weeks, dose received."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource
from slipring.rules.child_bearing import uterus_removed

from slipring_order.dose.exposure import exam_doses
from slipring_order.facts import DoseReceived, age_on, ages_on
from slipring_order.gathering.contrast_reaction import contrast_reaction
from slipring_order.gathering.pregnancy_stated import dating_codes, gestation_days, pregnancy_status
from slipring_order.reading import Pool, codes

EFFECTIVE_DOSE = "113839"
# What is looked for among all observations of the patient: weeks of a pregnancy, and dose received.
SOUGHT_BY_CODE = (*dating_codes(), EFFECTIVE_DOSE)
VOID = frozenset({"entered-in-error", "cancelled"})
_WRONG = frozenset({"refuted", "entered-in-error"})


def patient_facts(
    request: Resource, pool: Pool, supporting: list[Resource], now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """The members of OrderFacts about the patient; `supporting` is what is stated for this request."""
    patient = pool.resolve(request.get("subject"), request)
    if patient is None:
        return {}
    birth_date = str(patient.get("birthDate", ""))
    return {
        "patient_known": True,
        "patient_identified": any(identifier.get("value") for identifier in patient.get("identifier", [])),
        "patient_reachable": bool(patient.get("telecom") or patient.get("address") or request.get("encounter")),
        "deceased": is_deceased(patient),
        "sex": str(patient.get("gender", "")),
        "birth_date": birth_date,
        "age_years": age_on(birth_date, now.astimezone(zone).date()),
        "age_span": ages_on(birth_date, now.astimezone(zone).date()),
        "pregnancy": pregnancy_status(request, supporting, patient, pool, now, zone),
        "uterus_removed": _uterus_removed(patient, pool),
        "gestation_days": gestation_days(patient, pool, now, zone, VOID),
        "contrast_reaction": contrast_reaction(patient, pool),
        "doses": tuple(_doses(request, patient, pool, zone)),
    }


def is_deceased(patient: Resource) -> bool:
    """Whether a record says that the patient died."""
    return bool(patient.get("deceasedDateTime")) or patient.get("deceasedBoolean") is True


def _uterus_removed(patient: Resource, pool: Pool) -> bool:
    conditions = [one for one in pool.of_type("Condition") if not set(codes(one.get("verificationStatus"))) & _WRONG]
    done = [one for one in pool.of_type("Procedure") if one.get("status") == "completed"]
    return any(
        uterus_removed(one.get("code")) and pool.same(one.get("subject"), patient) for one in (*conditions, *done)
    )


def _doses(request: Resource, patient: Resource, pool: Pool, zone: ZoneInfo) -> Iterator[DoseReceived]:
    """The effective dose of each earlier examination, however many Observations speak of it."""
    held = [
        observation
        for observation in pool.of_type("Observation")
        if observation.get("subject") and pool.same(observation["subject"], patient)
        if not any(pool.same(reference, request) for reference in observation.get("basedOn", []))
    ]
    for exam in exam_doses(held, zone):
        if exam.msv is not None and exam.performed_at is not None:
            yield DoseReceived(exam.performed_at, float(exam.msv))
