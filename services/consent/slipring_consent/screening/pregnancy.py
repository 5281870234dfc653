"""The pregnancy status that counts, among what is known of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in, has_code, span
from slipring_consent.screening.kidneys import LOINC, STANDING
from slipring_consent.screening.person import Person

PREGNANCY_STATUS = "82810-3"
DELIVERY_EXPECTED = ("11778-8", "11779-6", "11780-4", "11781-2")  # LOINC: estimated, by period, ovulation, ultrasound
_STATED = {"LA15173-0": "yes", "LA26683-5": "no"}  # LOINC answers; any other leaves it unknown


def pregnancy_of(observations: Iterable[Resource], time_zone: str) -> str:
    """The newest pregnancy status that stands, as its code; empty when none was stated."""
    newest = newest_status(observations, time_zone)
    return newest[0] if newest else ""


def newest_status(observations: Iterable[Resource], time_zone: str) -> tuple[str, Resource] | None:
    """The code of the newest pregnancy status that stands, and the Observation that states it."""
    found: list[tuple[datetime, str, Resource]] = []
    for one in observations:
        stated = [code for _, code in codes_in(one.get("valueCodeableConcept"))]
        at = span(one, "effective", time_zone) or span({"atInstant": one.get("issued")}, "at", time_zone)
        if one.get("status") in STANDING and has_code(one.get("code"), LOINC, PREGNANCY_STATUS) and stated and at:
            found.append((at.low, stated[0], one))
    newest = max(found, key=lambda one: one[:2], default=None)
    return newest[1:] if newest else None


def delivery_is_ahead(observations: Iterable[Resource], now: datetime, time_zone: str) -> bool:
    """Whether an expected date of delivery that stands is still to come, or passed no longer ago than a birth is late."""
    expected = [
        span({"onDateTime": one.get("valueDateTime")}, "on", time_zone)
        for one in observations
        if one.get("status") in STANDING
        and {(LOINC, code) for code in DELIVERY_EXPECTED} & {*codes_in(one.get("code"))}
    ]
    term = data_file("history.toml")["pregnancy"]
    passed, ahead = now - timedelta(days=term["late_days"]), now + timedelta(days=term["longest_days"])
    return any(on is not None and passed < on.high and on.low < ahead for on in expected)


def pregnancy_known(told: str, observations: Iterable[Resource], person: Person, now: datetime, time_zone: str) -> str:
    """Whether the patient is pregnant: who says so outweighs who denies it; else as told or as the newest status says.

    Of a man nobody is asked; that the record of one says "pregnant" is a doubt about the sex, not about the pregnancy.
    """
    observed = list(observations)
    status = _STATED.get(pregnancy_of(observed, time_zone), "unknown")
    if "yes" in (told, status) or (told == "unknown" and delivery_is_ahead(observed, now, time_zone)):
        return "yes"
    if person.sex == "male":
        return "no"
    if delivery_is_ahead(observed, now, time_zone):
        return "unknown"  # she denies it, and the date says otherwise
    return told if told != "unknown" else status
