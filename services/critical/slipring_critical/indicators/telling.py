"""`Task/$critical-indicators`: the indicators of a period with counts, intervals and the cases behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from slipring.fhir.outcome import unprocessable
from slipring.fhir.search.moment import counts, zoned
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored

from slipring_critical.cases.facts import CHANNEL, TASK_CODE, CaseFacts, code_of, facts_told, is_case, reference_of
from slipring_critical.cases.marks import is_drill
from slipring_critical.cases.resources import instant
from slipring_critical.channels import CHANNELS
from slipring_critical.indicators.counting import (
    Minutes,
    Period,
    Rate,
    Ring,
    Share,
    medians,
    night_rings,
    rates,
    shares,
)
from slipring_critical.ringing.attempts import tells_a_finding

_LONGEST = timedelta(days=400)
_USUAL = timedelta(days=90)
_BEGINS_TO_RING = ("step", "acted-overdue", "owner-not-reached")
_NO_EXAM = ("revoked", "entered-in-error", "draft")  # request-status of what was not to be done
_AT_ONCE = 200  # cases whose attempts are looked for in one statement


async def told(call: Call, desk: Desk) -> Changes:
    """What the period came to; of the last three months when none is named."""
    start, end = _period(call, desk.now)
    period = await _gathered(start, end, desk)
    parameters: list[dict[str, Any]] = [
        {"name": "period", "valuePeriod": {"start": instant(start), "end": instant(end)}},
        *(_share(one) for one in shares(period, desk.now)),
        *(_rate(one) for one in rates(period)),
        *(_minutes(one) for one in medians(period)),
    ]
    for who, count in night_rings(period, desk.settings.zone):
        parts = [{"name": "who", "valueReference": {"reference": who}}, {"name": "count", "valueInteger": count}]
        parameters.append({"name": "nightRings", "part": parts})
    return Changes(answer={"resourceType": "Parameters", "parameter": parameters})


async def _gathered(start: datetime, end: datetime, desk: Desk) -> Period:
    found = [
        (one, facts_told(one.resource))
        for one in await _by_day(f"Task?code={TASK_CODE}|critical-case&", "authored-on", start, end, desk)
        if is_case(one.resource) and not is_drill(one.resource)
    ]
    # Of an imported case that cannot be read, or says nothing of what happened, there is nothing to count.
    facts = {case.reference: told for case, told in found if told and told.events}
    cases = [case for case, _ in found if case.reference in facts]
    attempts = await _attempts(cases, desk)
    rings, both = [], set()
    senders = {case.reference: reference_of(case.resource.get("requester")) for case in cases}
    for attempt in attempts:
        who = reference_of(next(iter(attempt.get("recipient", [])), {}))
        case = reference_of(next(iter(attempt.get("partOf", [])), {}))
        if "sent" in attempt and who.startswith("Practitioner") and tells_a_finding(attempt) and _leaves(attempt):
            at = datetime.fromisoformat(attempt["sent"])
            rings.append(Ring(await _person(who, desk), at, case, _step(facts[case], at)))
        if "received" in attempt and who and senders.get(case):
            both.add(case)
    exams = await _by_day("ServiceRequest?", "authored", start, end, desk)
    asked_for = frozenset(one.reference for one in exams if one.resource.get("status") not in _NO_EXAM)
    return Period(list(facts.values()), rings, frozenset(both), asked_for)


async def _person(who: str, desk: Desk) -> str:
    """A person by one name, whether the route is his own or that of a role of his."""
    role = await desk.read(who) if who.startswith("PractitionerRole/") else None
    return (reference_of(role.resource.get("practitioner")) if role else "") or who


def _leaves(attempt: Resource) -> bool:
    """Whether it rang somewhere: what stands on a wall wakes nobody."""
    channel = CHANNELS.get(code_of(attempt["medium"][0], CHANNEL))
    return channel is not None and channel.leaves


def _step(case: CaseFacts, at: datetime) -> int:
    """How many times the case had begun to ring by then."""
    return sum(event.what in _BEGINS_TO_RING and event.at <= at for event in case.events)


async def _attempts(cases: Sequence[Stored], desk: Desk) -> list[Resource]:
    found: list[Resource] = []
    for at in range(0, len(cases), _AT_ONCE):
        named = ",".join(case.reference for case in cases[at : at + _AT_ONCE])
        found += [one.resource for one in await desk.search(f"Communication?part-of={named}")]
    return found


async def _by_day(query: str, parameter: str, start: datetime, end: datetime, desk: Desk) -> list[Stored]:
    """All matches of a period, asked for day by day: no one search finds more than a decision may rest on."""
    queries = []
    while start < end:
        until = min(start + timedelta(days=1), end)
        bounds = [f"{parameter}={prefix}{quote(instant(at), safe='')}" for prefix, at in (("ge", start), ("lt", until))]
        queries.append(query + "&".join(bounds))
        start = until
    return [one for found in await desk.searches(queries) for one in found]


def _period(call: Call, now: datetime) -> tuple[datetime, datetime]:
    given = call.value("period") or {}
    end = _moment(call, given.get("end")) or now
    start = _moment(call, given.get("start")) or end - _USUAL
    if not start < end <= start + _LONGEST:
        raise unprocessable(
            "A period begins before it ends and is no longer than 400 days.",
            "时间段须起点早于终点，且不超过 400 天。",
            at=call.at("period"),
            detail="critical.period",
        )
    return start, end


def _moment(call: Call, text: Any) -> datetime | None:
    if text is None:
        return None
    found = zoned(text)
    if found is None or not counts(found):
        raise unprocessable(
            "The period's moments have a time zone, and are at neither end of the calendar.",
            "时间段的起止时刻须带时区，且不在历法两端。",
            at=call.at("period"),
            detail="critical.period-moment",
        )
    return found


def _share(one: Share) -> Resource:
    parts: list[dict[str, Any]] = [
        {"name": "code", "valueCode": one.code},
        {"name": "numerator", "valueInteger": one.numerator},
        {"name": "denominator", "valueInteger": one.denominator},
    ]
    for name, value in zip(("value", "low", "high"), one.bounds or (), strict=False):
        parts.append({"name": name, "valueDecimal": round(value, 4)})
    parts += [{"name": "case", "valueReference": {"reference": case}} for case in one.cases]
    return {"name": "share", "part": parts}


def _rate(one: Rate) -> Resource:
    parts: list[dict[str, Any]] = [
        {"name": "code", "valueCode": one.code},
        {"name": "count", "valueInteger": one.count},
        {"name": "of", "valueInteger": one.of},
    ]
    for name, value in zip(("value", "low", "high"), one.bounds or (), strict=False):
        parts.append({"name": name, "valueDecimal": round(value, 2)})
    return {"name": "rate", "part": parts}


def _minutes(one: Minutes) -> Resource:
    parts: list[dict[str, Any]] = [
        {"name": "code", "valueCode": one.code},
        {"name": "count", "valueInteger": one.count},
    ]
    for name, value in (("value", one.median), ("low", one.low), ("high", one.high)):
        if value is not None:
            parts.append({"name": name, "valueDecimal": round(value, 2)})
    return {"name": "median", "part": parts}
