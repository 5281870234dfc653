"""`$score`, `$score-sheet` and `$writing-pass-rate`: reports scored by a second person, and how many are written to standard (4.14.7)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Require, Resource, Save, Stored
from slipring.qc.proportion import wilson

from slipring_report.handlers.asked import target
from slipring_report.learning import answers, scoring
from slipring_report.learning.gathering import demand_department, period_asked, released_here, said_in
from slipring_report.learning.telling import interval_parts, part
from slipring_report.reading import composition_of, reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.gathering import signatures_of
from slipring_report.worklist.people import acting

_READS = "draft-report"  # the act of slipring.staff


async def report_scored(call: Call, desk: Desk) -> Changes:
    """Score a released report by the sheet in force; whoever wrote or signed it does not."""
    report = target(call)
    if not released_here(report.resource):
        raise conflict(
            "Only a report released here is scored.",
            "只有在本系统发布的报告才评分。",
            at="DiagnosticReport.status",
            detail="report.score-not-released",
        )
    who = await acting(call, desk, _READS)
    if who in await _writers(report, desk):
        raise unprocessable(
            "Whoever wrote or signed a report does not score it.",
            "报告的书写者或签名者不得为其评分。",
            at=call.at("by"),
            detail="report.score-own",
        )
    sheet, saves = await _sheet(desk)
    points, vetoes = _filled_in(call, sheet)
    total, grade, passed = scoring.result(points, bool(vetoes))
    response = answers.as_response(
        f"{answers.SCORING}|{sheet.get('version', '')}",
        report,
        who,
        *[(link, "Decimal", value) for link, value in points.items()],
        *[(link, "Boolean", True) for link in vetoes],
        ("grade", "String", grade),
        ("passed", "String", "yes" if passed else "no"),
        ("note", "String", str(call.value("note") or "").strip()),
        ("clause", "String", "CL02-A011:4.14.7"),
        id=desk.new_id(),
        now=desk.now,
    )
    answer = parameters(
        ("record", "Reference", reference(f"QuestionnaireResponse/{response['id']}")),
        ("total", "Decimal", total),
        ("grade", "Code", grade),
        ("passed", "Boolean", passed),
    )
    relied = [Require(report.reference, report.version)]
    return Changes(save=[*saves, Save(response)], require=relied, answer=answer)


async def sheet_told(call: Call, desk: Desk) -> Changes:
    """The sheet in force; the shipped one where the department has none of its own."""
    demand_department(desk)
    sheet, _ = await _sheet(desk)
    return Changes(answer=parameters(("return", "resource", sheet)))


async def pass_rate_told(call: Call, desk: Desk) -> Changes:
    """Scored reports of a period that pass, with the interval and the cases; the newest score of a report counts."""
    demand_department(desk)
    start, end = period_asked(call, desk)
    newest: dict[str, Resource] = {}
    for one in sorted(await said_in(answers.SCORING, start, end, desk), key=lambda each: str(each["authored"])):
        newest[answers.report_of(one)] = one
    passed = [one for one in newest.values() if answers.told(one, "passed") == "yes"]
    counted = Counter(str(answers.told(one, "grade")) for one in newest.values())
    answer = parameters(
        ("period", "Period", {"start": written(start), "end": written(end)}),
        ("numerator", "Integer", len(passed)),
        ("denominator", "Integer", len(newest)),
    )
    answer["parameter"] += interval_parts(wilson(len(passed), len(newest)))
    answer["parameter"] += [
        part("target", "Decimal", Decimal(answers.settings()["pass-rate"]["target"])),
        part("targetConfirmed", "Boolean", False),
    ]
    for code in scoring.grades():
        said = [part("code", "Code", code), part("count", "Integer", counted[code])]
        answer["parameter"].append({"name": "grade", "part": said})
    sheet, _ = await _sheet(desk)
    answer["parameter"] += _parts(sheet, list(newest.values()))
    answer["parameter"] += [_member(one) for one in newest.values()]
    return Changes(answer=answer)


def _parts(sheet: Resource, scored: list[Resource]) -> list[Resource]:
    """The mean points of each part of the sheet in force, over the reports whose sheet had it."""
    found = []
    for link, most in scoring.most_of(sheet).items():
        points = [Decimal(one) for each in scored if (one := answers.told(each, link)) is not None]
        if points:
            zh, en = scoring.asked_by(sheet, link)
            said = [part("code", "Code", link), part("zh", "String", zh), part("en", "String", en)]
            said.append(part("mean", "Decimal", (sum(points, Decimal()) / len(points)).quantize(Decimal("0.01"))))
            said += [part("most", "Decimal", most), part("count", "Integer", len(points))]
            found.append({"name": "part", "part": said})
    return found


def _member(response: Resource) -> Resource:
    said = [
        part("report", "Reference", reference(answers.report_of(response))),
        part("record", "Reference", reference(f"QuestionnaireResponse/{response['id']}")),
        part("grade", "Code", str(answers.told(response, "grade"))),
    ]
    return {"name": "member", "part": said}


async def _writers(report: Stored, desk: Desk) -> set[str]:
    """Everybody who signed any version, and the authors of its text."""
    text = await desk.read(composition_of(report.resource)) if composition_of(report.resource) else None
    authors = [reference_of(one) for one in (text.resource.get("author", []) if text else [])]
    authors += [reference_of(one) for one in report.resource.get("resultsInterpreter", [])]
    return {*(one.who for one in await signatures_of(report.reference, desk)), *authors}


async def _sheet(desk: Desk) -> tuple[Resource, list[Save]]:
    """The newest active sheet of the department; the shipped one, kept from now on, where there is none."""
    found = await desk.search(f"Questionnaire?url={answers.SCORING}&status=active")
    held = [one for one in found if not one.source]
    if held:
        return max(held, key=lambda one: (str(one.resource.get("date", "")), one.updated_at)).resource, []
    return scoring.shipped(), [Save(scoring.shipped())]


def _filled_in(call: Call, sheet: Resource) -> tuple[dict[str, Decimal], list[str]]:
    """Points for every part, within its most, and the vetoes; refused at the question."""
    response: Any = call.value("response")
    items = response.get("item", []) if isinstance(response, dict) else []
    said = {str(one.get("linkId")): answers.told({"item": items}, str(one.get("linkId"))) for one in items}
    most, vetoes = scoring.most_of(sheet), scoring.vetoes_of(sheet)
    wrong = [link for link in said if link not in most and link not in vetoes]
    for link, limit in most.items():
        value = said.get(link)
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= limit:
            wrong.append(link)
    if wrong:
        raise unprocessable(
            f"The sheet asks for each part points from 0 to its most, and for nothing else: {', '.join(wrong)}.",
            f"评分表各项须为 0 至该项满分，且不得有其他项：{'、'.join(wrong)}。",
            at=call.at("response"),
            code="value",
            detail="report.score-points",
        )
    return {link: Decimal(said[link]) for link in most}, [link for link in vetoes if said.get(link) is True]
