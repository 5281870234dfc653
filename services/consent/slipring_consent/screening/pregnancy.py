"""The pregnancy status that counts, among what is known of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from slipring.fhir.service import Resource

from slipring_consent.reading import codes_in, has_code, moment
from slipring_consent.screening.facts import LOINC, STANDING

PREGNANCY_STATUS = "82810-3"


def pregnancy_of(observations: Iterable[Resource], time_zone: str) -> str:
    """The newest pregnancy status that stands, as its code; empty when none was stated."""
    found: list[tuple[datetime, str]] = []
    for one in observations:
        stated = [code for _, code in codes_in(one.get("valueCodeableConcept"))]
        at = moment(one.get("effectiveDateTime"), time_zone)
        if one.get("status") in STANDING and has_code(one.get("code"), LOINC, PREGNANCY_STATUS) and stated and at:
            found.append((at, stated[0]))
    return max(found)[1] if found else ""
