"""An exam on the wrong part or the wrong patient is stopped by a named person, and returns to where it is safe.

The patient is in the room: identity and examination are confirmed anew before anything starts. It was another patient:
the exam waits for its own. The finding stops the report until a named person has settled it.
"""

from __future__ import annotations

from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Save, Stored
from slipring.rules.finding import Finding, Weight
from slipring.rules.lifecycle import IllegalMove, move

from slipring_order import lifecycle, resources
from slipring_order.handlers.exams import illegal
from slipring_order.handlers.scheduling import the_exam
from slipring_order.images.mismatch import CATEGORY
from slipring_order.judging.contrast import contrast_shown
from slipring_order.life.moving import exam_follows
from slipring_order.life.stopped import WRONG, rule
from slipring_order.nonconformity import nonconformity, of_an_exam
from slipring_order.people import demand, may_any
from slipring_order.reading import codes, instant, reference_of
from slipring_order.rooms.checks import ITEMS, before_the_visit

_CLAUSE = "CL02-A011:5.5.1.1"
_ACTS = ("operate-ct", "decide-justification")


def wrongs() -> dict[str, dict[str, str]]:
    """What may have been wrong, with names in both languages."""
    return {code: {"zh": zh, "en": en} for code, (_, zh, en) in WRONG.items()}


async def stopped(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$stop-wrong`: stop an exam that runs, or ran, on the wrong part or patient."""
    exam = the_exam(call)
    what = _what(call)
    who = await _named(call, desk)
    event, zh, en = WRONG[what]
    try:
        target = move(lifecycle.TRANSITIONS, resources.state_of(exam.resource), event)
    except IllegalMove as refused:
        raise illegal(refused) from refused
    moved = await _back(exam, target, desk)
    return Changes(
        save=[moved, *await exam_follows(exam, target, desk), *_on_record(exam, what, who, zh, en, call, desk)],
        answer=moved.resource,
    )


def _what(call: Call) -> str:
    found = next((code for code in codes(call.value("reason")) if code in WRONG), "")
    if not found:
        raise unprocessable(
            f"reason is one of {', '.join(WRONG)}.",
            f"reason 须为下列之一：{', '.join(WRONG)}。",
            at=call.at("reason"),
            code="code-invalid",
            detail="order.stop-reason-unknown",
        )
    return found


async def _named(call: Call, desk: Desk) -> str:
    who = desk.caller.practitioner or reference_of(call.value("performer"))
    if not who:
        raise unprocessable(
            "Whoever stops an exam is named: sign in, or give `performer`.",
            "停止检查须具名：以本人身份登录，或给出 performer。",
            at=call.at("performer"),
            code="required",
            detail="order.stop-unnamed",
        )
    demand(await may_any(_ACTS, who, desk), call.at("performer"))
    return who


async def _back(exam: Stored, target: str, desk: Desk) -> Save:
    """The exam where it is safe: nothing is confirmed any more, and no scan of it is on its Task."""
    left = [one for one in exam.resource.get("input", []) if not {*ITEMS}.intersection(codes(one.get("type")))] or None
    members: dict[str, Any] = {"input": left, "executionPeriod": None}
    if target == "justified":  # the right patient has not come yet
        members |= {"input": before_the_visit(exam.resource), "restriction": None}
    request = await desk.read(reference_of(exam.resource.get("focus")))
    if request is not None:
        members |= await contrast_shown(request.resource, exam.resource, target, desk)
    return resources.moved(exam, target, desk.now, **members)


def _on_record(exam: Stored, what: str, who: str, zh: str, en: str, call: Call, desk: Desk) -> list[Save]:
    """The finding that stops the report, and the nonconformity."""
    finding = Finding(
        rule(what), "1", _CLAUSE, Weight.STOP, f"{zh}，检查已停止。", f"The exam was stopped: {en}.",
        "Task.businessStatus", {"state": resources.state_of(exam.resource)}, domain=CATEGORY,
    )  # fmt: skip
    request, subject = reference_of(exam.resource.get("focus")), reference_of(exam.resource.get("for"))
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=request, now=desk.now, author=who)
    issue["implicated"].append({"reference": exam.reference})
    note = str(call.value("note") or "")
    made = nonconformity(
        id=desk.new_id(), zh=finding.zh, en=finding.en, clause=_CLAUSE, about=exam.reference, now=desk.now,
        evidence=[f"DetectedIssue/{issue['id']}"], who=who,
    )  # fmt: skip
    said = {"note": [{"time": instant(desk.now), "text": note}]} if note else {}
    return [Save(issue), Save({**of_an_exam(made, exam.resource), **said})]
