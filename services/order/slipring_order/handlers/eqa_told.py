"""`QuestionnaireResponse/$eqa-programme`: how each body system is compared with others, and the rounds of a year (5.6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource
from slipring.rules.limits import UnknownLimit

from slipring_order.catalogue import SYSTEMS
from slipring_order.department import records
from slipring_order.department.due import DEPARTMENT, Standing, Subject, standings
from slipring_order.department.gathering import eqa_records
from slipring_order.department.obligations import carried_by
from slipring_order.eqa.standing import Round, covered, rounds_in
from slipring_order.offer.words import words

_PLAN = "eqa-programme"
_FIRST, _LAST = 1900, 2999


async def programme_told(call: Call, desk: Desk) -> Changes:
    """The systems as they stand at the end of the year, or today in this one, and its rounds."""
    today = desk.now.astimezone(desk.settings.zone).date()
    year = _year(call, today)
    day = min(today, date(year, 12, 31)) if year <= today.year else date(year, 12, 31)
    every = list(rounds_in(await eqa_records(desk)))
    try:
        limits = desk.settings.limits.on(day)
        interval = limits.limit("eqa.interval")
    except UnknownLimit:
        raise _refused(call, "No interval was in force in that year.", "该年份尚无生效的周期规定。") from None
    owed = list(carried_by("comparison").values())
    stands = standings([Subject(DEPARTMENT, "department")], covered(every), owed, limits)
    of_year = [one for one in every if year in {_year_of(one.due), _year_of(one.returned)}]
    answer: list[Resource] = [{"name": "year", "valueInteger": year}]
    answer += [{"name": "plan", "valueReference": {"reference": one}} for one in await _plan(desk, day)]
    answer += [
        {"name": "interval", "valueInteger": int(interval.value)},
        {"name": "confirmed", "valueBoolean": interval.confirmed},
    ]
    by_code = {one.obligation.code: one for one in stands}
    answer += [_system(one, by_code[f"eqa-{one.lower()}"], every, year) for one in SYSTEMS]
    answer += [_round(one, today) for one in sorted(of_year, key=lambda one: one.due or date.min, reverse=True)]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


async def _plan(desk: Desk, day: date) -> list[str]:
    """The newest document of the programme that is in force."""
    found = await desk.search(f"DocumentReference?type={records.DOCUMENT_SYSTEM}|{_PLAN}")
    held = [one for one in records.documents(each.resource for each in found) if one.code == _PLAN and one.on <= day]
    valid = [one for one in held if one.until is None or one.until >= day]
    return [one.source for one in sorted(valid, key=lambda one: one.on)[-1:]]


def _system(system: str, stands: Standing, every: Sequence[Round], year: int) -> Resource:
    named = words()["body-system"]["codes"][system]
    counted = [one for one in every if one.concluded and system in one.systems and _year_of(one.returned) == year]
    parts: list[Resource] = [
        {"name": "system", "valueCode": system},
        {"name": "zh", "valueString": named["zh"]},
        {"name": "en", "valueString": named["en"]},
        {"name": "state", "valueCode": stands.state.value},
        {"name": "rounds", "valueInteger": len(counted)},
        {"name": "alternative", "valueInteger": sum(one.alternative for one in counted)},
    ]
    if stands.record:
        parts.append({"name": "last", "valueReference": {"reference": stands.record.source}})
    if stands.due:
        parts.append({"name": "due", "valueDate": stands.due.isoformat()})
    return {"name": "system", "part": parts}


def _round(one: Round, today: date) -> Resource:
    said: list[tuple[str, str, Any]] = [
        ("record", "Reference", {"reference": one.reference}),
        ("kind", "Code", one.kind),
        ("state", "Code", one.state(today)),
        ("scheme", "String", one.scheme),
        ("partner", "String", one.partner),
        *[("system", "Code", system) for system in one.systems],
        ("due", "Date", one.due and one.due.isoformat()),
        ("sent", "Date", one.sent and one.sent.isoformat()),
        ("returned", "Date", one.returned and one.returned.isoformat()),
        ("criterion", "Code", one.criterion),
        ("score", "Decimal", one.score),
        ("certificate", "Reference", {"reference": one.certificate} if one.certificate else None),
        ("lacksCertificate", "Boolean", one.lacks_certificate),
        ("alternative", "Boolean", one.alternative),
    ]
    parts = [{"name": name, f"value{kind}": value} for name, kind, value in said if value is not None and value != ""]
    return {"name": "round", "part": parts}


def _year(call: Call, today: date) -> int:
    said = call.value("year")
    if said is None:
        return today.year
    if not isinstance(said, int) or isinstance(said, bool) or not _FIRST <= said <= _LAST:
        raise _refused(call, f"year is a year from {_FIRST} to {_LAST}.", f"year 须为 {_FIRST} 至 {_LAST} 的年份。")
    return said


def _refused(call: Call, en: str, zh: str) -> Exception:
    return unprocessable(en, zh, at=call.at("year"), code="value", detail="order.eqa-year")


def _year_of(day: date | None) -> int | None:
    return day.year if day else None
