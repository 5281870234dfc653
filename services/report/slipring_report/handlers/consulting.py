"""`DiagnosticReport/$consult`, `Communication/$answer`, `Task/$hand-out-images`: asked, answered, handed out, by whom and when."""

from __future__ import annotations

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource, Save, Stored, successor

from slipring_report.consulting.resources import CONSULTATION, as_answer, as_message
from slipring_report.handlers.asked import target
from slipring_report.handlers.claims import reading_called
from slipring_report.reading import code_of, reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.vocabulary import MESSAGE_CATEGORY
from slipring_report.worklist.carrying import codes_of
from slipring_report.worklist.people import person_acting, person_behind
from slipring_report.worklist.work_task import code_in, text_of

_NO_IMAGES = frozenset({"cancelled", "entered-in-error"})


async def consultation_asked(call: Call, desk: Desk) -> Changes:
    """Ask somebody about a report: a colleague about a draft, the department about one that is out."""
    report = target(call)
    who = await person_acting(call, desk)
    question = text_of(call, "question", "say what is asked.", "请写明会诊问题。")
    asked = call.value("of")
    if not reference_of(asked) or await desk.read(reference_of(asked)) is None:
        raise unprocessable(
            "of names who is asked: a Practitioner or PractitionerRole that is known here.",
            "of 须注明被邀请者：此处已知的 Practitioner 或 PractitionerRole。",
            at=call.at("of"),
            code="required",
            detail="report.consultation-of-nobody",
        )
    message = as_message(
        desk.new_id(),
        CONSULTATION,
        report.reference,
        report.resource,
        sender=who,
        recipient=reference(reference_of(asked)),
        text=question,
        now=desk.now,
        completed=False,
    )
    return Changes(save=[Save(message)], answer=parameters(("return", "resource", message)))


async def consultation_answered(call: Call, desk: Desk) -> Changes:
    """Answer a question; by the person that was asked, once."""
    question = _question(call)
    who = await person_acting(call, desk)
    answer = text_of(call, "answer", "say what is answered.", "请写明会诊意见。")
    asked = [await person_behind(reference_of(one), desk) for one in question.resource.get("recipient", [])]
    if who not in asked:
        raise unprocessable(
            "A question is answered by whoever was asked.",
            "会诊问题须由被邀请者答复。",
            at=call.at("by"),
            detail="report.consultation-not-asked",
        )
    message = as_answer(desk.new_id(), question.resource, sender=who, text=answer, now=desk.now)
    done = successor(question, status="completed", received=written(desk.now))
    return Changes(save=[done, Save(message)], answer=parameters(("return", "resource", message)))


async def images_handed_out(call: Call, desk: Desk) -> Changes:
    """Record that the images of an exam were handed out or made available: which, on what, to whom."""
    task = reading_called(call)
    who, medium = await person_acting(call, desk), code_in(call, "medium", codes_of("image-medium"))
    to = call.value("to")
    if not isinstance(to, dict) or not (to.get("reference") or str(to.get("display", "")).strip()):
        raise unprocessable(
            "to names who received the images: a Reference, or its display.",
            "to 须注明图像接收者：引用或姓名（display）。",
            at=call.at("to"),
            code="required",
            detail="report.images-to-nobody",
        )
    studies = await _studies(task, desk)
    if not studies:
        raise conflict(
            "No images of this exam are on record, so none can be handed out.",
            "该检查尚无图像记录，无法登记发放。",
            at="Task.focus",
            detail="report.no-images",
        )
    handed = _handed(task.resource, studies, to, who, medium, call, desk)
    return Changes(save=[Save(handed)], answer=parameters(("return", "resource", handed)))


def _handed(
    task: Resource, studies: list[Stored], to: Resource, who: str, medium: str, call: Call, desk: Desk
) -> Resource:
    message = as_message(
        desk.new_id(),
        "images-handed-out",
        "",
        {"basedOn": [task["focus"]], "for": task.get("for")},
        sender=who,
        recipient=to,
        text=str(call.value("note") or "").strip() or "-",
        now=desk.now,
        completed=True,
    )
    message["about"] = [reference(one.reference) for one in studies]
    message["reasonCode"] = [{"coding": [{"system": f"{CANONICAL}/CodeSystem/image-medium", "code": medium}]}]
    return message


async def _studies(task: Stored, desk: Desk) -> list[Stored]:
    request = reference_of(task.resource.get("focus"))
    found = await desk.search(f"ImagingStudy?basedon={request}") if request else []
    return [one for one in found if one.resource.get("status") not in _NO_IMAGES]


def _question(call: Call) -> Stored:
    message = call.target
    asks = message is not None and any(
        code_of(one, MESSAGE_CATEGORY) == CONSULTATION for one in message.resource.get("category", [])
    )
    if message is None or not asks or "inResponseTo" in message.resource or not message.resource["id"].startswith("r-"):
        raise unprocessable(
            "This is called on the question of a consultation.",
            "该操作须针对会诊问题调用。",
            at="Communication.category",
            detail="report.no-question",
        )
    if message.resource["status"] != "in-progress":
        raise conflict(
            "This question has been answered.",
            "该会诊问题已答复。",
            at="Communication.status",
            detail="report.consultation-answered",
        )
    return message
