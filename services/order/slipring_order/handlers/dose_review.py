"""`Measure/$review-doses`: the medians of groups beside the reference levels, as a MeasureReport with its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.access import reaches
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource

from slipring_order.asked_day import asked_period, day_by_day
from slipring_order.dose.groups import UNITS, VERDICTS, ExamMeasure, Group, groups
from slipring_order.dose.levels import title_of
from slipring_order.dose.measuring import Patient, measured
from slipring_order.dose.observation import DOSE_CODE, LOINC, UCUM
from slipring_order.dose.stored import counts, stored_dose
from slipring_order.gathering.body_size import WEIGHT, weight_kg
from slipring_order.gathering.patient import VOID
from slipring_order.reading import instant, reference_of

MEASURE = f"{CANONICAL}/Measure/ct-dose-levels"
COMPARISON = f"{CANONICAL}/StructureDefinition/dose-comparison"
_AT_ONCE = 50


async def doses_reviewed(call: Call, desk: Desk) -> Changes:
    """Compare the doses of a period, by exam, scanner and band of patients; nothing is stored, the answer may be."""
    start, end = asked_period(call)
    wanted = reference_of(call.value("scanner"))
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    measures = [m for m in await _measures(start, end, desk) if not wanted or m.scanner == wanted]
    found = groups(measures, limits)
    return Changes(answer=as_report(found, start, end, desk.now, desk.new_id()))


async def _measures(start: date, end: date, desk: Desk) -> list[ExamMeasure]:
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    observations = await _observations(start, end, desk)
    requests = await _all(
        "ServiceRequest", (reference_of(e) for one in observations for e in one.get("basedOn", [])), desk
    )
    patients = await _all("Patient", (reference_of(one.get("subject")) for one in requests.values()), desk)
    weights = await _weights(patients, desk)
    found = []
    for observation in observations:
        named = (requests.get(reference_of(element)) for element in observation.get("basedOn", []))
        request = next((one for one in named if one), None)
        if request is None:
            continue
        stored = stored_dose(observation, desk.settings.zone)
        on = (stored.performed_at or desk.now).astimezone(desk.settings.zone).date()
        subject = reference_of(request.get("subject"))
        patient = Patient(str(patients.get(subject, {}).get("birthDate", "")), weights.get(subject))
        measure = measured(observation, stored.report, request.get("code"), patient, on, limits)
        found += [measure] if measure else []
    return found


async def _observations(start: date, end: date, desk: Desk) -> list[Resource]:
    """The dose Observations of the period, day by day, so that no search grows without bound."""
    found: list[Resource] = []
    for begins, ends in day_by_day(start, end, desk.settings.zone):
        span = f"date=ge{instant(begins)}&date=lt{instant(ends)}"
        for one in await desk.search(f"Observation?code={LOINC}|{DOSE_CODE}&{span}"):
            if not one.source and counts(one.resource) and reaches(desk.caller, "r", one.resource):
                found.append(one.resource)
    return found


async def _all(kind: str, references: Iterable[str], desk: Desk) -> dict[str, Resource]:
    """These resources by reference, many to a search."""
    ids = sorted({each.partition("/")[2] for each in references if each.startswith(f"{kind}/")})
    found: dict[str, Resource] = {}
    for position in range(0, len(ids), _AT_ONCE):
        for one in await desk.search(f"{kind}?_id={','.join(ids[position : position + _AT_ONCE])}"):
            found[one.reference] = one.resource
    return found


async def _weights(patients: Mapping[str, Resource], desk: Desk) -> dict[str, Decimal]:
    """The newest body weight in kilograms of each patient who has one."""
    measured: dict[str, list[Resource]] = {}
    names = sorted(patients)
    for position in range(0, len(names), _AT_ONCE):
        subjects = ",".join(names[position : position + _AT_ONCE])
        for one in await desk.search(f"Observation?subject={subjects}&code={LOINC}|{WEIGHT}"):
            if one.resource.get("status") not in VOID:
                measured.setdefault(reference_of(one.resource.get("subject")), []).append(one.resource)
    weighed = {subject: weight_kg(found, desk.settings.zone) for subject, found in measured.items()}
    return {subject: weight for subject, weight in weighed.items() if weight is not None}


def as_report(found: Iterable[Group], start: date, end: date, now: datetime, id: str) -> Resource:
    """The groups as a MeasureReport; each group names its members in a List."""
    listed = list(found)
    lists = [_members(group, number) for number, group in enumerate(listed, 1)]
    report: Resource = {
        "resourceType": "MeasureReport",
        "id": id,
        "contained": lists,
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": instant(now),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "group": [_group(group, number) for number, group in enumerate(listed, 1)],
    }
    return {name: value for name, value in report.items() if value}


def _group(group: Group, number: int) -> Resource:
    zh, en = VERDICTS[group.verdict]
    level = group.level
    parts: list[Resource] = [
        {"url": "exam", "valueString": group.key},
        {"url": "scanner", "valueString": group.scanner},
        {"url": "band", "valueString": group.band},
        {"url": "quantity", "valueCode": group.quantity},
        {"url": "verdict", "valueCode": group.verdict},
    ]
    if level is not None:
        for name, value in zip(("p25", "p50", "p75"), level.of(group.quantity), strict=True):
            parts += [{"url": name, "valueDecimal": value}] if value is not None else []
        parts.append({"url": "levels", "valueString": level.chosen.value})
        parts.append({"url": "source", "valueString": level.chosen.source})
        parts.append({"url": "confirmed", "valueBoolean": level.chosen.confirmed})
    size = len(group.members)
    population: Resource = {
        "code": {"text": "exams"},
        "count": size,
        "subjectResults": {"reference": f"#members-{number}"},
    }
    written: Resource = {
        "extension": [{"url": COMPARISON, "extension": parts}],
        "code": {"text": f"{group.key} | {group.scanner} | {group.band} | {group.quantity}: {zh}{_doubt(level, 0)} {en}{_doubt(level, 1)}"},
        "population": [population],
    }  # fmt: skip
    if group.median is not None:
        unit = UNITS[group.quantity]
        written["measureScore"] = {"value": group.median, "unit": unit, "system": UCUM, "code": unit}
    return written


def _doubt(level: Any, language: int) -> str:
    """Whose level it is, and that nobody has confirmed it."""
    if level is None:
        return ""
    title = title_of(level.chosen.value)[language]
    if level.chosen.confirmed:
        return (f"（{title}）", f" ({title})")[language]
    return (f"（{title}，默认值未经确认）", f" ({title}, unconfirmed default)")[language]


def _members(group: Group, number: int) -> Resource:
    entries = [{"item": {"reference": reference}} for reference in group.members]
    members: Resource = {"resourceType": "List", "id": f"members-{number}", "status": "current", "mode": "snapshot"}
    return members | ({"entry": entries} if entries else {})
