"""The pregnancy status that counts, among what is known of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.search.moment import Interval
from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in, has_code, span
from slipring_consent.screening.answers import UNKNOWN
from slipring_consent.screening.kidneys import LOINC, STANDING
from slipring_consent.screening.person import Person

PREGNANCY_STATUS = "82810-3"
DELIVERY_EXPECTED = ("11778-8", "11779-6", "11780-4", "11781-2")  # LOINC: estimated, by period, ovulation, ultrasound
_STATED = {"LA15173-0": "yes", "LA26683-5": "no"}  # LOINC answers; any other leaves it unknown


def pregnancy_of(observations: Iterable[Resource], time_zone: str) -> str:
    """The newest pregnancy status that stands, as its code; empty when none was stated."""
    newest = _newest(observations, time_zone)
    return newest[1] if newest else ""


def status_now(
    observations: Iterable[Resource], now: datetime, time_zone: str, denied_for: timedelta
) -> tuple[str, Resource] | None:
    """What the newest status that stands says now, `yes`, `no` or `unknown`, and the Observation that states it.

    A "no" holds for `denied_for`, a "yes" no longer than a pregnancy lasts: after that it is to be asked.
    """
    newest = _newest(observations, time_zone)
    if newest is None:
        return None
    at, code, stating = newest
    word = _STATED.get(code, UNKNOWN)
    holds = denied_for if word == "no" else timedelta(days=_term()["longest_days"])
    return (word if at.high >= now - holds and at.low <= now + holds else UNKNOWN), stating


def denied_lately(response: Resource | None, now: datetime, time_zone: str, denied_for: timedelta) -> bool:
    """Whether what was answered was answered so lately that a "no" holds; without a time it is told now."""
    at = span({"atDateTime": (response or {}).get("authored")}, "at", time_zone)
    return at is None or at.high >= now - denied_for


def delivery_is_ahead(observations: Iterable[Resource], now: datetime, time_zone: str) -> bool:
    """Whether an expected date of delivery that stands is still to come, or passed no longer ago than a birth is late."""
    expected = [
        span({"onDateTime": one.get("valueDateTime")}, "on", time_zone)
        for one in observations
        if one.get("status") in STANDING
        and {(LOINC, code) for code in DELIVERY_EXPECTED} & {*codes_in(one.get("code"))}
    ]
    passed, ahead = now - timedelta(days=_term()["late_days"]), now + timedelta(days=_term()["longest_days"])
    return any(on is not None and passed < on.high and on.low < ahead for on in expected)


def pregnancy_known(
    told: str, observations: Iterable[Resource], person: Person, now: datetime, time_zone: str, denied_for: timedelta
) -> str:
    """Whether the patient is pregnant: who says so outweighs who denies it; else as told or as the newest status says.

    Of a man nobody is asked; that the record of one says "pregnant" is a doubt about the sex, not about the pregnancy.
    """
    observed = list(observations)
    status, _ = status_now(observed, now, time_zone, denied_for) or (UNKNOWN, None)
    if "yes" in (told, status) or (told == UNKNOWN and delivery_is_ahead(observed, now, time_zone)):
        return "yes"
    if person.sex == "male":
        return "no"
    if delivery_is_ahead(observed, now, time_zone):
        return UNKNOWN  # she denies it, and the date says otherwise
    return told if told != UNKNOWN else status


def _newest(observations: Iterable[Resource], time_zone: str) -> tuple[Interval, str, Resource] | None:
    """When the newest pregnancy status that stands was stated, its code, and the Observation that states it."""
    found: list[tuple[Interval, str, Resource]] = []
    for one in observations:
        stated = [code for _, code in codes_in(one.get("valueCodeableConcept"))]
        at = span(one, "effective", time_zone) or span({"atInstant": one.get("issued")}, "at", time_zone)
        if one.get("status") in STANDING and has_code(one.get("code"), LOINC, PREGNANCY_STATUS) and stated and at:
            found.append((at, stated[0], one))
    return max(found, key=lambda one: (one[0].low, one[1]), default=None)


def _term() -> Mapping[str, Any]:
    """How long a pregnancy lasts at the longest, and how late a birth may be."""
    term: Mapping[str, Any] = data_file("history.toml")["pregnancy"]
    return term
