"""The release under one signature: an explicit choice of the signer, with a reason, for a stat exam only."""

from __future__ import annotations

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Wake, successor

from slipring_report.amending.amendment import amends
from slipring_report.emergency.policy import due_within
from slipring_report.emergency.resources import TIMER, as_second_read, second_read_done, timer_key
from slipring_report.reading import code_of, request_of
from slipring_report.resources import coded
from slipring_report.signatures.attempt import OnFile
from slipring_report.visibility import EMERGENCY
from slipring_report.vocabulary import EMERGENCY_REASON, REPORT_TAG, TASK_CODE, codes_of

_PARAMETER = "emergency"


async def emergency_asked(call: Call, on_file: OnFile, desk: Desk) -> Resource | None:
    """The reason for a release under one signature; None when none is asked for. What does not allow it is refused."""
    said = call.value(_PARAMETER)
    if said is None:
        return None
    known, code = codes_of(EMERGENCY_REASON), code_of(said, EMERGENCY_REASON)
    if code not in known:
        raise unprocessable(
            "emergency is a code of the code system emergency-release-reason.",
            "emergency 须为 emergency-release-reason 中的代码。",
            at=call.at(_PARAMETER),
            code="code-invalid",
            detail="report.emergency-reason",
        )
    request = await desk.read(request_of(on_file.report.resource))
    if request is None or request.resource.get("priority") != "stat":
        raise unprocessable(
            "Only the report of a stat exam is released under one signature.",
            "只有急诊（stat）检查的报告才能单签发布。",
            at=call.at(_PARAMETER),
            detail="report.emergency-not-stat",
        )
    if on_file.standing or amends(on_file.report.resource):
        raise conflict(
            "One signature releases a first version that nobody has signed yet; this one goes on with its second signature.",
            "单签发布仅适用于尚未签名的首个版本；此报告请继续第二签名。",
            at=call.at(_PARAMETER),
            detail="report.emergency-first-only",
        )
    return coded(EMERGENCY_REASON, code, known[code]["zh"])


def tagged(report: Resource) -> Resource:
    """The labels of a report released under one signature."""
    meta = report.get("meta", {})
    return {**meta, "tag": [*meta.get("tag", []), {"system": REPORT_TAG, "code": EMERGENCY}]}


def second_read_opened(report: Resource, reason: Resource, signer: str, desk: Desk) -> Changes:
    """The Task of the second reader with its durable deadline."""
    within = due_within()
    task = as_second_read(report, reason, signer, id=desk.new_id(), within=within, now=desk.now)
    key = timer_key(task["id"])
    return Changes(save=[Save(task)], wake=[Wake(TIMER, f"Task/{task['id']}", after=within, key=key)])


async def second_reads_of(report: str, desk: Desk) -> list[Stored]:
    """The second reads of a report that are not done."""
    found = await desk.search(f"Task?focus={report}")
    return [
        one
        for one in found
        if code_of(one.resource.get("code"), TASK_CODE) == "second-read"
        and one.resource["status"] in ("requested", "in-progress")
    ]


async def second_read_closed(report: str, signer: str, desk: Desk) -> Changes:
    """Both signatures stand: the second read is done."""
    open_ones = await second_reads_of(report, desk)
    return Changes(
        save=[successor(one, **second_read_done(one.resource, signer, desk.now)) for one in open_ones],
        cancel=[timer_key(one.resource["id"]) for one in open_ones],
    )
