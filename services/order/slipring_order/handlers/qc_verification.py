"""`Task/[id]/$verify-exams` and `$conclude-verification`: exams made while a scanner was out of limits are looked at (4.9)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.outcome import FhirError, conflict, not_found, unprocessable
from slipring.fhir.service import Ahead, Call, Changes, Desk, Resource, Save, Stored, Write, successor
from slipring.qc.equipment.tracing import Doubt, Judged, doubts
from slipring.staff import may

from slipring_order.equipment import verification as verifying
from slipring_order.equipment.round import given
from slipring_order.handlers.qc_recording import held_against
from slipring_order.handlers.reception import performer_who_may
from slipring_order.handlers.scanner_tests import exams_of
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import codings, instant, reference_of
from slipring_order.rooms.measured import TEST_SYSTEM
from slipring_order.rooms.scanner_standard import tests
from slipring_order.rooms.scanners import measured_on

_USUAL, _MOST = 100, 500
_MAY_CONCLUDE = "sign-report"


async def exams_verified(call: Call, desk: Desk) -> Changes:
    """Trace a failed test back to the last good one and make a Task for each exam between; again: for those that came since."""
    task, test = _nonconformity(call)
    who = await performer_who_may("approve-scanner-test", call, desk)
    scanner = reference_of(task.resource.get("focus"))
    doubt = await _doubt(task, test, scanner, desk)
    if doubt is None:
        raise conflict(
            "No failure of this test stands on record any more: no exam is in doubt.",
            "该检测项目现无不合格记录，没有存疑的检查。",
            at="Task.input",
            detail="order.no-exam-in-doubt",
        )
    owner, most = await _owner(call, desk), _most(call)
    every = await exams_of(scanner, doubt.since, doubt.until, desk)
    wanted = _chosen(call, every)
    made = await desk.search(f"Task?code={verifying.VERIFICATION}&part-of={task.reference}")
    known = {reference_of(one.resource["focus"]) for one in made if not one.source}
    missing = [exam for exam in wanted if exam not in known]
    if call.value("preview"):
        return Changes(answer=_answer(doubt, every, (), len(missing)))
    saves = []
    await desk.foresee(Ahead(missing[:most]))
    for reference in missing[:most]:
        exam = await desk.read(reference)
        if exam is not None:
            named = tests()[test]
            saves.append(
                Save(
                    verifying.as_verification(
                        exam.resource, task, id=desk.new_id(), zh=named["zh"], en=named["en"], owner=owner, who=who,
                        now=desk.now,
                    )
                )
            )  # fmt: skip
    return Changes(save=saves, answer=_answer(doubt, every, saves, len(missing) - len(saves)))


async def verification_concluded(call: Call, desk: Desk) -> Changes:
    """Say of an exam in doubt what the look at it came to."""
    task = call.target
    if task is None or not verifying.is_verification(task.resource):
        raise not_found("Task")
    who = await performer_who_may(_MAY_CONCLUDE, call, desk)
    conclusion, note = str(call.value("conclusion") or ""), str(call.value("note") or "").strip()
    if conclusion not in verifying.CONCLUSIONS:
        known = ", ".join(verifying.CONCLUSIONS)
        raise _refused(
            call, "conclusion", f"conclusion is one of {known}.", f"conclusion 须为下列之一：{known}。", "code"
        )
    if conclusion != verifying.CONCLUSIONS[0] and not note:
        raise _refused(call, "note", "Say in `note` what is to be done.", "请在 note 中说明处理意见。", "note")
    if task.resource.get("status") == "completed":
        raise conflict(
            "This exam has been concluded on.",
            "该检查已有核查结论。",
            at="Task.status",
            detail="order.verification-concluded",
        )
    save = successor(task, **verifying.concluded(task.resource, conclusion, who, note, desk.now))
    return Changes(save=[save], answer=save.resource)


async def verification_written(write: Write, desk: Desk) -> Changes:
    """A verification is made and concluded by the operations alone."""
    raise unprocessable(
        "A verification is made by $verify-exams and concluded by $conclude-verification.",
        "存疑检查的核查由 $verify-exams 产生、由 $conclude-verification 结论，不可直接写入。",
        at="Task.code",
        detail="order.verification-by-operation",
    )


async def demand_verified(nonconformity: Resource, desk: Desk) -> None:
    """409 while an exam in doubt waits to be looked at: the nonconformity is not closed over it."""
    asked = f"Task?code={verifying.VERIFICATION}&part-of=Task/{nonconformity['id']}&status={verifying.OPEN}"
    if waiting := [one for one in await desk.search(asked) if not one.source]:
        raise conflict(
            f"{len(waiting)} exams in doubt wait to be looked at.",
            f"尚有 {len(waiting)} 例存疑检查待核查。",
            at="Task.businessStatus",
            detail="order.verifications-open",
        )


async def _doubt(task: Stored, test: str, scanner: str, desk: Desk) -> Doubt | None:
    """The failure that opened the nonconformity; when that result was corrected since, the last one."""
    held = held_against([one.resource for one in await measured_on(scanner, desk, test)], desk)
    judged = [
        Judged(one.result.at, one.passes, reference)
        for reference, one in held.items()
        if one.result.test == test and one.counts
    ]
    cast = doubts(judged)
    failed = reference_of(given(task.resource, "test-result"))
    return next((one for one in cast if one.failed == failed), cast[-1] if cast else None)


def _nonconformity(call: Call) -> tuple[Stored, str]:
    if call.target is None:
        raise not_found("Task")
    said = codings(call.target.resource.get("reasonCode"))
    test = next(
        (str(one["code"]) for one in said if one.get("system") == TEST_SYSTEM and one.get("code") in tests()), ""
    )
    if not test:
        raise unprocessable(
            "This Task is no nonconformity of a scanner's test.",
            "该任务不是 CT 检测项目的不符合项。",
            at="Task.reasonCode",
            detail="order.no-failed-test",
        )
    return call.target, test


def _chosen(call: Call, every: Sequence[str]) -> list[str]:
    """The exams that the call names, or all in doubt."""
    named = [reference_of(one) for one in call.values("exam")]
    if strange := [one for one in named if one not in every]:
        raise _refused(
            call, "exam", f"{len(strange)} of the exams named are not in doubt.", f"所指检查中有 {len(strange)} 例不属于存疑范围。",
            "exam",
        )  # fmt: skip
    return named or list(every)


async def _owner(call: Call, desk: Desk) -> str:
    if call.value("owner") is None:
        return ""
    person, roles = await person_and_roles(reference_of(call.value("owner")), desk)
    demand(may(_MAY_CONCLUDE, person, roles, desk.now, zone=desk.settings.time_zone), call.at("owner"), recorded=True)
    return f"Practitioner/{(person or {})['id']}"


def _most(call: Call) -> int:
    said = call.value("most")
    most = _USUAL if said is None else int(said)
    if not 1 <= most <= _MOST:
        raise _refused(call, "most", f"`most` is from 1 to {_MOST}.", f"most 须为 1 至 {_MOST}。", "most")
    return most


def _answer(doubt: Doubt, every: Sequence[str], saves: Sequence[Save], left: int) -> Resource:
    parts: list[Resource] = []
    if doubt.since is not None:
        parts.append({"name": "lastGood", "valueInstant": instant(doubt.since)})
    parts.append({"name": "failed", "valueInstant": instant(doubt.failed_at)})
    if doubt.until is not None:
        parts.append({"name": "nextGood", "valueInstant": instant(doubt.until)})
    parts += [{"name": "exam", "valueReference": {"reference": one}} for one in every]
    parts += [{"name": "verification", "valueReference": {"reference": f"Task/{one.resource['id']}"}} for one in saves]
    parts.append({"name": "left", "valueInteger": left})
    return {"resourceType": "Parameters", "parameter": parts}


def _refused(call: Call, name: str, en: str, zh: str, detail: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail=f"order.verification-{detail}")
