"""What is known about the patient of a request: who it is, age, pregnancy and its weeks, dose received."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

from slipring_order.dose.exposure import exam_doses
from slipring_order.facts import DoseReceived, age_on
from slipring_order.reading import Pool, codes, codings, first, has_code, moment
from slipring_order.request_form import asked_on_the_form

LOINC = "http://loinc.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
PREGNANCY_STATUS = "82810-3"
LAST_PERIOD, EXPECTED_DATE, GESTATIONAL_AGE = "8665-2", "11778-8", "18185-9"
EFFECTIVE_DOSE = "113839"
# What is looked for among all observations of the patient: weeks of a pregnancy, and dose received.
SOUGHT_BY_CODE = (LAST_PERIOD, EXPECTED_DATE, GESTATIONAL_AGE, EFFECTIVE_DOSE)
VOID = frozenset({"entered-in-error", "cancelled"})
_PREGNANCY = {
    "LA15173-0": "pregnant", "77386006": "pregnant",
    "LA26683-5": "not-pregnant", "60001007": "not-pregnant",
    "LA4489-6": "unknown", "261665006": "unknown",
}  # fmt: skip
_TERM = timedelta(days=280)  # from the last menstrual period to the expected date, Naegele
_LONGEST = timedelta(days=308)  # what is longer ago belongs to an earlier pregnancy
_IN_DAYS = {"d": 1.0, "wk": 7.0}  # UCUM


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
        "sex": str(patient.get("gender", "")),
        "birth_date": birth_date,
        "age_years": age_on(birth_date, now.astimezone(zone).date()),
        "pregnancy": _pregnancy(supporting, patient, pool, now, zone),
        "gestation_days": _gestation_days(patient, pool, now, zone),
        "doses": tuple(_doses(request, patient, pool, zone)),
    }


def _pregnancy(supporting: list[Resource], patient: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> str:
    """The newest pregnancy status recorded for this request; another patient's is not used."""
    never = datetime.min.replace(tzinfo=now.tzinfo)
    found: list[tuple[datetime, str]] = []
    for stated in supporting:
        if stated.get("subject") and not pool.same(stated["subject"], patient):
            continue
        if stated["resourceType"] == "QuestionnaireResponse":
            answer = asked_on_the_form(stated, "pregnancy")
            at = moment(stated.get("authored"), zone)
            found += [(at or never, _PREGNANCY.get(answer, "unknown"))] if answer else []
        elif stated["resourceType"] == "Observation" and has_code(stated.get("code"), LOINC, PREGNANCY_STATUS):
            at = moment(stated.get("effectiveDateTime") or stated.get("issued"), zone)
            value = stated.get("valueCodeableConcept")
            status = next((_PREGNANCY[code] for code in codes(value) if code in _PREGNANCY), "unknown")
            found.append((at or never, status))
    return max(found)[1] if found else ""


def _gestation_days(patient: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> int | None:
    """Days since the last menstrual period by the newest statement that can be of this pregnancy."""
    found: list[tuple[datetime, timedelta]] = []
    for observation in pool.of_type("Observation"):
        subject = observation.get("subject")
        if observation.get("status") in VOID or (subject and not pool.same(subject, patient)):
            continue
        try:
            since = _since_last_period(observation, now, zone)
        except OverflowError:  # no time of any pregnancy
            continue
        if since is not None and timedelta(0) <= since <= _LONGEST:
            at = moment(first(observation, "effectiveDateTime", "effectivePeriod", "issued"), zone)
            found.append((at or datetime.min.replace(tzinfo=now.tzinfo), since))
    return max(found)[1].days if found else None


def _since_last_period(observation: Resource, now: datetime, zone: ZoneInfo) -> timedelta | None:
    held = {str(c.get("code")) for c in codings(observation.get("code")) if c.get("system") == LOINC}
    day = moment(observation.get("valueDateTime"), zone)
    if LAST_PERIOD in held and day is not None:
        return now - day
    if EXPECTED_DATE in held and day is not None:
        return now - (day - _TERM)
    if GESTATIONAL_AGE in held:
        quantity = observation.get("valueQuantity", {})
        unit = _IN_DAYS.get(str(quantity.get("code") or quantity.get("unit", "")))
        at = moment(first(observation, "effectiveDateTime", "effectivePeriod", "issued"), zone)
        if unit is not None and at is not None and quantity.get("value") is not None:
            return timedelta(days=float(quantity["value"]) * unit) + (now - at)
    return None


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
