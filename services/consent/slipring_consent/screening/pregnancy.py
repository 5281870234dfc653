"""The pregnancy status that counts, among what is known of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from slipring.fhir.service import Resource

from slipring_consent.reading import codes_in, has_code, moment
from slipring_consent.screening.kidneys import LOINC, STANDING
from slipring_consent.screening.person import Person

PREGNANCY_STATUS = "82810-3"
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
        at = moment(one.get("effectiveDateTime"), time_zone)
        if one.get("status") in STANDING and has_code(one.get("code"), LOINC, PREGNANCY_STATUS) and stated and at:
            found.append((at, stated[0], one))
    newest = max(found, key=lambda one: one[:2], default=None)
    return newest[1:] if newest else None


def pregnancy_known(told: str, observations: Iterable[Resource], person: Person, time_zone: str) -> str:
    """Whether the patient is pregnant: as told, unless nobody told and the newest status says; a man is not."""
    if person.sex == "male":
        return "no"
    status = _STATED.get(pregnancy_of(observations, time_zone), "unknown")
    return "yes" if "yes" in (told, status) else told if told != "unknown" else status
