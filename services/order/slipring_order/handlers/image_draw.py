"""`Task/$draw-images` and `Task/$image-grading`: exams drawn blind for grading, and what their sheets come to (5.6.2.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Write
from slipring.qc.proportion import wilson
from slipring.qc.report.agreement import cohens_kappa, cross_table
from slipring.qc.report.sampling import drawn

from slipring_order import resources
from slipring_order.asked_day import asked_period, found_by_day
from slipring_order.catalogue import exam_of
from slipring_order.grading import drawing
from slipring_order.grading.graded import EXCELLENT, FAIR, GOOD, REJECT, Graded, graded
from slipring_order.handlers.reception import performer_who_may
from slipring_order.lifecycle import SCANNED
from slipring_order.mapping_record import INPUT_SYSTEM
from slipring_order.people import person_and_roles
from slipring_order.reading import codes, has_code, reference_of
from slipring_order.rooms.step import STEP_CODE

_ACT = "draw-images"
_GRADES = (EXCELLENT, GOOD, FAIR, REJECT)
_LONGEST = 100
_AT_ONCE = 50
_WHOLE = 100  # %


async def images_drawn(call: Call, desk: Desk) -> Changes:
    """Draw exams of a period by seed from scanner, part of the body and technologist, each to graders who did not make it."""
    by, set_up = await performer_who_may(_ACT, call, desk), drawing.settings()
    size, share = _number("size", 1, set_up["most"], call), set_up["double"]
    if call.value("double") is not None:
        share = _number("double", 0, _WHOLE, call)
    seed = str(call.value("seed") or "").strip()
    if not 0 < len(seed) <= _LONGEST:
        raise _refused(call, "seed", f"seed is 1 to {_LONGEST} characters.", f"seed 须为 1 至 {_LONGEST} 字。", "seed")
    graders = await _graders(call, by, desk)
    start, end = asked_period(call)
    every = {one.request: one for one in await _exams((start, end), desk)}
    strata: dict[str, list[str]] = {}
    for one in every.values():
        strata.setdefault(one.stratum, []).append(one.request)
    draw = drawn(strata, size, seed, desk.now.astimezone(desk.settings.zone).date())
    period = {"start": start.isoformat(), "end": end.isoformat()}
    record = drawing.as_draw(draw, period, share, by, id=desk.new_id(), now=desk.now)
    both, due = drawing.twice(draw.chosen, share), timedelta(days=set_up["due_days"])
    cases: list[Resource] = []
    for request in (one for each in draw.chosen.values() for one in each):
        wanted = 1 + (request in both)
        found = drawing.graders_of(graders, every[request].maker, len(cases), wanted)
        if len(found) < wanted:
            raise _refused(
                call, "grader", "For some exam there is no grader left who did not make it; name another one.",
                "有病例缺少非操作者的评分人，请另指定评分人。", "no-grader",
            )  # fmt: skip
        cases += [
            drawing.as_case(every[request], one, due, draw=record["id"], id=desk.new_id(), now=desk.now)
            for one in found
        ]
    said: list[tuple[str, str, Any]] = [
        ("draw", "Reference", {"reference": f"Task/{record['id']}"}),
        ("population", "Integer", draw.population),
        ("strata", "Integer", len(draw.chosen)),
        ("listSha256", "String", draw.list_sha256),
        ("double", "Integer", len(both)),
        *[("case", "Reference", {"reference": f"Task/{one['id']}"}) for one in cases],
    ]
    return Changes(save=[Save(record), *map(Save, cases)], answer=_parameters(said))


async def grading_told(call: Call, desk: Desk) -> Changes:
    """The sheets of the cases drawn in a period: grades, excellent images, identity, part and label; how well two graders agree."""
    period = asked_period(call)
    code = f"Task?code={resources.TASK_CODE_SYSTEM}|{drawing.CASE}"
    cases = [one.resource for one in await found_by_day(code, "authored-on", period, desk) if not one.source]
    sheets: dict[str, list[Graded]] = {}
    for case in sorted(cases, key=lambda one: str(one["id"])):
        for one in case.get("output", []):
            stored = await desk.read(reference_of(one.get("valueReference")))
            said = graded(stored.resource) if stored else None
            if said is not None:
                sheets.setdefault(said.exam, []).append(said)
    first = [each[0] for each in sheets.values()]
    counted = Counter(one.grade for one in first)
    both = drawing.pairs({exam: [one.grade for one in each] for exam, each in sheets.items()})
    said_of: list[tuple[str, str, Any]] = [
        ("cases", "Integer", len(cases)),
        ("open", "Integer", sum(one["status"] == "requested" for one in cases)),
        ("exams", "Integer", len(first)),
    ]
    answer = _parameters(said_of)
    answer["parameter"] += [_rate("excellent", counted[EXCELLENT], len(first))]
    for name, wanted in (("identity", {"identity-right"}), ("partAndLabel", {"part-right", "label-right"})):
        answer["parameter"].append(_rate(name, sum(wanted <= set(one.marks) for one in first), len(first)))
    answer["parameter"] += [
        {"name": "grade", "part": [{"name": "code", "valueCode": one}, {"name": "count", "valueInteger": counted[one]}]}
        for one in _GRADES
    ]
    agreed = _rate("agreement", sum(one == other for one, other in both), len(both))
    kappa = cohens_kappa(cross_table(both, _GRADES), "linear")
    if kappa is not None:
        agreed["part"] += [
            {"name": f"kappa{name}", "valueDecimal": _decimal(getattr(kappa, name.lower()))}
            for name in ("Value", "Low", "High")
        ]
    answer["parameter"].append(agreed)
    return Changes(answer=answer)


async def draw_written(write: Write, desk: Desk) -> Changes:
    """Draws and their cases are made by the operation and ended by a sheet alone."""
    raise conflict(
        "Cases for grading are drawn by Task/$draw-images and ended by their sheet.",
        "影像评分病例须由 Task/$draw-images 抽取，以评分表完成。",
        at="Task.code",
        detail="order.grading-by-operation",
    )


async def _exams(period: tuple[date, date], desk: Desk) -> list[drawing.Drawn]:
    """The exams that were scanned in a period, whichever way they came to be; without a step no scanner is known."""
    query = f"Task?code={resources.TASK_CODE_SYSTEM}|exam&business-status={','.join(sorted(SCANNED))}"
    exams = [one.resource for one in await found_by_day(query, "period", period, desk) if not one.source]
    steps = await _all(
        f"Task?code={resources.TASK_CODE_SYSTEM}|{STEP_CODE}&part-of", [one["id"] for one in exams], desk
    )
    scanners = {reference_of(one["partOf"][0]): reference_of(one.get("owner")) for one in steps}
    named = sorted({reference_of(one.get("focus")).partition("/")[2] for one in exams})
    requests = {f"ServiceRequest/{one['id']}": one for one in await _all("ServiceRequest?_id", named, desk)}
    return [
        drawing.Drawn(
            f"ServiceRequest/{request['id']}",
            reference_of(request.get("subject")),
            scanners.get(f"Task/{exam['id']}", ""),
            _region(exam, request),
            reference_of(exam.get("owner")),
        )
        for exam in exams
        if (request := requests.get(reference_of(exam.get("focus")))) is not None
    ]


def _region(exam: Resource, request: Resource) -> str:
    """The regions of the exam that was asked for, by the catalogue; empty where it knows none."""
    translated = [
        code
        for one in exam.get("input", [])
        if has_code(one.get("type"), INPUT_SYSTEM, "exam")
        for code in codes(one.get("valueCodeableConcept"))
    ]
    known = exam_of([*codes(request.get("code")), *translated])
    return "+".join(sorted(known.regions)) if known else ""


async def _all(query: str, ids: Sequence[str], desk: Desk) -> list[Resource]:
    """What a search finds whose last parameter takes these ids, many at a time."""
    kind = "Task/" if query.endswith("part-of") else ""
    found: list[Stored] = []
    for place in range(0, len(ids), _AT_ONCE):
        found += await desk.search(f"{query}={','.join(f'{kind}{one}' for one in ids[place : place + _AT_ONCE])}")
    return [one.resource for one in found if not one.source]


async def _graders(call: Call, by: str, desk: Desk) -> list[str]:
    named = list(dict.fromkeys(reference_of(one) for one in call.values("grader")))
    if not named:
        raise _refused(call, "grader", "grader is needed.", "须指定评分人。", "grader")
    for one in named:
        person, _ = await person_and_roles(one, desk)
        if person is None or f"Practitioner/{person['id']}" != one:
            raise _refused(call, "grader", "A grader is a Practitioner on record.", "评分人须为在册人员。", "grader")
    if by in named:
        raise _refused(
            call, "grader", "Whoever draws does not grade what he draws.", "抽样者不得评分本次抽样的病例。", "grader"
        )
    return named


def _number(name: str, least: int, most: int, call: Call) -> int:
    said = call.value(name)
    if not isinstance(said, int) or isinstance(said, bool) or not least <= said <= most:
        raise _refused(
            call,
            name,
            f"{name} is a number from {least} to {most}.",
            f"{name} 须为 {least} 至 {most} 的整数。",
            "number",
        )
    return said


def _rate(name: str, events: int, cases: int) -> Resource:
    parts: list[Resource] = [
        {"name": "numerator", "valueInteger": events},
        {"name": "denominator", "valueInteger": cases},
    ]
    if interval := wilson(events, cases):
        parts += [{"name": one, "valueDecimal": _decimal(getattr(interval, one))} for one in ("rate", "low", "high")]
    return {"name": name, "part": parts}


def _decimal(value: float) -> Decimal:
    return Decimal(value).quantize(Decimal("0.0001"))


def _parameters(said: Sequence[tuple[str, str, Any]]) -> Resource:
    named = [{"name": name, f"value{kind}": value} for name, kind, value in said]
    return {"resourceType": "Parameters", "parameter": named}


def _refused(call: Call, name: str, en: str, zh: str, detail: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail=f"order.draw-{detail}")
