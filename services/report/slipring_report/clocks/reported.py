"""Turnaround in FHIR spelling: as parts of Parameters, and as a MeasureReport that names its members. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.fhir.service import CANONICAL, Resource
from slipring.qc.proportion import LEVEL, Interval

from slipring_report.clocks.turnaround import BANDS, Definition, Span, Turnaround
from slipring_report.learning.telling import part
from slipring_report.resources import written

MEASURE = f"{CANONICAL}/Measure/reporting-turnaround"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_ALL = "all"


def as_parts(found: Turnaround) -> Resource:
    """One group as a parameter with parts."""
    parts: list[Resource] = [
        {"name": "of", "valueString": found.group or _ALL},
        {"name": "issued", "valueInteger": found.issued},
        {"name": "waiting", "valueInteger": found.waiting},
        {"name": "inTime", "valueInteger": len(found.in_time)},
        {"name": "late", "valueInteger": len(found.late)},
    ]
    for name, value in (("medianMinutes", found.median), ("p90Minutes", found.p90)):
        parts += [{"name": name, "valueDecimal": _rounded(value, "0.1")}] if value is not None else []
    parts += _share(found.interval)
    below = 0.0
    for count, up_to in zip(found.spread, (*BANDS, None), strict=True):
        said: list[Resource] = [part("from", "Decimal", _rounded(below, "0.01"))]
        said += [part("to", "Decimal", _rounded(up_to, "0.01"))] if up_to is not None else []
        parts.append({"name": "band", "part": [*said, part("count", "Integer", count)]})
        below = up_to or 0.0
    parts += [{"name": "definition", "part": _definition(one)} for one in found.definitions]
    parts += [{"name": "span", "part": _span(one)} for one in found.spans]
    parts += [{"name": "lateReading", "valueReference": {"reference": one}} for one in found.late]
    return {"name": "group", "part": parts}


def _share(interval: Interval | None) -> list[Resource]:
    if interval is None:
        return []
    said = (("share", interval.rate), ("low", interval.low), ("high", interval.high), ("level", LEVEL))
    return [part(name, "Decimal", _rounded(value, "0.0001")) for name, value in said]


def _definition(one: Definition) -> list[Resource]:
    said = [part("zh", "String", one.zh), part("en", "String", one.en), part("source", "String", one.source)]
    return [*said, part("confirmed", "Boolean", one.confirmed)]


def _span(one: Span) -> list[Resource]:
    said = [part("start", "Date", one.start.isoformat()), part("end", "Date", one.end.isoformat())]
    counts = (("inTime", one.in_time), ("late", one.late), ("waiting", one.waiting))
    return [*said, *(part(name, "Integer", count) for name, count in counts), *_share(one.interval)]


def as_report(found: list[Turnaround], start: datetime, end: datetime, by: str, *, id: str, now: datetime) -> Resource:
    """The same figures as a MeasureReport; every reading that counts is named, so that a rate leads back to its cases."""
    members = [one for one in found if not one.group]
    named = [reference for one in members for reference in (*one.in_time, *one.late)]
    report: Resource = {
        "resourceType": "MeasureReport",
        "id": id,
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": written(now),
        "period": {"start": written(start), "end": written(end)},
        "group": [_group(one, by) for one in found],
    }
    return report | ({"evaluatedResource": [{"reference": one} for one in named]} if named else {})


def _group(found: Turnaround, by: str) -> Resource:
    counts = {"denominator": len(found.in_time) + len(found.late), "numerator": len(found.in_time)}
    group: Resource = {
        "code": {"text": f"{by}: {found.group}" if found.group else _ALL},
        "population": [
            {"code": {"coding": [{"system": _POPULATION, "code": name}]}, "count": count}
            for name, count in counts.items()
        ],
    }
    if found.share is None:
        return group
    return group | {
        "measureScore": {"value": _rounded(found.share, "0.0001"), "system": "http://unitsofmeasure.org", "code": "1"}
    }


def _rounded(value: float, to: str) -> Decimal:
    return Decimal(value).quantize(Decimal(to))
