"""Rates in FHIR spelling: as parts of Parameters, and as a MeasureReport."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from slipring.fhir.service import CANONICAL, Resource
from slipring.qc.proportion import LEVEL
from slipring.rules.finding import Limit

from slipring_consent.catalogue import data_file
from slipring_consent.contrast.agents import agent_named
from slipring_consent.contrast.amounts import UCUM
from slipring_consent.reactions.timing import NAMES as TIMINGS
from slipring_consent.reading import instant
from slipring_consent.resources import concept
from slipring_consent.surveillance.given import UNKNOWN, Rate

MEASURE = f"{CANONICAL}/Measure/contrast-reactions"
INTERVAL = f"{CANONICAL}/StructureDefinition/rate-interval"
_ATC = str(data_file("contrast_agents.toml")["systems"]["atc"])
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SIX_PLACES = Decimal("0.000001")


def as_parameters(
    found: list[Rate], start: datetime, end: datetime, report: Resource, bounds: Mapping[str, Limit | None]
) -> Resource:
    """Every group with its denominator, its reactions by kind, grade and timing, and its rate with the interval; all at the end."""
    period = {"name": "period", "valuePeriod": {"start": instant(start), "end": instant(end)}}
    parts = [{"name": "group", "part": _parts(rate)} for rate in found]
    return {
        "resourceType": "Parameters",
        "parameter": [
            period,
            *parts,
            *(_bound(*one) for one in bounds.items()),
            {"name": "report", "resource": report},
        ],
    }


def as_report(found: list[Rate], start: datetime, end: datetime, by: str, *, now: datetime, id: str) -> Resource:
    """The same figures as a MeasureReport: a group for each, injections as denominator, those with a reaction as numerator."""
    return {
        "resourceType": "MeasureReport",
        "id": id,
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": instant(now),
        "period": {"start": instant(start), "end": instant(end)},
        "group": [_group(rate, by) for rate in found],
    }


def decimal(value: float) -> Decimal:
    """A rate to six places."""
    return Decimal(value).quantize(_SIX_PLACES)


def _parts(rate: Rate) -> list[Resource]:
    atc = rate.group.partition(" ")[0]
    agent = agent_named([(_ATC, atc)])
    parts: list[Resource] = [
        {"name": "of", "valueString": rate.group or "all"},
        *([{"name": "agent", "valueCodeableConcept": concept(_ATC, atc, agent.zh, agent.en)}] if agent else []),
        {"name": "given", "valueInteger": rate.given},
        {"name": "patients", "valueInteger": rate.patients},
        {"name": "reacted", "valueInteger": rate.reacted},
        {"name": "extravasations", "valueInteger": rate.extravasations},
    ]
    if rate.interval is not None:
        parts += [
            {"name": "rate", "valueDecimal": decimal(rate.interval.rate)},
            {"name": "low", "valueDecimal": decimal(rate.interval.low)},
            {"name": "high", "valueDecimal": decimal(rate.interval.high)},
            {"name": "level", "valueDecimal": Decimal(str(LEVEL))},
        ]
    for (kind, grade), count in sorted(rate.by_kind.items()):
        told = [
            ("kind", "valueCode", kind or "unknown"),
            ("grade", "valueCode", grade or "unknown"),
            ("count", "valueInteger", count),
        ]
        parts.append({"name": "reaction", "part": [{"name": name, member: value} for name, member, value in told]})
    for code in (*TIMINGS, UNKNOWN):
        if count := rate.by_timing.get(code, 0):
            timed = [{"name": "timing", "valueCode": code}, {"name": "count", "valueInteger": count}]
            parts.append({"name": "timed", "part": timed})
    return [*parts, *({"name": "case", "valueReference": {"reference": one}} for one in rate.cases)]


def _bound(code: str, limit: Limit | None) -> Resource:
    """What a timing means: until how long after the injection, and by whom; the last has no end."""
    zh, en = TIMINGS[code]
    parts: list[Resource] = [
        {"name": "timing", "valueCode": code},
        {"name": "zh", "valueString": zh},
        {"name": "en", "valueString": en},
    ]
    if limit is not None:
        until = {"value": limit.value, "unit": limit.unit, "system": UCUM, "code": limit.unit}
        parts += [{"name": "until", "valueDuration": until}, {"name": "source", "valueString": limit.source}]
    return {"name": "bound", "part": parts}


def _group(rate: Rate, by: str) -> Resource:
    counts = {"denominator": rate.given, "numerator": rate.reacted}
    group: Resource = {
        "code": {"text": f"{by}: {rate.group}" if rate.group else "all"},
        "population": [
            {"code": {"coding": [{"system": _POPULATION, "code": name}]}, "count": count}
            for name, count in counts.items()
        ],
    }
    if rate.interval is None:
        return group
    bounds = [
        {"url": name, "valueDecimal": decimal(value)}
        for name, value in (("low", rate.interval.low), ("high", rate.interval.high))
    ]
    return group | {
        "extension": [{"url": INTERVAL, "extension": bounds}],
        "measureScore": {"value": decimal(rate.interval.rate), "system": "http://unitsofmeasure.org", "code": "1"},
    }
