"""`$record-concordance` and `$concordance`: CT diagnosis against pathology and clinic, per system and quarter (5.6.2.3, 5.9.1)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Require, Resource, Save

from slipring_report.handlers.asked import target
from slipring_report.learning import answers
from slipring_report.learning.concordance import AGAINST, Assessed, Row, rows
from slipring_report.learning.gathering import (
    by_system,
    demand_department,
    looked_ahead,
    period_asked,
    released_here,
    released_in,
    said_in,
    systems_shown,
)
from slipring_report.learning.systems import BODY_SYSTEM, UNKNOWN, names
from slipring_report.learning.telling import interval_parts, part
from slipring_report.reading import code_of, reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.vocabulary import CONCORDANCE_GRADE, DISCORDANCE_CAUSE, DISCORDANCE_MEASURE, codes_of
from slipring_report.worklist.people import acting

_READS = "draft-report"  # the act of slipring.staff


async def concordance_recorded(call: Call, desk: Desk) -> Changes:
    """A named person holds a released report against pathology or clinic; what is not concordant has cause and measure."""
    report = target(call)
    if not released_here(report.resource):
        raise conflict(
            "Only a report released here is held against pathology or clinic.",
            "只有在本系统发布的报告才评定符合率。",
            at="DiagnosticReport.status",
            detail="report.concordance-not-released",
        )
    who, against = await acting(call, desk, _READS), _one_of("against", AGAINST, call)
    grade = _one_of("grade", tuple(codes_of(CONCORDANCE_GRADE)), call)
    result, relied = await _reference(call, desk)
    system = await _system(call, report.resource, desk)
    cause, measure, note = _explained(call, grade)
    response = answers.as_response(
        answers.CONCORDANCE,
        report,
        who,
        ("system", "Coding", {"system": BODY_SYSTEM, "code": system, "display": names()[system]["zh"]}),
        ("against", "String", against),
        ("grade", "Coding", _coding(CONCORDANCE_GRADE, grade)),
        ("result", "Reference", reference(result) if result else None),
        ("diagnosis", "String", str(call.value("diagnosis") or "").strip()),
        ("cause", "Coding", _coding(DISCORDANCE_CAUSE, cause) if cause else None),
        ("measure", "Coding", _coding(DISCORDANCE_MEASURE, measure) if measure else None),
        ("note", "String", note),
        ("clause", "String", "CL02-A011:5.6.2.3"),
        id=desk.new_id(),
        now=desk.now,
    )
    answer = parameters(("record", "Reference", reference(f"QuestionnaireResponse/{response['id']}")))
    relied = [Require(report.reference, report.version), *relied]
    return Changes(save=[Save(response)], require=relied, answer=answer)


async def concordance_told(call: Call, desk: Desk) -> Changes:
    """The rows of a period by when the record was made: rates with their cases, causes, and what is missing."""
    demand_department(desk)
    start, end = period_asked(call, desk)
    asked = [str(one) for one in call.values("system")]
    if any(one not in names() for one in asked):
        raise _unknown("system", tuple(names()), call)
    every = [_assessed(one) for one in await said_in(answers.CONCORDANCE, start, end, desk)]
    await looked_ahead(desk, references=(one.report for one in every))
    standing = [one for one in every if await _stands(one.report, desk)]
    released = await by_system(await released_in(start, end, desk), desk)
    listed = {system: [one.reference for one in reports] for system, reports in released.items()}
    found = rows(standing, listed, asked or names(), answers.settings()["concordance"]["counts"])
    answer = parameters(("period", "Period", {"start": written(start), "end": written(end)}))
    answer["parameter"] += [_row(one) for one in found]
    if not asked:
        answer["parameter"] += [part("unknownSystem", "Reference", reference(one)) for one in listed.get(UNKNOWN, [])]
    return Changes(answer=answer)


async def _stands(report: str, desk: Desk) -> bool:
    held = await desk.read(report)
    return held is not None and released_here(held.resource)


def _assessed(response: Resource) -> Assessed:
    return Assessed(
        reference=f"QuestionnaireResponse/{response['id']}",
        report=answers.report_of(response),
        system=answers.code(response, "system"),
        against=str(answers.told(response, "against")),
        grade=answers.code(response, "grade"),
        at=datetime.fromisoformat(response["authored"]),
        cause=answers.code(response, "cause"),
        measure=answers.code(response, "measure"),
    )


def _row(row: Row) -> Resource:
    target_rate = Decimal(answers.settings()["concordance"]["target"])
    said = [
        part("system", "Coding", {"system": BODY_SYSTEM, "code": row.system, "display": names()[row.system]["zh"]}),
        part("against", "Code", row.against),
        part("numerator", "Integer", row.numerator),
        part("denominator", "Integer", row.denominator),
        *interval_parts(row.interval),
        part("target", "Decimal", target_rate),
        part("targetConfirmed", "Boolean", False),
        part("partly", "Integer", row.grades.get("partly", 0)),
        part("discordant", "Integer", row.grades.get("discordant", 0)),
        part("released", "Integer", row.released),
        part("withoutReference", "Integer", row.without),
    ]
    if row.denominator == 0:
        said.append(part("missing", "Code", "no-data"))
    if row.without:
        said.append(part("missing", "Code", "reports-without-reference"))
    for (cause, measure), count in sorted(row.causes.items()):
        told = [part("code", "Code", cause), part("measure", "Code", measure), part("count", "Integer", count)]
        said.append({"name": "cause", "part": told})
    for one in row.members:
        said.append(
            {
                "name": "member",
                "part": [
                    part("report", "Reference", reference(one.report)),
                    part("record", "Reference", reference(one.reference)),
                    part("grade", "Code", one.grade),
                ],
            }
        )
    return {"name": "row", "part": said}


async def _reference(call: Call, desk: Desk) -> tuple[str, list[Require]]:
    """What the diagnosis is held against: a result that came in here, or the words of whoever said it."""
    named, words = reference_of(call.value("result")), str(call.value("diagnosis") or "").strip()
    held = await desk.read(named) if named else None
    if named and (held is None or released_here(held.resource)):
        raise unprocessable(
            "The result is not known here, or is a report of our own.",
            "此处没有该结果，或其为本科室报告。",
            at=call.at("result"),
            code="not-found",
            detail="report.concordance-result",
        )
    if held is None and not words:
        raise unprocessable(
            "Say what the diagnosis is held against: result, or diagnosis in words.",
            "请注明对照结果（result）或对照诊断（diagnosis）。",
            at=call.at("diagnosis"),
            code="required",
            detail="report.concordance-reference",
        )
    if held is not None and call.target is not None and _patient(held.resource) != _patient(call.target.resource):
        raise unprocessable(
            "The result is about another patient.",
            "该结果属于另一患者。",
            at=call.at("result"),
            detail="report.concordance-patient",
        )
    return named, [Require(held.reference, held.version)] if held else []


def _patient(resource: Resource) -> str:
    return reference_of(resource.get("subject") or resource.get("patient"))


async def _system(call: Call, report: Resource, desk: Desk) -> str:
    """The system of the diagnosis: as said, else the exam's if it has one only."""
    said = str(call.value("system") or "")
    if said and said not in names():
        raise _unknown("system", tuple(names()), call)
    shown = await systems_shown(report, desk)
    if said or len(shown) == 1:
        return said or shown[0]
    choice = shown or tuple(names())
    raise unprocessable(
        f"The exam does not tell one body system; say which: {', '.join(choice)}.",
        f"检查不能确定单一系统，请注明：{'、'.join(choice)}。",
        at=call.at("system"),
        code="required",
        detail="report.concordance-system",
    )


def _explained(call: Call, grade: str) -> tuple[str, str, str]:
    """Cause and measure of what is not concordant; a discordant case without them is refused (5.6.2.3)."""
    note, found = str(call.value("note") or "").strip(), []
    for name, system in (("cause", DISCORDANCE_CAUSE), ("measure", DISCORDANCE_MEASURE)):
        said = code_of(call.value(name), system)
        if (call.value(name) is not None and said not in codes_of(system)) or (grade == "discordant" and not said):
            raise unprocessable(
                f"A discordant case has a {name}: a code of discordance-{name}.",
                f"不符合病例须注明 {name}（discordance-{name} 中的代码）。",
                at=call.at(name),
                code="required",
                detail="report.concordance-unexplained",
            )
        if said in answers.settings()["concordance"]["explained"] and not note:
            raise unprocessable(
                f"{said} is explained in note.",
                f"{said} 须在 note 中说明。",
                at=call.at("note"),
                code="required",
                detail="report.concordance-note",
            )
        found.append(said)
    return found[0], found[1], note


def _coding(system: str, code: str) -> Resource:
    return {"system": system, "code": code, "display": codes_of(system)[code]["zh"]}


def _one_of(name: str, known: tuple[str, ...], call: Call) -> str:
    value = str(call.value(name) or "")
    if value not in known:
        raise _unknown(name, known, call)
    return value


def _unknown(name: str, known: tuple[str, ...], call: Call) -> FhirError:
    return unprocessable(
        f"{name} is one of {', '.join(known)}.",
        f"{name} 须为以下之一：{'、'.join(known)}。",
        at=call.at(name),
        code="code-invalid",
        detail="report.learning-code",
    )
