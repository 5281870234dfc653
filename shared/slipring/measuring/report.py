"""An evaluated definition as a MeasureReport: populations, score, interval, hash of the inputs, parts, members. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from slipring.fhir.service import Resource
from slipring.measuring.asking import Question
from slipring.measuring.evaluated import Evaluated
from slipring.measuring.spelling import (
    INPUTS_HASH,
    MISSED,
    REPORT_SYSTEM,
    SCOPE,
    UCUM,
    decimal,
    english,
    improvement,
    interval_extension,
    measure_url,
    population,
    target_extension,
)
from slipring.qc.indicators.asked import Member


def report_key(one: Evaluated) -> str:
    """What names the report of a definition's version, a period and a part of the department."""
    return "/".join((f"{one.definition.id}|{one.definition.version}", *one.question.words))


def as_report(
    one: Evaluated, *, id: str, now: datetime, members: Sequence[Member] | None = None, of: str = ""
) -> Resource:
    """The report; with `members` it lists those of `of`."""
    definition = one.definition
    report: Resource = {
        "resourceType": "MeasureReport",
        "id": id,
        "extension": [{"url": INPUTS_HASH, "valueString": one.hash}, *_scope(one.question)],
        "identifier": [{"system": REPORT_SYSTEM, "value": report_key(one)}],
        "status": "complete",
        "type": "summary" if members is None else "subject-list",
        "measure": f"{measure_url(definition)}|{definition.version}",
        "date": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "period": {"start": one.question.start.isoformat(), "end": one.question.end.isoformat()},
        **improvement(definition),
        "group": [_group(one)],
    }
    if members is not None:
        report["contained"] = [_listed(members, of)]
        populations = report["group"][0]["population"]
        if of == MISSED:
            populations.append({"code": population(MISSED), "count": sum(each.count for each in one.among(MISSED))})
        for each in populations:
            if each["code"] == population(of):
                each["subjectResults"] = {"reference": f"#{of}"}
    return report


def _group(one: Evaluated) -> Resource:
    target = one.definition.target
    extension = [interval_extension(**one.interval)] if one.interval else []
    if target is not None:
        extension.append(target_extension(target, one.met))
    name = one.definition.name
    return {
        "id": one.definition.id,
        **({"extension": extension} if extension else {}),
        "code": {"text": name.zh, "_text": english(name)},
        "population": _populations(one),
        **_score(one),
        **_stratifiers(one),
    }


def _populations(one: Evaluated) -> list[Resource]:
    return [{"code": population(code), "count": number} for code, number in one.counts.by_population().items()]


def _score(one: Evaluated) -> Resource:
    if one.score is None:
        return {}
    unit = one.definition.unit
    coded = {"system": UCUM, "code": unit} if unit != "1" else {}
    return {"measureScore": {"value": decimal(one.score), **({"unit": unit} | coded if coded else {})}}


def _stratifiers(one: Evaluated) -> Resource:
    strata = [
        {
            "extension": [interval_extension(**part.interval)],
            "value": {"text": span},
            "population": _populations(part),
            **_score(part),
        }
        if part.interval
        else {"value": {"text": span}, "population": _populations(part), **_score(part)}
        for span, part in one.spans.items()
    ]
    return {"stratifier": [{"code": [{"text": "period"}], "stratum": strata}]} if strata else {}


def _scope(question: Question) -> list[Resource]:
    kinds = {"system": "valueCode"}
    parts = [{"url": name, kinds.get(name, "valueString"): value} for name, value in question.scope]
    return [{"url": SCOPE, "extension": parts}] if parts else []


def _listed(members: Sequence[Member], of: str) -> Resource:
    entries = [
        {"date": one.at.astimezone(UTC).isoformat(timespec="seconds"), "item": {"reference": one.reference}}
        for one in members
    ]
    found: Resource = {"resourceType": "List", "id": of, "status": "current", "mode": "snapshot"}
    return found | ({"entry": entries} if entries else {})
