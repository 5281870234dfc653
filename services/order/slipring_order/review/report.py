"""The review as FHIR: the Measure, one MeasureReport of the whole, and one for each requester."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from slipring.fhir.findings import RULE_SYSTEM, TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import instant
from slipring_order.review.figures import Figure, Reviewed, figures

MEASURE = f"{CANONICAL}/Measure/indication-review"
MEASURE_ID = "o-indication-review-1"
REPORT_SYSTEM = f"{CANONICAL}/sid/indication-review"
FIGURE_SYSTEM = f"{CANONICAL}/CodeSystem/indication-review-figure"
# Which figure a case is a member of, as the quality measure guides of FHIR tie a resource to a population.
_PARTS = {"department": "申请科室", "requester": "申请医生"}
_MEMBER_OF = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-criteriaReference"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"


def measure() -> Resource:
    """What is measured, as the department ships it."""
    return {
        "resourceType": "Measure",
        "id": MEASURE_ID,
        "url": MEASURE,
        "version": "1",
        "name": "IndicationReview",
        "title": "检查适应证评审",
        "_title": {"extension": [_english("Review of indications")]},
        "status": "active",
        "date": "2026-01-01",
        "publisher": "slipring",
        "purpose": "CL02-A011:4.14.2",
    }


def reports(
    cases: Sequence[Reviewed], advice: Figure, start: date, end: date, now: datetime
) -> Iterable[tuple[str, Resource]]:
    """The whole, with what became of advice, and each requester's own part, by the key it is known by."""
    span = f"{start.isoformat()}/{end.isoformat()}"
    whole = _report(cases, start, end, now, span)
    parts = {name: _by(cases, name) for name in _PARTS}
    whole["group"] = [*(_stratified(group, parts) for group in whole["group"]), _group(advice)]
    overridden = [_member(card, advice.code) for card in advice.numerator]
    if overridden:
        whole["evaluatedResource"] = [*whole.get("evaluatedResource", []), *overridden]
    yield span, whole
    for requester, own in sorted(_apart(cases, "requester").items()):
        key = f"{span}/{requester}"
        yield key, _report(own, start, end, now, key) | {"subject": {"reference": requester}}


def _report(cases: Sequence[Reviewed], start: date, end: date, now: datetime, key: str) -> Resource:
    found = figures(cases)
    return {
        "resourceType": "MeasureReport",
        "identifier": [{"system": REPORT_SYSTEM, "value": key}],
        "status": "complete",
        "type": "summary",
        "measure": f"{MEASURE}|1",
        "date": instant(now),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "group": [_group(figure) for figure in found],
        **_evaluated(cases, found),
    }


def _group(figure: Figure) -> Resource:
    score = figure.score
    return {
        "id": figure.code,
        "code": _named(figure),
        "population": _populations(figure),
        **({} if score is None else {"measureScore": {"value": round(score, 4)}}),
    }


def _stratified(group: Resource, parts: Mapping[str, Mapping[str, Mapping[str, Figure]]]) -> Resource:
    """The same figure by department and by requester."""
    strata = []
    for name, title in _PARTS.items():
        own = {value: found[group["id"]] for value, found in parts[name].items() if group["id"] in found}
        if own:
            strata.append(
                {"code": [{"text": title}], "stratum": [_stratum(value, own[value]) for value in sorted(own)]}
            )
    return group | ({"stratifier": strata} if strata else {})


def _by(cases: Iterable[Reviewed], name: str) -> dict[str, dict[str, Figure]]:
    """The figures of each part of the cases, by code."""
    return {value: {figure.code: figure for figure in figures(own)} for value, own in _apart(cases, name).items()}


def _apart(cases: Iterable[Reviewed], name: str) -> dict[str, list[Reviewed]]:
    """The cases by their department or requester; those of nobody known are left out."""
    found: dict[str, list[Reviewed]] = {}
    for case in cases:
        found.setdefault(getattr(case, name), []).append(case)
    found.pop("", None)
    return found


def _stratum(value: str, figure: Figure) -> Resource:
    score = figure.score
    return {
        "value": {"text": value},
        "population": _populations(figure),
        **({} if score is None else {"measureScore": {"value": round(score, 4)}}),
    }


def _populations(figure: Figure) -> list[Resource]:
    counts = {"denominator": figure.denominator, "numerator": len(figure.numerator)}
    return [
        {"code": {"coding": [{"system": _POPULATION, "code": code}]}, "count": count} for code, count in counts.items()
    ]


def _evaluated(cases: Sequence[Reviewed], found: Sequence[Figure]) -> Resource:
    """Every case once, with the figures it is a member of."""
    if not cases:
        return {}
    named: dict[str, list[str]] = {case.request: [] for case in cases}
    for figure in found:
        for request in figure.numerator:
            named[request].append(figure.code)
    return {"evaluatedResource": [_member(request, *codes) for request, codes in named.items()]}


def _member(reference: str, *figures_of: str) -> Resource:
    extension = [{"url": _MEMBER_OF, "valueString": code} for code in figures_of]
    return {**({"extension": extension} if extension else {}), "reference": reference}


def _named(figure: Figure) -> Resource:
    system = RULE_SYSTEM if figure.code.startswith("order.") else FIGURE_SYSTEM
    coding = {"system": system, "code": figure.code, "display": figure.en}
    return {"coding": [coding], "text": figure.zh, "_text": {"extension": [_english(figure.en)]}}


def _english(text: str) -> Resource:
    content = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": text}]
    return {"url": TRANSLATION, "extension": content}
