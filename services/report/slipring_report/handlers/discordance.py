"""The procedure where imaging is unclear or contradicts clinic or pathology: opened, clinic contacted, repeat, outcome (5.9.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored

from slipring_report import discordance
from slipring_report.consulting.resources import as_message
from slipring_report.handlers.asked import target
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.visibility import believed
from slipring_report.worklist.carrying import codes_of, first, said
from slipring_report.worklist.people import acting
from slipring_report.worklist.states import life
from slipring_report.worklist.work_task import as_work, code_in, moved, text_of, timer_of, watched, within, work_called

LIFE = life("discordance", "discordance-state", Path(discordance.__file__).with_name("life.toml"))
CODE = "discordance"
OPENS, CONCLUDES = "draft-report", "sign-report"  # acts of slipring.staff
_TITLES = ("影像与临床或病理不符的处理", "discordance with clinic or pathology")
_CLAUSE = "CL02-A011:5.9.1"
_AMENDED = frozenset({"amended", "corrected", "appended"})


async def discordance_opened(call: Call, desk: Desk) -> Changes:
    """Say that imaging is unclear, or contradicts clinic or pathology in site or nature of the lesion."""
    report = target(call)
    who, kind = await acting(call, desk, OPENS), code_in(call, "kind", codes_of("discordance-kind"))
    aspect = code_in(call, "aspect", codes_of("discordance-aspect"), unless="both" if kind == "image-unclear" else "")
    words = text_of(call, "description", "say what is unclear or does not agree.", "请说明不清或不符之处。")
    for one in await desk.search(f"Task?code={CODE}&focus={report.reference}&status=ready,in-progress"):
        if first(one.resource, "discordance-kind") == kind:
            raise conflict(
                f"{one.reference} of this kind is open already; go on with it.",
                f"该报告已有同类未结的不符处理（{one.reference}），请在其中继续。",
                at=call.at("kind"),
                detail="report.discordance-open",
            )
    members: dict[str, Any] = {
        **LIFE.members(LIFE.after("none", "open"), ("reporting-clock", "running")),
        "requester": reference(who),
        "description": words,
        "input": [said("discordance-kind", valueCode=kind), said("discordance-aspect", valueCode=aspect)],
    }
    span = within(desk, "discordance.hours")
    task = as_work(desk.new_id(), CODE, _TITLES, report.resource, members, clause=_CLAUSE, now=desk.now, within=span)
    return Changes(save=[Save(task)], wake=[watched(task, span)], answer=parameters(("return", "resource", task)))


async def clinic_contacted(call: Call, desk: Desk) -> Changes:
    """The clinic was spoken to: with whom, by which way, what was said; kept as a Communication."""
    task = work_called(call, CODE)
    who, medium = await acting(call, desk, OPENS), code_in(call, "medium", codes_of("contact-medium"))
    words = text_of(call, "said", "say what was talked about.", "请说明沟通内容。")
    with_whom = _with_whom(call)
    message = as_message(
        desk.new_id(),
        "discordance",
        reference_of(task.resource["focus"]),
        task.resource,
        sender=who,
        recipient=with_whom,
        text=words,
        medium=medium,
        part_of=task.reference,
        now=desk.now,
        completed=True,
    )
    contact = said("contact", valueReference=reference(f"Communication/{message['id']}"))
    return _stepped(task, "contact", [contact], desk).plus(Changes(save=[Save(message)]))


async def repeat_asked(call: Call, desk: Desk) -> Changes:
    """The exam is to be repeated, or added to: why, and the request for it once there is one."""
    task = work_called(call, CODE)
    who = await acting(call, desk, OPENS)
    why = text_of(call, "reason", "say what the repeat is to show.", "请说明重复检查的目的。")
    outputs = [said("repeat-asked", valueString=f"{written(desk.now)} {who}: {why}")]
    if call.value("request") is not None:
        outputs.append(
            said("repeat-request", valueReference=reference(await _same_person(call, "request", task, desk)))
        )
    return _stepped(task, "ask-repeat", outputs, desk)


async def discordance_concluded(call: Call, desk: Desk) -> Changes:
    """What it came to: the report stands, was amended, or the repeated exam has answered; by somebody who signs alone."""
    task = work_called(call, CODE)
    who, outcome = await acting(call, desk, CONCLUDES), code_in(call, "outcome", codes_of("discordance-outcome"))
    note = text_of(call, "note", "say what it came to, and why.", "请说明结论与理由。")
    LIFE.after(
        LIFE.state_of(task.resource), "conclude"
    )  # what the clinic was not asked comes before what the outcome needs
    outputs = [
        said("discordance-outcome", valueCode=outcome),
        said("done-by", valueReference=reference(who)),
        said("done-at", valueInstant=written(desk.now)),
        said("note", valueString=note),
    ]
    if outcome == "report-amended":
        await _demand_amended(call, task, desk)
    if outcome == "repeat-answered":
        evidence = await _same_person(call, "evidence", task, desk)
        outputs.append(said("evidence", valueReference=reference(evidence)))
    return _stepped(task, "conclude", outputs, desk).plus(Changes(cancel=[timer_of(task.reference)]))


def _stepped(task: Stored, event: str, outputs: list[Resource], desk: Desk) -> Changes:
    state = LIFE.after(LIFE.state_of(task.resource), event)
    done = moved(task.resource, LIFE, state, *outputs, now=desk.now)
    return Changes(save=[Save(done, replaces=task.version)], answer=parameters(("return", "resource", done)))


def _with_whom(call: Call) -> Resource:
    """Who was spoken to: a reference, or a name where the clinic's person is not on the register."""
    named = call.value("with")
    if isinstance(named, dict) and (named.get("reference") or str(named.get("display", "")).strip()):
        return named
    raise unprocessable(
        "with names who was spoken to: a Reference, or its display.",
        "with 须注明沟通对象：引用或姓名（display）。",
        at=call.at("with"),
        code="required",
        detail="report.contact-unnamed",
    )


async def _same_person(call: Call, name: str, task: Stored, desk: Desk) -> str:
    """A resource that is known here and is about the same person."""
    named = reference_of(call.value(name))
    found = await desk.read(named) if named else None
    people = await merge_set(reference_of(task.resource.get("for")), desk)
    if found is None or reference_of(found.resource.get("subject")) not in people:
        raise unprocessable(
            f"{name} names a resource of the same patient that is known here.",
            f"{name} 须引用此处已知的同一患者的资源。",
            at=call.at(name),
            code="not-found",
            detail="report.discordance-evidence",
        )
    return named


async def _demand_amended(call: Call, task: Stored, desk: Desk) -> None:
    report = await desk.read(reference_of(task.resource["focus"]))
    tree = report.resource if report else {}
    later = str(tree.get("issued", "")) > str(task.resource["authoredOn"])
    if not believed(tree) or tree.get("status") not in _AMENDED or not later:
        raise unprocessable(
            "The report was not released anew since this was opened: amend it first, or conclude otherwise.",
            "自本次处理开始后报告未重新发布：请先修改报告，或作其他结论。",
            at=call.at("outcome"),
            detail="report.discordance-not-amended",
        )
