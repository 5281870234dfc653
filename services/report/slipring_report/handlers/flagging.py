"""`$flag-critical` and its hand-over: open until the critical service has taken the finding over."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.outcome import conflict, invalid, unprocessable
from slipring.fhir.service import CANONICAL, Arrival, Call, Changes, Desk, Due, Resource, Save, Stored, Wake, successor
from slipring.quality.critical_catalogue import IN_FORCE, catalogue
from slipring.quality.flagging import level_said, recognised_said

from slipring_report.amending.amendment import as_it_will_stand
from slipring_report.flags.resources import as_communication, as_flag, as_handover
from slipring_report.flags.sealing import sealed
from slipring_report.reading import code_of, reference_of
from slipring_report.resources import coded, parameters, reference, written
from slipring_report.vocabulary import CASE_STATE, CRITICAL_FINDING, HANDOVER_STATE, TASK_CODE

# What the author says of a finding that was told before: critical links it to that case and rings nobody, or rings.
_MARKS = {"unchanged": "unchanged", "ring": "ring-all-the-same"}
_TOLD = ("acknowledged", "read-back-confirmed", "acted", "closed")
_NOT_TAKEN_OVER = (
    "尚未被危急值服务接收，请直接电话通知临床。Not yet taken over by the critical service: please telephone."
)


async def finding_flagged(call: Call, desk: Desk) -> Changes:
    """Record a critical finding and hand it over; it waits for no signature.

    Ids follow from report and finding: a repeat, even at the same moment, finds the first flag and answers it.
    """
    if call.target is None:
        raise invalid(
            "This operation is called on one report.",
            "该操作须针对一份报告调用。",
            detail="report.one-report",
        )
    report = as_it_will_stand(call.target.resource)  # of a next version in draft: the report that others know
    entry = await _finding(call, desk)
    flag_id, handover_id = _ids(f"DiagnosticReport/{report['id']}", entry.code)
    handover = await desk.read(f"Task/{handover_id}")
    if handover is not None:
        return Changes(answer=_answer(flag_id, handover.resource))
    if report["status"] == "entered-in-error":
        raise conflict(
            "This report was entered in error.",
            "该报告属错误录入，不能标记危急值。",
            at="DiagnosticReport.status",
            detail="report.entered-in-error",
        )
    author = _author(call, report, desk)
    recognised = recognised_said(call, desk.now, "report.recognised-at")
    flag = as_flag(
        report,
        entry,
        id=flag_id,
        level=level_said(call, "report.level-unknown") or str(entry.level),
        recognised_at=str(call.value("recognisedAt")) if recognised else written(desk.now),
        author=author,
        note=str(call.value("note") or ""),
        now=desk.now,
        marks=[mark for parameter, mark in _MARKS.items() if call.value(parameter) is True],
    )
    within = desk.settings.hand_over_within
    task = as_handover(report, flag, id=handover_id, within=within, author=author, now=desk.now)
    return Changes(
        save=[Save(flag), Save(task)],
        wake=[Wake("handover-overdue", f"Task/{handover_id}", after=within, key=_timer(handover_id))],
        answer=_answer(flag_id, task),
    )


async def case_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Critical's case came back: the hand-over is done; once a person has answered, that stands beside the report."""
    case = arrival.resource
    if arrival.deleted or code_of(case.get("code"), TASK_CODE) != "critical-case":
        return Changes.none()
    handovers = await _handovers_of(case, desk)
    if not handovers:
        return Changes.none()
    changes = await _told(case, handovers[0], desk)
    for handover in handovers:
        changes = changes.plus(_taken_over(handover, arrival, desk))
    return changes


async def _handovers_of(case: Resource, desk: Desk) -> list[Stored]:
    """All hand-overs a case has taken: a second report may have flagged the same finding of the same exam."""
    found = []
    for named in (reference_of(each) for each in case.get("basedOn", [])):
        held = await desk.read(named) if named.startswith("Task/") else None
        if held and not held.source and code_of(held.resource.get("code"), TASK_CODE) == "hand-over":
            found.append(held)
    return found


def _taken_over(handover: Stored, arrival: Arrival, desk: Desk) -> Changes:
    if handover.resource["status"] == "completed":
        return Changes.none()
    done = successor(
        handover,
        status="completed",
        businessStatus=coded(HANDOVER_STATE, "taken-over"),
        lastModified=written(desk.now),
        output=[{"type": {"text": "critical case"}, "valueReference": reference(arrival.reference)}],
    )
    return Changes(save=[done], cancel=[_timer(handover.resource["id"])])


async def _told(case: Resource, handover: Stored, desk: Desk) -> Changes:
    state = code_of(case.get("businessStatus"), CASE_STATE)
    if state not in _TOLD:
        return Changes.none()
    told_id = _derived(f"Task/{case['id']}#communication")
    report = reference_of(handover.resource["basedOn"][0])
    told = sealed(as_communication(case, report, id=told_id, state=state, now=desk.now), desk)
    before = await desk.read(f"Communication/{told_id}")
    if before is None:
        return Changes(save=[Save(told)])
    if code_of(before.resource["reasonCode"][0], CASE_STATE) == state:
        return Changes.none()
    return Changes(save=[Save(told, replaces=before.version)])


async def handover_overdue(due: Due, desk: Desk) -> Changes:
    """Nobody took the finding over in time: the hand-over says so, for health, pages and people to see."""
    handover = await desk.read(due.subject)
    if handover is None or handover.resource["status"] == "completed":
        return Changes.none()
    state = coded(HANDOVER_STATE, "overdue")
    return Changes(save=[successor(handover, businessStatus=state, lastModified=written(desk.now))])


async def _finding(call: Call, desk: Desk) -> CriticalFinding:
    coding = call.value("finding")
    coding = coding if isinstance(coding, dict) else {}
    system = coding.get("system", CRITICAL_FINDING)
    known = catalogue(await desk.search(IN_FORCE), desk.now)
    entry = known.get(str(coding.get("code", ""))) if system == CRITICAL_FINDING else None
    if entry is None:
        raise unprocessable(
            "finding is a code of the catalogue of critical findings.",
            "finding 须为危急值目录中的代码。",
            at=call.at("finding"),
            code="code-invalid",
            detail="report.finding-unknown",
        )
    return entry


def _author(call: Call, report: Resource, desk: Desk) -> str:
    """Who flags: the caller's person, else the one named, else the report's reader. A flag never fails for this."""
    stated = [reference_of(call.value("performer"))]
    stated += [reference_of(each) for name in ("resultsInterpreter", "performer") for each in report.get(name, [])]
    return desk.caller.practitioner or next((each for each in stated if each), "")


def _ids(report: str, finding: str) -> tuple[str, str]:
    return _derived(f"{report}#{finding}#flag"), _derived(f"{report}#{finding}#hand-over")


def _derived(text: str) -> str:
    return f"r-{uuid5(NAMESPACE_URL, f'{CANONICAL}/{text}')}"


def _timer(handover_id: str) -> str:
    return f"handover:{handover_id}"


def _answer(flag_id: str, handover: Resource) -> Resource:
    parts = [
        ("observation", "Reference", reference(f"Observation/{flag_id}")),
        ("handover", "Reference", reference(f"Task/{handover['id']}")),
    ]
    if handover["status"] != "completed":
        parts.append(("note", "String", _NOT_TAKEN_OVER))  # type: ignore[arg-type]
    return parameters(*parts)
