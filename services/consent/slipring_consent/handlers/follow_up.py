"""The call for a late reaction: due by the clock; well, a late reaction, or not reached and called again (4.13)."""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Due, Resource, Save, Stored, Wake, Write, successor

from slipring_consent.department import limits_of
from slipring_consent.observing import follow_up
from slipring_consent.observing.release import RELEASES
from slipring_consent.observing.resources import coded, said
from slipring_consent.people import lacking
from slipring_consent.reading import instant, reference_of

_OPEN = ("requested", "ready")


async def call_is_due(due: Due, desk: Desk) -> Changes:
    """The time has come: the call is on the list of those that are due."""
    task = await desk.read(due.subject)
    if task is None or task.resource["status"] != "requested":
        return Changes.none()
    state = follow_up.as_state("due")
    return Changes(save=[successor(task, status="ready", businessStatus=state, lastModified=instant(desk.now))])


async def called(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$called`: what a call brought. Not reached is counted, and due again until nobody need try any more."""
    task, result = _follow_up(call), str(call.value("result") or "")
    by = call.value("by") or ({"reference": desk.caller.practitioner} if desk.caller.practitioner else None)
    problems = [*await _not_told_by(by, call.at("by"), desk), *_unknown(result, call)]
    if problems:
        return Changes(refuse=FhirError(422, problems))
    note = call.value("note")
    told = [
        said("follow-up-call", valueDateTime=instant(desk.now)),
        said("follow-up-result", valueCodeableConcept=coded("follow-up-result", result)),
    ]
    made: Resource = {**task.resource, "owner": by, "output": [*task.resource.get("output", []), *told]}
    made |= {"note": [*made.get("note", []), {"text": note, "time": instant(desk.now)}]} if note else {}
    return _settled(made, task, result, desk)


def _settled(made: Resource, task: Stored, result: str, desk: Desk) -> Changes:
    limits, key = limits_of(desk), follow_up.timer_of(task.reference)
    again = result == "not-reached" and follow_up.calls_in(made) < int(limits.limit("follow_up.most_calls").value)
    state = "planned" if again else ("not-reached" if result == "not-reached" else "done")
    made |= {
        "status": "requested" if again else "completed",
        "businessStatus": follow_up.as_state(state),
        "lastModified": instant(desk.now),
    }
    hours = timedelta(hours=int(limits.limit("follow_up.retry_hours").value))
    answer = {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": made}]}
    return Changes(
        save=[Save(made, replaces=task.version)],
        wake=[Wake(follow_up.DUE, task.reference, hours, key)] if again else [],
        cancel=[] if again else [key],
        answer=answer,
    )


async def follow_up_changed(write: Write, desk: Desk) -> Changes:
    """A call that a plain update closes names who called and what it brought; a closed one stays closed."""
    before = write.before.resource if write.before is not None else None
    if write.method == "delete" or write.imported or before is None or not follow_up.is_follow_up(before):
        return Changes.none()
    if before["status"] == write.resource["status"]:
        return Changes.none()
    if before["status"] not in _OPEN:
        raise _closed()
    if write.resource["status"] in _OPEN:
        return Changes.none()
    owner = write.resource.get("owner")
    problems = await _not_told_by(owner, "Task.owner", desk)
    if follow_up.result_of(write.resource) not in follow_up.RESULTS:
        problems.append(_no_result("Task.output.where(type.coding.code='follow-up-result')"))
    if problems:
        return Changes(refuse=FhirError(422, problems))
    state = "not-reached" if follow_up.result_of(write.resource) == "not-reached" else "done"
    members = {"businessStatus": follow_up.as_state(state), "lastModified": instant(desk.now)}
    return Changes(members=members, cancel=[follow_up.timer_of(write.reference)])


def _follow_up(call: Call) -> Stored:
    if call.target is None or not follow_up.is_follow_up(call.target.resource):
        raise unprocessable(
            "Only a follow-up for late reactions takes the result of a call.",
            "只有迟发反应随访任务可以登记回访结果。",
            at="Task.code",
            detail="consent.no-follow-up",
        )
    if call.target.resource["status"] not in _OPEN:
        raise _closed()
    return call.target


def _closed() -> FhirError:
    return conflict("This follow-up is closed.", "该随访已结束。", at="Task.status", detail="consent.follow-up-closed")


async def _not_told_by(by: Resource | None, at: str, desk: Desk) -> list[Issue]:
    who = reference_of(by)
    if not who:
        zh, en = "须注明由谁回访。", "It says who called."
        return [Issue("required", zh=zh, en=en, at=at, detail="consent.follow-up-person")]
    lacks = await lacking(RELEASES, who, desk)
    return [Issue("business-rule", zh=one.zh, en=one.en, at=at, detail=f"staff.{one.code}") for one in lacks]


def _unknown(result: str, call: Call) -> list[Issue]:
    return [] if result in follow_up.RESULTS else [_no_result(call.at("result"))]


def _no_result(at: str) -> Issue:
    return Issue(
        "required",
        zh=f"须填写回访结果：{'、'.join(follow_up.RESULTS)}。",
        en=f"It says what the call brought: {', '.join(follow_up.RESULTS)}.",
        at=at,
        detail="consent.follow-up-result",
    )
