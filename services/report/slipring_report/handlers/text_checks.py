"""`$check-text` and `$answer-text-check`: what the words of a report show, and what a named person says to it (5.8.3, 5.9.1)."""

from __future__ import annotations

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored
from slipring.qc.report import SECTIONS

from slipring_report.checks.asking import as_issues
from slipring_report.checks.gathering import Examined, examined
from slipring_report.checks.issues import TextIssue, as_issue
from slipring_report.checks.texts import sections_of, words
from slipring_report.handlers.asked import open_report
from slipring_report.reading import composition_of, reference_of, subject_of
from slipring_report.resources import parameters, reference, written
from slipring_report.worklist.people import acting

_READS = "draft-report"  # the act of slipring.staff


async def text_checked(call: Call, desk: Desk) -> Changes:
    """Check words that are handed in, or those of a report; nothing is stored."""
    given = {name: str(text) for name in SECTIONS if (text := call.value(name)) is not None}
    removed = [str(one) for one in call.values("removed")]
    if call.target is None:
        report = await _of_request(call, desk)
        found = await examined({"findings": "", "impression": "", **given}, report, desk, removed=removed)
    else:
        report = call.target.resource
        composition = await desk.read(composition_of(report)) if composition_of(report) else None
        held = sections_of(report, composition.resource if composition else None)
        structured = composition is not None or bool(given)
        found = await examined({**held, **given}, report, desk, removed=removed, structured=structured)
    return Changes(answer=_answer(found, report, desk))


async def check_answered(call: Call, desk: Desk) -> Changes:
    """A named person stands for the words as they are and says why; kept on record until the words change."""
    report = open_report(call)
    who, reason = await acting(call, desk, _READS), str(call.value("reason") or "").strip()
    if not reason:
        raise unprocessable(
            "Say why the text is right as it stands.",
            "请说明文字无误的理由。",
            at=call.at("reason"),
            detail="report.text-reason",
        )
    found = await _of_stored(report, desk)
    key = str(call.value("key") or "")
    named = next((one for one in found.open if one.key == key), None)
    if named is None:
        raise conflict(
            "Nothing with this key is open in the text as it stands; check it again.",
            "当前文字中没有此编号的待处理问题，请重新检查。",
            at=call.at("key"),
            detail="report.text-key",
        )
    issue = _kept(named, report, who, reason, desk)
    return Changes(save=[Save(issue)], answer=parameters(("issue", "resource", issue)))


async def _of_stored(report: Stored, desk: Desk) -> Examined:
    composition = await desk.read(composition_of(report.resource)) if composition_of(report.resource) else None
    held = sections_of(report.resource, composition.resource if composition else None)
    return await examined(held, report.resource, desk, structured=composition is not None)


async def _of_request(call: Call, desk: Desk) -> Resource:
    """A report that is not stored yet, as far as the request tells of it."""
    named = reference_of(call.value("request"))
    request = await desk.read(named) if named.startswith("ServiceRequest/") else None
    if named and request is None:
        raise unprocessable(
            "The request is not known here.",
            "此处没有该申请。",
            at=call.at("request"),
            code="not-found",
            detail="report.text-request",
        )
    if request is None:
        return {"resourceType": "DiagnosticReport"}
    return {
        "resourceType": "DiagnosticReport",
        "basedOn": [reference(named)],
        "subject": request.resource.get("subject", {}),
    }


def _answer(found: Examined, report: Resource, desk: Desk) -> Resource:
    answer = parameters(
        *[("issue", "resource", one) for one in (*as_issues(found.told, report, desk), *found.answered)]
    )
    for name, text in found.sections.items():
        told = [{"name": "name", "valueCode": name}, {"name": "code", "valueCode": words()["section"][name]["code"]}]
        answer["parameter"].append(
            {"name": "section", "part": [*told, *([{"name": "text", "valueString": text}] if text else [])]}
        )
    return answer


def _kept(named: TextIssue, report: Stored, who: str, reason: str, desk: Desk) -> Resource:
    issue = as_issue(named, report.reference, subject_of(report.resource), desk.now, id=desk.new_id(), author=who)
    done = {"action": {"text": reason}, "date": written(desk.now), "author": reference(who)}
    return {**issue, "mitigation": [done]}
