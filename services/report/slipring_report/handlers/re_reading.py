"""`Task/$re-read`: a case of the sample is read again, blind, and then graded (5.6.2.3)."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Require, Resource, Save, Stored, successor

from slipring_report.emergency.policy import grades
from slipring_report.learning import answers
from slipring_report.learning.discrepancy import as_discrepancy
from slipring_report.learning.gathering import released_here
from slipring_report.learning.re_reading import answered, is_case, reader_of, system_of
from slipring_report.reading import composition_of, reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.gathering import signatures_of
from slipring_report.vocabulary import DISCREPANCY_GRADE, READING_CATEGORY, codes_of
from slipring_report.worklist.people import acting

_READS = "first-sign"  # the act of slipring.staff


async def re_read(call: Call, desk: Desk) -> Changes:
    """Take the second reading of a case; only now is the reader told of the first, and he grades the difference.

    The first call, with `impression`, keeps what he sees and answers the first reading; the second, with `grade`, ends it.
    """
    case = _case(call)
    by = await acting(call, desk, _READS)
    if by != reader_of(case.resource):
        raise conflict(
            "Another reader has this case.", "该病例由其他医师复阅。", at="Task.owner", detail="report.re-reading-owner"
        )
    report = await _report_of(case, desk)
    kept = await _kept(case, desk)
    if kept is None:
        return await _read_again(call, case, report, by, desk)
    return await _graded(call, case, report, kept, by, desk)


async def _read_again(call: Call, case: Stored, report: Stored, by: str, desk: Desk) -> Changes:
    impression = str(call.value("impression") or "").strip()
    if not impression:
        raise needed("impression", call)
    response = answers.as_response(
        answers.RE_READING,
        report,
        by,
        ("impression", "String", impression),
        ("category", "Coding", _category("category", call)),
        ("system", "String", system_of(case.resource)),
        ("shown-before", "String", "yes" if await _shown(case, report, by, desk) else "no"),
        ("clause", "String", "CL02-A011:5.6.2.3"),
        id=desk.new_id(),
        now=desk.now,
    )
    response |= {"status": "in-progress"}
    kept = f"QuestionnaireResponse/{response['id']}"
    moved = successor(case, **answered(case, kept, desk.now) | {"status": "in-progress"})
    parts = [("record", "Reference", reference(kept)), *await _first_reading(report, desk)]
    requires = [Require(report.reference, report.version)]
    return Changes(save=[Save(response), moved], require=requires, answer=parameters(*parts))


async def _graded(call: Call, case: Stored, report: Stored, kept: Stored, by: str, desk: Desk) -> Changes:
    grade, note = str(call.value("grade") or ""), str(call.value("note") or "").strip()
    if grade not in grades():
        raise unprocessable(
            f"grade is one of {', '.join(grades())}.",
            f"grade 须为以下之一：{'、'.join(grades())}。",
            at=call.at("grade"),
            code="code-invalid",
            detail="report.re-reading-grade",
        )
    if grade != "agree" and not note:
        raise needed("note", call)
    first = _category("firstCategory", call)
    coding = {"system": DISCREPANCY_GRADE, "code": grade, "display": codes_of(DISCREPANCY_GRADE)[grade]["zh"]}
    items = [*kept.resource["item"], {"linkId": "grade", "answer": [{"valueCoding": coding}]}]
    items += [{"linkId": "first-category", "answer": [{"valueCoding": first}]}]
    items += [{"linkId": "note", "answer": [{"valueString": note}]}] if note else []
    saves = [successor(kept, status="completed", item=items, authored=written(desk.now))]
    saves.append(successor(case, status="completed", lastModified=written(desk.now)))
    answer = [("record", "Reference", reference(kept.reference))]
    if grades()[grade].get("corrected"):
        wrong = as_discrepancy(report.resource, note, by, id=desk.new_id(), now=desk.now)
        saves.append(Save(wrong))
        answer.append(("nonconformity", "Reference", reference(f"Task/{wrong['id']}")))
    return Changes(save=saves, answer=parameters(*answer))


async def _shown(case: Stored, report: Stored, by: str, desk: Desk) -> bool:
    """Whether the trail says that the reader was shown the report, or its text, since the draw."""
    since = datetime.fromisoformat(case.resource["authoredOn"])
    named = [report.reference, *([text] if (text := composition_of(report.resource)) else [])]
    shown = [one for part in named for one in await desk.receivers(part, since)]
    return any(one.practitioner == by for one in shown)


async def _first_reading(report: Stored, desk: Desk) -> list[tuple[str, str, object]]:
    signed = [one for one in await signatures_of(report.reference, desk) if one.stands]
    told: list[tuple[str, str, object]] = [("report", "Reference", reference(report.reference))]
    if conclusion := report.resource.get("conclusion"):
        told.append(("impression", "String", conclusion))
    return told + [("signedBy", "Reference", reference(one.who)) for one in signed]


async def _kept(case: Stored, desk: Desk) -> Stored | None:
    named = [reference_of(one.get("valueReference")) for one in case.resource.get("output", [])]
    return await desk.read(named[0]) if named else None


async def _report_of(case: Stored, desk: Desk) -> Stored:
    found = await desk.search(f"DiagnosticReport?based-on={reference_of(case.resource['focus'])}")
    held = [one for one in found if not one.source and released_here(one.resource)]
    if not held:
        raise conflict(
            "The report of this exam does not stand any more.",
            "该检查的报告已不再有效。",
            at="Task.focus",
            detail="report.re-reading-gone",
        )
    return held[0]


def _case(call: Call) -> Stored:
    case = call.target
    if case is None or not is_case(case.resource) or case.resource["status"] not in ("requested", "in-progress"):
        raise conflict(
            "This Task is no case that waits to be read again.",
            "该任务不是待复阅病例。",
            at="Task.status",
            detail="report.re-reading-not-open",
        )
    return case


def _category(name: str, call: Call) -> Resource:
    known, said = codes_of(READING_CATEGORY), str(call.value(name) or "")
    if said not in known:
        raise unprocessable(
            f"{name} is one of {', '.join(known)}.",
            f"{name} 须为以下之一：{'、'.join(known)}。",
            at=call.at(name),
            code="code-invalid",
            detail="report.re-reading-category",
        )
    return {"system": READING_CATEGORY, "code": said, "display": known[said]["zh"]}


def needed(name: str, call: Call) -> FhirError:
    """The refusal of a call that leaves out what this step needs."""
    return unprocessable(
        f"{name} is needed.", f"须填写 {name}。", at=call.at(name), code="required", detail="report.learning-needed"
    )
