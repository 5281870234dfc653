"""`MedicationAdministration/$override-use`: how often the gate was overridden in a period; nothing is stored (4.13)."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_consent.department import settings_of
from slipring_consent.gate.override import OVERRIDE_REASON
from slipring_consent.gate.uses import OUTCOME, OVERRIDDEN, Use, uses
from slipring_consent.reading import instant, moment
from slipring_consent.surveillance.gathering import found_within, given_in

_USUAL = timedelta(days=30)
_LONGEST = timedelta(days=366)
_A_SECOND = timedelta(seconds=1)


async def overrides_counted(call: Call, desk: Desk) -> Changes:
    """Injections that were given, those of them or asked for that were passed by name, and by whom and why."""
    start, end = _period(call, desk)
    given = await given_in(start, end, desk)
    query = f"DetectedIssue?code={OUTCOME}|{OVERRIDDEN}&identified"
    found = uses(one.resource for one in await found_within(query, start, end, desk))
    passed = {administration for use in found for administration in use.administrations}
    answer: list[Resource] = [
        {"name": "period", "valuePeriod": {"start": instant(start), "end": instant(end - _A_SECOND)}},
        {"name": "given", "valueInteger": len(given)},
        {"name": "overridden", "valueInteger": len(passed)},
        *map(_row, found),
    ]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


def _row(use: Use) -> Resource:
    parts: list[Resource] = [
        {"name": "rule", "valueCode": use.rule},
        {"name": "reason", "valueCoding": {"system": OVERRIDE_REASON, "code": use.reason}},
        {"name": "by", "valueReference": {"reference": use.by}},
        {"name": "count", "valueInteger": len(use.administrations)},
    ]
    named = [{"name": "administration", "valueReference": {"reference": one}} for one in use.administrations]
    return {"name": "use", "part": parts + named}


def _period(call: Call, desk: Desk) -> tuple[datetime, datetime]:
    given, zone = call.value("period") or {}, settings_of(desk).time_zone
    begins, ends = moment(given.get("start"), zone), moment(given.get("end"), zone, end_of_day=True)
    start, end = begins or (ends or desk.now) - _USUAL, ends or desk.now
    unread = (given.get("start") and begins is None) or (given.get("end") and ends is None)
    if unread or end < start or end - start > _LONGEST:
        raise unprocessable(
            "The period begins before it ends, and is a year at most, in days or moments.",
            "时段须先始后止、不超过一年，并写到日或时刻。",
            at=call.at("period"),
            code="value",
            detail="consent.override-period",
        )
    return start, end + _A_SECOND  # a Period's end belongs to it
