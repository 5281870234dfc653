"""Nobody signs while what order found in the images may still be on its way (mechanisms: copies have an age)."""

from __future__ import annotations

from slipring.fhir.copies import seconds_behind
from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import busy
from slipring.fhir.service import CANONICAL, Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_report.reading import request_of
from slipring_report.resources import reference, written

COPIES_FRESH = "report.copies-fresh"
_RETRY_SECONDS = 2  # copies are dated every two seconds
_PASSED = {
    "coding": [{"system": f"{CANONICAL}/CodeSystem/override-reason", "code": "emergency", "display": "Emergency"}],
    "text": "急诊：签名医师承担，未等待数据同步。",
}


async def stale_copies(report: Stored, desk: Desk) -> Finding | None:
    """What a signer takes upon himself when copies are too old: 503, unless the exam is an emergency."""
    behind = await seconds_behind("order", desk.settings.copy_max_age, desk)
    if not behind:
        return None
    if not await _emergency(report, desk):
        raise busy(
            f"order is {behind} s behind here: what it found in the images of this exam may not have arrived yet. Please try again.",
            f"此处 order 的数据滞后 {behind} 秒，该检查的图像核对结果可能尚未到达，请稍后重试。",
            retry_after_seconds=_RETRY_SECONDS,
            detail="report.copies-fresh",
        )
    zh = f"此处 order 的数据滞后 {behind} 秒，该检查的图像核对结果可能尚未到达。"
    en = f"order is {behind} s behind here: what it found in the images of this exam may not have arrived yet."
    at = "DiagnosticReport.basedOn"
    return Finding(COPIES_FRESH, "1", "CL02-A011:5.6.2.3", Weight.STOP, zh, en, at, {"behind_s": behind})


def passed_by(signer: str, finding: Finding, report: Stored, subject: str, desk: Desk) -> Save:
    """That somebody signed an emergency on copies that were too old, in his name."""
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=report.reference, now=desk.now)
    done = {"action": _PASSED, "date": written(desk.now), "author": reference(signer)}
    return Save({**issue, "mitigation": [done]})


async def _emergency(report: Stored, desk: Desk) -> bool:
    request: Stored | None = await desk.read(request_of(report.resource)) if request_of(report.resource) else None
    held: Resource = request.resource if request else {}
    return bool(held.get("priority") == "stat")
