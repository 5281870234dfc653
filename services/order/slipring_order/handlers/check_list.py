"""The check list of a scan: what is confirmed, by whom, item by item."""

from __future__ import annotations

from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Save, Stored, Write, successor
from slipring.staff import may

from slipring_order import lifecycle, resources
from slipring_order.handlers.reception import also_named, identified, moved_to, performer, records_of, with_inputs
from slipring_order.handlers.scheduling import the_exam
from slipring_order.judging.contrast import contrast_shown
from slipring_order.judging.judge import judged, judged_again
from slipring_order.life.voiding import holders_told
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import has_system, reference_of
from slipring_order.rooms import checks
from slipring_order.rooms.occurring import occurred
from slipring_order.rooms.pregnancy_answer import NOT_PREGNANT, as_observation, known_answers

STEP_CHECK_LIST = "order.step-check-list"
_SCANNED = frozenset({"in-progress", "acquired"})
_MAY_BE_CHECKED = _SCANNED | {"arrived", "ready"}


async def record_written(write: Write, desk: Desk) -> Changes:
    """What was confirmed of an exam is recorded by the department's operations, in the name of who confirmed it."""
    activities = [tree.get("activity") for tree in (write.resource, write.before.resource if write.before else {})]
    if write.imported or not any(has_system(activity, checks.STEP_ITEM_SYSTEM) for activity in activities):
        return Changes.none()
    raise unprocessable(
        "Arrivals and check lists are recorded by $arrive and $check.",
        "到检与核对记录须通过 $arrive 与 $check 产生。",
        at="Provenance.activity",
        detail="order.step-record-by-operation",
    )


async def checked(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$check`: confirm items of the check list; with identity and examination confirmed, the exam is ready."""
    exam, who = the_exam(call), await performer(call, desk)
    items = _items(call)
    _refuse_too_early(items, resources.state_of(exam.resource), call)
    kinds: tuple[str, ...] = ()
    if checks.IDENTITY in items:
        found = identified(call, exam, await records_of(exam, desk), desk)
        if isinstance(found, Changes):
            return found
        kinds = found
    if checks.PLAIN in items:
        await _radiologist(call, who, desk)
    when = await occurred(call, exam, desk)
    saves, inputs = [], exam.resource
    for item in items:
        about = kinds if item == checks.IDENTITY else ()
        note = str(call.value("note") or "")
        record = checks.record(exam, item, who, id=desk.new_id(), now=desk.now, kinds=about, note=note)
        saves.append(Save(when.on(record)))
        given = {"valueReference": {"reference": f"Provenance/{record['id']}"}}
        inputs = {**inputs, "input": checks.with_input(inputs, item, given)}
    exam = with_inputs(exam, await also_named(call, inputs.get("input", []), desk))
    if checks.PREGNANCY in items:
        again = await _asked_again(call, exam, who, desk)
        if again.save[1:]:
            return Changes(save=[*again.save, *saves], answer=again.save[1].resource)
        saves += again.save
    saves += await _made_up(exam, desk)
    moved = await _prepared(exam, desk)
    return Changes(save=[*moved, *saves], answer=moved[0].resource)


async def _prepared(exam: Stored, desk: Desk) -> list[Save]:
    """An arrived exam is ready once identity and examination are confirmed."""
    enough = {checks.IDENTITY, checks.ITEM} <= checks.done_items(exam.resource)
    state = resources.state_of(exam.resource)
    if state == "arrived" and enough:
        return await moved_to(exam, "ready", desk)
    request = await desk.read(reference_of(exam.resource["focus"]))
    shown = await contrast_shown(request.resource, exam.resource, state, desk) if request else {}
    return [successor(exam, **shown)]


async def _made_up(exam: Stored, desk: Desk) -> list[Save]:
    """What the check list lacked when the exam ended is confirmed now, and the finding says so."""
    if resources.state_of(exam.resource) != "acquired" or not set(checks.CHECK_LIST) <= checks.done_items(
        exam.resource
    ):
        return []
    found = await desk.search(f"DetectedIssue?implicated={exam.reference}")
    lacking = [one for one in found if rule_of(one.resource) == STEP_CHECK_LIST and not one.resource.get("mitigation")]
    return [resources.mitigated(one, "answered", "已补充确认。", "Confirmed afterwards.", desk.now) for one in lacking]


def _items(call: Call) -> list[str]:
    items = list(dict.fromkeys(str(item) for item in call.values("item")))
    unknown = [item for item in items if item not in checks.ITEMS]
    if unknown or not items:
        raise unprocessable(
            f"item is one of {', '.join(checks.ITEMS)}.",
            f"item 须为下列之一：{', '.join(checks.ITEMS)}。",
            at=call.at("item"),
            code="code-invalid",
            detail="order.check-item-unknown",
        )
    if call.value("pregnancy") and checks.PREGNANCY not in items:
        raise unprocessable(
            f"An answer about pregnancy goes with the item {checks.PREGNANCY}.",
            f"妊娠回答须与 item {checks.PREGNANCY} 一并提交。",
            at=call.at("pregnancy"),
            detail="order.pregnancy-without-item",
        )
    return items


def _refuse_too_early(items: list[str], state: str, call: Call) -> None:
    """409 where a check list is not kept yet, or what is confirmed cannot have happened."""
    zh, en = lifecycle.names(state)
    if state not in _MAY_BE_CHECKED:
        raise conflict(
            f"The check list of an exam is kept from its arrival on; this exam is {en}.",
            f"核对清单自到检起填写；该检查处于“{zh}”。",
            at="Task.businessStatus",
            detail="order.illegal-move",
        )
    if checks.DONE in items and state not in _SCANNED:
        raise conflict(
            f"An exam that is {en} cannot have been done.",
            f"检查处于“{zh}”，不能记为已完成。",
            at=call.at("item"),
            detail="order.exam-not-done",
        )


async def _radiologist(call: Call, who: str, desk: Desk) -> None:
    person, roles = await person_and_roles(who, desk)
    demand(may("decide-justification", person, roles, desk.now, zone=desk.settings.time_zone), call.at("performer"))


async def _asked_again(call: Call, exam: Stored, who: str, desk: Desk) -> Changes:
    """The new answer as an Observation first; then, when it differs from what was known, the exam judged anew."""
    answer = str(call.value("pregnancy") or "")
    if answer not in known_answers():
        raise unprocessable(
            f"pregnancy is one of {', '.join(known_answers())}.",
            f"pregnancy 须为下列之一：{', '.join(known_answers())}。",
            at=call.at("pregnancy"),
            code="code-invalid",
            detail="order.pregnancy-answer-unknown",
        )
    request = await desk.read(reference_of(exam.resource["focus"]))
    observation = as_observation(exam.resource, answer, who, id=desk.new_id(), now=desk.now)
    if request is None:
        return Changes(save=[Save(observation)])
    known = (await judged(request.resource, desk)).facts.pregnancy
    if known == answer:
        return Changes(save=[Save(observation)])
    # A reassuring answer takes nothing away; nothing takes an emergency's pass away.
    void = answer != NOT_PREGNANT and request.resource.get("priority") != "stat"
    again = await judged_again(request.resource, exam, desk, void=void, also=(observation,))
    told = await holders_told(request.resource, exam, ["supportingInfo"], desk) if void else []
    return Changes(save=[Save(observation), *again.save, *told])
