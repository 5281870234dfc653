"""`$amend`: the next version of a released report is begun as a draft; the released one stays what others see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored
from slipring.staff import Reason

from slipring_report.amending.amendment import Amendment, Kind, amends
from slipring_report.amending.resources import as_draft, as_text
from slipring_report.handlers.asked import target
from slipring_report.reading import code_of, reference_of, request_of
from slipring_report.resources import parameters, reference
from slipring_report.signatures.gathering import Gathered, gathered, signatures_of
from slipring_report.signatures.people import lacking
from slipring_report.visibility import believed
from slipring_report.vocabulary import AMENDMENT_REASON, codes_of

_OPEN = ("registered", "partial", "preliminary")
_TO_EXPLAIN = "other"


async def amendment_begun(call: Call, desk: Desk) -> Changes:
    """Make the draft of the next version: what the released one says, for the author to change."""
    report = await _released_here(call, desk)
    kind, reason, note = _kind(call), _reason(call), str(call.value("note") or "")
    author = await _author(call, desk)
    if await _open_draft(report, desk):
        raise conflict(
            "An amendment of this report is open already; go on with it, or cancel it.",
            "该报告已有未完成的修改稿；请继续完成或先取消。",
            at="DiagnosticReport.extension",
            detail="report.amendment-open",
        )
    parts = await gathered(report, desk)
    sha256 = parts.form().sha256
    amendment = Amendment(report.reference, report.version, sha256, kind, reason, author, note)
    return _begun(parts, amendment, desk)


def _begun(parts: Gathered, amendment: Amendment, desk: Desk) -> Changes:
    saves, composition = [], ""
    if parts.composition:
        text = as_text(parts.composition, amendment.kind, id=desk.new_id())
        composition = f"Composition/{text['id']}"
        saves.append(Save(text))
    draft = as_draft(parts.report, amendment, id=desk.new_id(), composition=composition)
    answer = [("draft", "Reference", reference(f"DiagnosticReport/{draft['id']}"))]
    answer += [("composition", "Reference", reference(composition))] if composition else []
    return Changes(save=[*saves, Save(draft)], require=parts.requires, answer=parameters(*answer))


async def _released_here(call: Call, desk: Desk) -> Stored:
    report = target(call)
    if not believed(report.resource) or not any(e.stands for e in await signatures_of(report.reference, desk)):
        raise conflict(
            f"Only a report released here is amended; this one is {report.resource['status']}.",
            f"只有在本系统发布的报告才能修改；该报告状态为 {report.resource['status']}。",
            at="DiagnosticReport.status",
            detail="report.not-released-here",
        )
    return report


async def _open_draft(report: Stored, desk: Desk) -> bool:
    of_exam = await desk.search(f"DiagnosticReport?based-on={request_of(report.resource)}")
    return any(amends(each.resource) == report.reference and each.resource["status"] in _OPEN for each in of_exam)


def _kind(call: Call) -> str:
    kind = call.value("kind")
    if kind not in get_args(Kind):
        raise unprocessable(
            "kind is amended, corrected or appended.",
            "kind 须为 amended、corrected 或 appended。",
            at=call.at("kind"),
            code="code-invalid",
            detail="report.amendment-kind",
        )
    return str(kind)


def _reason(call: Call) -> Resource:
    reason, known = call.value("reason"), codes_of(AMENDMENT_REASON)
    code = code_of(reason, AMENDMENT_REASON)
    if code not in known:
        raise unprocessable(
            "reason is a code of the code system amendment-reason.",
            "reason 须为 amendment-reason 中的代码。",
            at=call.at("reason"),
            code="code-invalid",
            detail="report.amendment-reason",
        )
    if code == _TO_EXPLAIN and not str(call.value("note") or "").strip():
        raise unprocessable(
            "The reason other is explained in note.",
            "原因为“其他”时须在 note 中说明。",
            at=call.at("note"),
            code="required",
            detail="report.amendment-unexplained",
        )
    return _in_words(dict(reason), f"{known[code]['zh']} {known[code]['en']}")


def _in_words(reason: Resource, words: str) -> Resource:
    """The reason with its own words, for who reads the version and knows no codes."""
    return reason | {
        "coding": [
            {**one, "display": words} if one.get("system") == AMENDMENT_REASON and not one.get("display") else one
            for one in reason["coding"]
        ]
    }


async def _author(call: Call, desk: Desk) -> str:
    """The named person who says why: whoever is signed in, else the one named; somebody who may write reports."""
    person = desk.caller.practitioner or reference_of(call.value("author"))
    lacks = await lacking("draft-report", person, desk)
    if lacks:
        raise FhirError(422, _not_allowed(lacks, call.at("author")))
    return person


def _not_allowed(lacks: Sequence[Reason], at: str) -> list[Issue]:
    return [Issue("business-rule", zh=each.zh, en=each.en, at=at, detail=f"staff.{each.code}") for each in lacks]
