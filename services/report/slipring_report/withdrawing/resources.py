"""The withdrawn report: a banner in place of its content, and the nonconformity that is opened."""

from __future__ import annotations

from datetime import datetime
from html import escape

from slipring.fhir.service import Resource
from slipring.quality import life

from slipring_report.rendering.html import as_attachment
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE, WITHDRAWAL, WITHDRAWAL_REASON

# What a report says of the patient; its text and its results are hidden with it.
CONTENT = ("conclusion", "conclusionCode", "presentedForm", "media", "text")
_ZH = "本报告已撤回（错误录入），内容已隐藏，不得使用。"
_EN = "This report was withdrawn as entered in error. Its content is hidden; do not use it."


def as_withdrawal(reason: Resource, by: str, now: datetime) -> Resource:
    """The extension that says why, by whom and when."""
    return {
        "url": WITHDRAWAL,
        "extension": [
            {"url": "reason", "valueCodeableConcept": reason},
            {"url": "by", "valueReference": reference(by)},
            {"url": "at", "valueInstant": written(now)},
        ],
    }


def as_banner(reason: str, now: datetime) -> Resource:
    """What stands in place of the rendering."""
    body = f"<h1>{_ZH}</h1><h1>{_EN}</h1><p>{escape(reason)}</p><p>{written(now)}</p>"
    head = '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>CT</title></head>'
    return as_attachment(f"{head}<body>{body}</body></html>".encode(), title="已撤回 withdrawn", creation=written(now))


def withdrawn_members(report: Resource, withdrawal: Resource, status: str, now: datetime) -> Resource:
    """The members of the withdrawn report; None takes one away."""
    [reason] = [part["valueCodeableConcept"] for part in withdrawal["extension"] if part["url"] == "reason"]
    words = next((str(coding.get("display", "")) for coding in reason["coding"]), "") or str(reason.get("text", ""))
    return {
        **dict.fromkeys(CONTENT),
        "status": status,
        "extension": [*report.get("extension", []), withdrawal],
        "presentedForm": [as_banner(words, now)],
    }


def as_nonconformity(report: Resource, reason: Resource, note: str, by: str, *, id: str, now: datetime) -> Resource:
    """Opened with the withdrawal; cause, action and effect follow (CL02-A011:4.9)."""
    code = next(coding["code"] for coding in reason["coding"] if coding["system"] == WITHDRAWAL_REASON)
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "intent": "order",
        "code": coded(TASK_CODE, "nonconformity"),
        "focus": reference(f"DiagnosticReport/{report['id']}"),
        "description": f"报告撤回 report withdrawn: {code}{': ' + note if note else ''}",
        "authoredOn": written(now),
        "requester": reference(by),
        "reasonCode": reason,
        **life.members(life.OPENED, now),
    }
    return {**task, **({"for": report["subject"]} if "subject" in report else {})}
