"""Rates in FHIR spelling: as parts of Parameters, and as a MeasureReport."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import instant
from slipring_consent.surveillance.given import Rate
from slipring_consent.surveillance.wilson import LEVEL

MEASURE = f"{CANONICAL}/Measure/contrast-reactions"
INTERVAL = f"{CANONICAL}/StructureDefinition/rate-interval"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SIX_PLACES = Decimal("0.000001")


def as_parameters(found: list[Rate], start: datetime, end: datetime, report: Resource) -> Resource:
    """Every group with its denominator, its reactions by kind and grade, and its rate with the interval; all at the end."""
    period = {"name": "period", "valuePeriod": {"start": instant(start), "end": instant(end)}}
    parts = [{"name": "group", "part": _parts(rate)} for rate in found]
    return {
        "resourceType": "Parameters",
        "parameter": [period, *parts, {"name": "report", "resource": report}],
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
    parts: list[Resource] = [
        {"name": "of", "valueString": rate.group or "all"},
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
    return [*parts, *({"name": "case", "valueReference": {"reference": one}} for one in rate.cases)]


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
