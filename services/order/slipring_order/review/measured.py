"""A figure of a review as a group of a MeasureReport: what was counted, and whether it is as it must be; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Finding, Limit

from slipring_order.offer.words import in_english
from slipring_order.reading import instant
from slipring_order.review.words import said

FIGURE_VERDICT = f"{CANONICAL}/StructureDefinition/figure-verdict"
FIGURE_SYSTEM = f"{CANONICAL}/CodeSystem/review-figure"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_MEMBER_OF = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-criteriaReference"
_UNCONFIRMED = ("（默认值未经确认，请确认）", " (unconfirmed default: please confirm)")


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of a figure: of one person, or of one title."""

    of: str  # `person` or `title`
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure: what was counted, over what, and the limit that it is held against."""

    code: str  # of the code system `review-figure`; a rule of the name order.CODE judges it
    counted: int
    over: int | None = None  # None: a plain number
    score: float | None = None
    unit: str = "1"
    limit: Limit | None = None  # None: nothing is demanded
    strata: tuple[Stratum, ...] = ()
    members: tuple[str, ...] = field(default=())


def as_report(
    measure: str, figures: Sequence[Measured], findings: Iterable[Finding], period: tuple[date, date], now: datetime, id: str
) -> Resource:  # fmt: skip
    """The figures as a MeasureReport, each with its verdict and reason in both languages."""
    found = {finding.rule: finding for finding in findings}
    start, end = period
    report: Resource = {
        "resourceType": "MeasureReport",
        "id": id,
        "status": "complete",
        "type": "summary",
        "measure": f"{CANONICAL}/Measure/{measure}",
        "date": instant(now),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "group": [_group(figure, found.get(f"order.{figure.code}")) for figure in figures],
    }
    members = _members(figures)
    return report | ({"evaluatedResource": members} if members else {})


def verdict(figure: Measured, finding: Finding | None) -> str:
    """`not-met` by what its rule found, else `met`; `shown` without a demand, `nothing-counted` without a count."""
    if finding is not None:
        return "not-met"
    if figure.limit is None:
        return "shown"
    counted_over = figure.counted if figure.over is None else figure.over
    return "met" if counted_over else "nothing-counted"


def _group(figure: Measured, finding: Finding | None) -> Resource:
    zh, en = said("review-figure", figure.code)
    counts = {"numerator": figure.counted, "denominator": figure.over}
    group: Resource = {
        "id": figure.code,
        "extension": [{"url": FIGURE_VERDICT, "extension": list(_parts(figure, finding))}],
        "code": {
            "coding": [{"system": FIGURE_SYSTEM, "code": figure.code, "display": zh}],
            "text": zh,
            "_text": in_english(en),
        },
        "population": [
            {"code": {"coding": [{"system": _POPULATION, "code": code}]}, "count": count}
            for code, count in counts.items()
            if count is not None
        ],
    }
    if figure.score is not None:
        group["measureScore"] = {"value": round(figure.score, 2), "unit": figure.unit}
    strata = _stratifiers(figure.strata)
    return group | ({"stratifier": strata} if strata else {})


def _parts(figure: Measured, finding: Finding | None) -> Iterable[Resource]:
    code = verdict(figure, finding)
    yield {"url": "verdict", "valueCode": code}
    zh, en = (finding.zh, finding.en) if finding else said("figure-verdict", code)
    limit = figure.limit
    doubt = _UNCONFIRMED if limit is not None and not limit.confirmed else ("", "")
    yield {"url": "reason", "valueString": zh + doubt[0], "_valueString": in_english(en + doubt[1])}
    if limit is not None:
        yield {"url": "limit", "valueString": f"{limit.id}|{limit.version}"}
        yield {"url": "value", "valueDecimal": limit.value}
        yield {"url": "source", "valueString": limit.source}
        yield {"url": "confidence", "valueCode": limit.confidence}
        yield {"url": "confirmed", "valueBoolean": limit.confirmed}


def _stratifiers(strata: Sequence[Stratum]) -> list[Resource]:
    titles: Mapping[str, tuple[str, str]] = {"person": ("人员", "person"), "title": ("职称", "title")}
    found = []
    for name, (zh, en) in titles.items():
        own = [one for one in strata if one.of == name]
        stratum = [
            {
                "value": {"text": one.value},
                "population": [{"code": {"coding": [{"system": _POPULATION, "code": "numerator"}]}, "count": one.count}],
            }
            for one in own
        ]  # fmt: skip
        if stratum:
            found.append({"code": [{"text": zh, "_text": in_english(en)}], "stratum": stratum})
    return found


def _members(figures: Iterable[Measured]) -> list[Resource]:
    named: dict[str, list[str]] = {}
    for figure in figures:
        for member in figure.members:
            named.setdefault(member, []).append(figure.code)
    return [
        {"extension": [{"url": _MEMBER_OF, "valueString": code} for code in codes], "reference": reference}
        for reference, codes in named.items()
    ]
