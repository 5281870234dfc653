"""What somebody says who flags a critical finding, whichever service he says it to: its code, how urgent, since when. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.clauses.critical_findings import LEVELS, CriticalFinding
from slipring.fhir.outcome import unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Resource
from slipring.quality.critical_catalogue import FINDING, ICD10

_ALLOWED_AHEAD = timedelta(minutes=5)  # two machines' clocks


def level_said(call: Call, detail: str) -> str:
    """`level` of a call, '' when it names none; 422 (`detail`) at it for anything but 1, 2 and 3."""
    level = str(call.value("level") or "")
    if level and level not in {str(known) for known in LEVELS}:
        raise unprocessable(
            "level is 1, 2 or 3.",
            "level 须为 1、2 或 3。",
            at=call.at("level"),
            code="code-invalid",
            detail=detail,
        )
    return level


def recognised_said(call: Call, now: datetime, detail: str) -> datetime | None:
    """`recognisedAt` of a call, None when it names none; 422 (`detail`) at it for a day, and for what is still to come."""
    text = call.value("recognisedAt")
    if text is None:
        return None
    moment = zoned(text)
    if moment is None or moment > now + _ALLOWED_AHEAD:
        raise unprocessable(
            "recognisedAt is a moment with a time zone that is not in the future.",
            "recognisedAt 须为带时区且不晚于现在的时刻。",
            at=call.at("recognisedAt"),
            code="invalid",
            detail=detail,
        )
    return moment


def as_concept(entry: CriticalFinding) -> Resource:
    """An entry of the catalogue as a CodeableConcept: its own code, the first of ICD-10 beside it, both names as text."""
    codings = [{"system": FINDING, "code": entry.code, "display": entry.zh}]
    codings += [{"system": ICD10, "code": code} for code in entry.icd10[:1]]
    return {"coding": codings, "text": f"{entry.zh} {entry.en}"}
