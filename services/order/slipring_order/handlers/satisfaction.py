"""A questionnaire of satisfaction comes in: its points within the scale, its day known, and a complaint in it is registered (4.8)."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict
from slipring.fhir.service import Changes, Desk, Save, Write

from slipring_order.eqa.form import is_round
from slipring_order.grading.graded import is_sheet
from slipring_order.handlers.eqa import eqa_written
from slipring_order.handlers.forms import response_written, when_filled
from slipring_order.handlers.grading import sheet_written
from slipring_order.nonconformity import department_task
from slipring_order.satisfaction.answered import COMPLAINT, kind_of, points_of, questions, sheet, words_of

_CLAUSE = "CL02-A011:4.8"
_DONE = ("completed", "amended")


async def response_taken(write: Write, desk: Desk) -> Changes:
    """A questionnaire of satisfaction, a grading sheet, a round of comparison, or any other answer."""
    held = [write.resource, *([write.before.resource] if write.before else [])]
    if any(map(is_sheet, held)):
        return await sheet_written(write, desk)
    if any(map(is_round, held)):
        return await eqa_written(write, desk)
    return await (opinion_written if any(map(kind_of, held)) else response_written)(write, desk)


async def opinion_written(write: Write, desk: Desk) -> Changes:
    """Refuse points beside the scale, and open one complaint for what is complained of in words."""
    was = write.before.resource if write.before else {}
    if write.method == "delete" or not kind_of(write.resource):
        raise conflict(
            "A filled questionnaire is a record of the department and stays one.",
            "已填写的问卷为科室记录，不可删除，也不得改作他用。",
            at="QuestionnaireResponse",
            detail="order.opinion-is-kept",
        )
    if write.resource.get("status") not in _DONE:
        return Changes.none()
    issues = [*_beside_the_scale(write), *([] if write.imported else when_filled(write.resource, desk))]
    if issues:
        raise FhirError(422, issues)
    complains = words_of(write.resource) and not (was.get("status") in _DONE and words_of(was))
    if not complains or write.imported:
        return Changes.none()
    complaint = department_task(
        "complaint",
        id=desk.new_id(),
        zh="满意度问卷中的投诉，内容见问卷。",
        en="A complaint in a questionnaire of satisfaction; its words stand there.",
        clause=_CLAUSE,
        about=write.reference,
        now=desk.now,
        evidence=[write.reference],
    )
    return Changes(save=[Save(complaint)])


def _beside_the_scale(write: Write) -> list[Issue]:
    kind, (least, most) = kind_of(write.resource), (sheet()["least"], sheet()["most"])
    known, points = questions(kind), points_of(write.resource)
    return [
        Issue(
            "value",
            zh=f"每题为 {least} 至 {most} 分的整数，且须为问卷中的题目。",
            en=f"Each answer is a whole number from {least} to {most}, to a question of the questionnaire.",
            at=f"QuestionnaireResponse.item[{place}]",
            detail="order.opinion-points",
        )
        for place, item in enumerate(write.resource.get("item", []))
        if (link := str(item.get("linkId"))) != COMPLAINT
        and (link not in known or (item.get("answer") and not least <= points.get(link, least - 1) <= most))
    ]
