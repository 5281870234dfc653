"""What a conference came to goes into the report: into a draft's text, or as a proposal to append to a released one (5.6.1)."""

from __future__ import annotations

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, successor

from slipring_report.conference.resources import with_result
from slipring_report.handlers.amending import amendment_begun
from slipring_report.lifecycle import DRAFT
from slipring_report.reading import composition_of
from slipring_report.visibility import believed
from slipring_report.vocabulary import AMENDMENT_REASON

_REASON = {"coding": [{"system": AMENDMENT_REASON, "code": "conference"}]}


async def folded(report: Stored, result: str, on: str, who: str, desk: Desk) -> Changes:
    """The changes that bring a result into a report; signed text is never touched, it is refused or amended.

    A draft's text gets a section; of a released report an amendment of kind `appended` is begun, for its author to sign.
    """
    if report.resource["status"] in DRAFT:
        return await _into_draft(report, result, on, desk)
    if not believed(report.resource):
        raise conflict(
            f"A report that is {report.resource['status']} takes no result of a conference: wait for its release, or do not fold it in.",
            f"状态为 {report.resource['status']} 的报告不能写入讨论意见：请待其发布，或选择不写入。",
            at="DiagnosticReport.status",
            detail="report.conference-not-folded",
        )
    return await _appended(report, result, on, who, desk)


async def _into_draft(report: Stored, result: str, on: str, desk: Desk) -> Changes:
    named = composition_of(report.resource)
    text = await desk.read(named) if named else None
    if text is None:
        raise conflict(
            "This draft has no text yet to which the result could be added.",
            "该草稿尚无正文，无法写入讨论意见。",
            at="DiagnosticReport.extension",
            detail="report.conference-no-text",
        )
    return Changes(save=[successor(text, section=with_result(text.resource, result, on)["section"])])


async def _appended(report: Stored, result: str, on: str, who: str, desk: Desk) -> Changes:
    asked: Resource = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "kind", "valueCode": "appended"},
            {"name": "reason", "valueCodeableConcept": _REASON},
            {"name": "author", "valueReference": {"reference": who}},
        ],
    }
    begun = await amendment_begun(Call(asked, report), desk)
    saves = [
        Save(with_result(save.resource, result, on)) if save.resource["resourceType"] == "Composition" else save
        for save in begun.save
    ]
    return Changes(save=saves, require=begun.require, answer=begun.answer)


def draft_of(changes: Changes) -> str:
    """The draft that an appended result is in; '' where it went into a draft that was there."""
    made = (save.resource["id"] for save in changes.save if save.resource["resourceType"] == "DiagnosticReport")
    return next((f"DiagnosticReport/{one}" for one in made), "")
