"""A grading sheet of images comes in: whole, about an exam that was scanned here, by somebody who did not make it (5.6.2.3)."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict
from slipring.fhir.service import Changes, Desk, Resource, Save, Write, successor

from slipring_order import resources
from slipring_order.grading.drawing import CASE, answered
from slipring_order.grading.graded import answers, is_sheet, questions
from slipring_order.handlers.forms import when_filled
from slipring_order.lifecycle import SCANNED
from slipring_order.reading import reference_of

_DONE = ("completed", "amended")


async def sheet_written(write: Write, desk: Desk) -> Changes:
    """Refuse a sheet that is not whole, of no day or no exam, or by whoever made the images; a case drawn for it is ended."""
    if write.method == "delete" or not is_sheet(write.resource):
        raise conflict(
            "A filled-in grading sheet is a record of the department and stays one.",
            "已填写的评分表为科室记录，不可删除，也不得改作他用。",
            at="QuestionnaireResponse",
            detail="order.grading-is-kept",
        )
    if write.resource.get("status") in _DONE and not write.imported:
        issues = [
            *_unanswered(write.resource),
            *when_filled(write.resource, desk),
            *await _of_whom(write.resource, desk),
        ]
        if issues:
            raise FhirError(422, issues)
        return Changes(save=await _case_ended(write, desk))
    return Changes.none()


async def _case_ended(write: Write, desk: Desk) -> list[Save]:
    """The cases of a draw that waited for this sheet by this grader."""
    request, author = reference_of(write.resource.get("subject")), reference_of(write.resource.get("author"))
    waiting = f"Task?code={resources.TASK_CODE_SYSTEM}|{CASE}&focus={request}&owner={author}&status=requested"
    cases = [one for one in await desk.search(waiting) if not one.source]
    return [successor(one, **answered(write.reference, desk.now)) for one in cases]


def _unanswered(sheet: Resource) -> list[Issue]:
    said = answers(sheet)
    return [
        Issue(
            "required",
            zh=f"请以是或否回答：{one['zh']}。",
            en=f"Answer with yes or no: {one['en']}.",
            at=f"QuestionnaireResponse.item.where(linkId='{code}')",
            detail="order.grading-unanswered",
        )
        for code, one in questions().items()
        if code not in said
    ]


async def _of_whom(sheet: Resource, desk: Desk) -> list[Issue]:
    request, author = reference_of(sheet.get("subject")), reference_of(sheet.get("author"))
    found = await desk.search(f"Task?code={resources.TASK_CODE_SYSTEM}|exam&focus={request}") if "/" in request else []
    scanned = [one.resource for one in found if resources.state_of(one.resource) in SCANNED]
    issues = []
    if not scanned:
        issues.append(
            Issue(
                "business-rule",
                zh="评分须针对本科已采集的检查（subject 为其 ServiceRequest）。",
                en="A sheet is of an exam that was acquired here: subject is its ServiceRequest.",
                at="QuestionnaireResponse.subject",
                detail="order.grading-no-exam",
            )
        )
    makers = {reference_of(one.get("owner")) for one in scanned}
    if not author.startswith("Practitioner") or author in makers:
        issues.append(
            Issue(
                "business-rule",
                zh="评分须具名，且不得由该检查的操作者评分。",
                en="Whoever grades is named, and did not make the exam.",
                at="QuestionnaireResponse.author",
                detail="order.grading-own",
            )
        )
    return issues
