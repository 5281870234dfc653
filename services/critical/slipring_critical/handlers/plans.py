"""What the department lays down for critical findings: drafted by one, in force once a second person stands for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.quality.critical_catalogue import CATALOGUE, in_force
from slipring.quality.critical_catalogue import IN_FORCE as EDITIONS
from slipring.quality.critical_catalogue import faults as catalogue_faults
from slipring.staff.two_people import approver, content, drafter, signed, who

from slipring_critical.channels.media import media
from slipring_critical.directory.people import lacking
from slipring_critical.directory.policy import findings_in_force
from slipring_critical.ladders.record import LADDER, kind_of, moment
from slipring_critical.ladders.record import faults as ladder_faults

_STATUS = "PlanDefinition.status"


async def plan_written(write: Write, desk: Desk) -> Changes:
    """Check a ladder or an edition of the catalogue when it is saved.

    It runs from the moment a second qualified person made it active, till it is retired.
    """
    plan, before = write.resource, write.before.resource if write.before else None
    if not {kind_of(plan), kind_of(before or {})} & {LADDER, CATALOGUE}:
        return Changes.none()  # other plans are plain records
    if before is not None and kind_of(before) != kind_of(plan):
        raise conflict(
            "What a plan lays down stays the same: retire it and draft another.",
            "策略类型不可更改：请停用后另行起草。",
            at="PlanDefinition.type",
            detail="critical.plan-type",
        )
    if write.method == "delete":
        return _deleted(plan)
    if issues := await _faults(plan, desk):
        raise FhirError(422, issues)
    if before is None or before.get("status") == "draft":
        return await _drafted_or_approved(plan, before, desk)
    return await _retired(plan, before, desk)


async def _faults(plan: Resource, desk: Desk) -> Sequence[Issue]:
    kind = kind_of(plan)
    if kind == CATALOGUE:
        editions = [one for one in await desk.search(EDITIONS) if one.reference != f"PlanDefinition/{plan['id']}"]
        return list(catalogue_faults(plan, in_force(editions, desk.now)))
    rings = [medium.code for medium in media().values() if medium.rings]
    return list(ladder_faults(plan, rings, (await findings_in_force(desk)).keys()))


def _deleted(plan: Resource) -> Changes:
    if plan.get("status") == "draft":
        return Changes.none()
    raise conflict(
        "What was in force is kept: retire it.",
        "生效过的策略须保留：请改为停用（retired）。",
        at=_STATUS,
        detail="critical.plan-kept",
    )


async def _drafted_or_approved(plan: Resource, before: Resource | None, desk: Desk) -> Changes:
    if plan.get("status") != "active":
        return Changes(members={"extension": signed(plan, who(desk))})
    if before is None:
        raise unprocessable(
            "It begins as a draft; a second person makes it active.",
            "须先以草稿（draft）提交，再由第二人生效（active）。",
            at=_STATUS,
            detail="critical.plan-draft-first",
        )
    _demand_unchanged(plan, before)
    approved_by = await _qualified(desk)
    if approved_by == drafter(before):
        raise forbidden(
            "Whoever drafted it does not approve it.",
            "起草人不得自行批准。",
            at=_STATUS,
            detail="critical.plan-second-person",
        )
    return Changes(
        members={
            "effectivePeriod": _from_now(plan.get("effectivePeriod", {}), desk),
            "approvalDate": desk.now.astimezone(desk.settings.zone).date().isoformat(),
            "extension": signed(plan, drafter(before), approved_by),
        }
    )


def _from_now(period: Mapping[str, str], desk: Desk) -> Mapping[str, str]:
    """In force from its approval on at the earliest: cases that were opened before keep their own."""
    now = desk.now.isoformat(timespec="milliseconds")
    start = moment(period.get("start"))
    return {**period, "start": period["start"] if start is not None and start > desk.now else now}


async def _retired(plan: Resource, before: Resource, desk: Desk) -> Changes:
    """What was approved may end, and nothing else."""
    _demand_unchanged(plan, before)
    same = plan.get("effectivePeriod") == before.get("effectivePeriod")
    if plan.get("status") not in (before.get("status"), "retired") or not same:
        raise conflict(
            "What was approved can only be retired; another is a new draft.",
            "已批准的策略只能停用；修改须另提交新草稿。",
            at=_STATUS,
            detail="critical.plan-fixed",
        )
    if plan.get("status") != before.get("status"):
        await _qualified(desk)
    return Changes(members={"extension": signed(plan, drafter(before), approver(before))})


def _demand_unchanged(plan: Resource, before: Resource) -> None:
    if content(plan, "effectivePeriod") != content(before, "effectivePeriod"):
        raise unprocessable(
            "What is made active must be what was drafted: change the draft first, or post a new one.",
            "生效内容须与草稿一致：请先修改草稿，或另提交新草稿。",
            at="PlanDefinition.action",
            detail="critical.plan-changed-on-approval",
        )


async def _qualified(desk: Desk) -> str:
    """Who approves: the caller in person, entitled to; 403 with what is lacking."""
    person = desk.caller.practitioner or ""
    if not person:
        raise forbidden(
            "It is approved by a person who is signed in.",
            "须由本人登录批准。",
            at=_STATUS,
            detail="critical.plan-person",
        )
    lacks = await lacking(desk, "approve-limits", person)
    if lacks:
        raise FhirError(
            403, [Issue("forbidden", zh=r.zh, en=r.en, at=_STATUS, detail=f"staff.{r.code}") for r in lacks]
        )
    return person
