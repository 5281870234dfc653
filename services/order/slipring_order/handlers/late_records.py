"""An exam that was carried out without permission is recorded afterwards: always stored, never silently."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, forbidden
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored

from slipring_order import resources
from slipring_order.life import late
from slipring_order.life.moving import exam_follows
from slipring_order.reading import reference_of

_CLAUSE = "CL02-A011:5.4.1"


async def recorded_late(task: Resource, before: Stored, was: str, target: str, desk: Desk) -> Changes:
    """Store what happened under a named person and a reason, and open a nonconformity; else keep what was sent."""
    if not desk.caller.has(late.RECORD_LATE):
        refusal = forbidden(
            f"An exam carried out without permission is recorded by somebody who holds {late.RECORD_LATE}; what was sent is kept for him.",
            f"未经许可已进行的检查须由具有 {late.RECORD_LATE} 权限的人员补录；所发内容已留存待其补全。",
            at="Task.businessStatus",
            detail="order.late-record",
        )
        return Changes(save=await late.kept(task, desk), refuse=refusal)
    who = reference_of(task.get("owner")) or desk.caller.practitioner or ""
    _demand_name_and_reason(task, before.resource, who)
    members = {**resources.state_members(target, desk.now), "statusReason": task.get("statusReason")}
    saves = [
        Save(late.unpermitted(task, was, who, _CLAUSE, desk)),
        *await exam_follows(before, target, desk, task["executionPeriod"], who=who),
    ]
    return Changes(members=members, save=saves)


def _demand_name_and_reason(task: Resource, before: Resource, who: str) -> None:
    issues = []
    if not who:
        issues.append(
            Issue(
                "required",
                zh="补录须注明负责人。",
                en="A late record names who answers for it.",
                at="Task.owner",
                detail="order.late-record-unnamed",
            )
        )
    # What stands there already is why the exam was held, and no reason for the late record.
    if not task.get("statusReason") or task["statusReason"] == before.get("statusReason"):
        issues.append(
            Issue(
                "required",
                zh="补录须注明原因。",
                en="A late record has a reason.",
                at="Task.statusReason",
                detail="order.late-record-reason",
            )
        )
    if issues:
        raise FhirError(422, issues)
