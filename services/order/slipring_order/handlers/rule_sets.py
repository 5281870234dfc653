"""A set of limits and switches is a draft until a second qualified person makes it active, from a moment on."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, conflict, forbidden, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Write
from slipring.staff import may
from slipring.staff.two_people import approver, content, drafter, signed, who

from slipring_order.judging.rule_set import INDEX, faults, index, is_policy_set, is_rule_set, listed, policy_faults
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import instant, moment


async def plan_written(write: Write, desk: Desk) -> Changes:
    """Check a rule set; other PlanDefinitions, such as protocols, are plain records."""
    before = write.before.resource if write.before else None
    if write.reference == INDEX:
        raise conflict(
            "Which rule sets are active the department writes down itself.",
            "生效规则集一览由科室自动维护。",
            at="PlanDefinition.id",
            detail="order.rule-set-index",
        )
    if not any(is_rule_set(one) or is_policy_set(one) for one in (write.resource, before or {})):
        return Changes.none()
    if write.method == "delete":
        if write.resource.get("status") == "draft":
            return Changes.none()
        raise conflict(
            "A rule set that was in force is kept: retire it.",
            "生效过的规则集须保留：请改为停用（retired）。",
            at="PlanDefinition.status",
            detail="order.rule-set-kept",
        )
    plan = write.resource
    own = is_rule_set(plan)
    if found := faults(plan, desk.settings.limits, desk.now, desk.settings.zone) if own else policy_faults(plan):
        raise FhirError(422, found)
    if before is None or before.get("status") == "draft":
        return await _drafted_or_approved(plan, before, desk)
    return await _retired(plan, before, desk)


async def _drafted_or_approved(plan: Resource, before: Resource | None, desk: Desk) -> Changes:
    if plan.get("status") != "active":
        return Changes(members={"extension": signed(plan, who(desk))})
    if before is None:
        raise unprocessable(
            "A rule set begins as a draft; a second person makes it active.",
            "规则集须先以草稿（draft）提交，再由第二人生效（active）。",
            at="PlanDefinition.status",
            detail="order.rule-set-draft-first",
        )
    _demand_unchanged(plan, before)
    approved_by, drafted_by = await _qualified(desk), drafter(before)
    if approved_by == drafted_by:
        raise forbidden(
            "The person who drafted a rule set does not approve it.",
            "起草人不得自行批准规则集。",
            at="PlanDefinition.status",
            detail="order.rule-set-second-person",
        )
    # What was judged before stays judged: a set is in force from its approval on at the earliest.
    start = moment(plan.get("effectivePeriod", {}).get("start"), desk.settings.zone)
    period = {**plan.get("effectivePeriod", {}), "start": instant(max(start or desk.now, desk.now))}
    return Changes(
        save=await _indexed(plan, desk, add=True),
        members={
            "effectivePeriod": period,
            "approvalDate": desk.now.astimezone(desk.settings.zone).date().isoformat(),
            "extension": signed(plan, drafted_by, approved_by),
        },
    )


async def _retired(plan: Resource, before: Resource, desk: Desk) -> Changes:
    """What was approved may end, and nothing else."""
    _demand_unchanged(plan, before)
    if plan.get("status") not in (before.get("status"), "retired") or (
        plan.get("effectivePeriod") != before.get("effectivePeriod")
    ):
        raise conflict(
            "An approved rule set can only be retired; another is a new draft.",
            "已批准的规则集只能停用；修改须另提交新草稿。",
            at="PlanDefinition.status",
            detail="order.rule-set-fixed",
        )
    saves: list[Save] = []
    if plan.get("status") != before.get("status"):
        await _qualified(desk)
        saves = await _indexed(plan, desk, add=False)
    return Changes(save=saves, members={"extension": signed(plan, drafter(before), approver(before))})


async def _indexed(plan: Resource, desk: Desk, *, add: bool) -> list[Save]:
    """The list of active sets with this one, or without it; what consent judges by is no set of ours."""
    if not is_rule_set(plan):
        return []
    known, own = await desk.read(INDEX), f"PlanDefinition/{plan['id']}"
    others = {one for one in listed(known.resource) if one != own} if known else set()
    return [Save(index(others | ({own} if add else set())), replaces=known.version if known else None)]


def _demand_unchanged(plan: Resource, before: Resource) -> None:
    if _content(plan) != _content(before):
        raise unprocessable(
            "What is made active must be what was drafted: change the draft first, or post a new one.",
            "生效内容须与草稿一致：请先修改草稿，或另提交新草稿。",
            at="PlanDefinition.extension",
            detail="order.rule-set-changed-on-approval",
        )


async def _qualified(desk: Desk) -> str:
    """Who approves: the caller in person, entitled to; 403 with what is lacking."""
    if not desk.caller.practitioner:
        raise forbidden(
            "A rule set is approved by a person who is signed in.",
            "规则集须由本人登录批准。",
            at="PlanDefinition.status",
            detail="order.rule-set-person",
        )
    person, roles = await person_and_roles(desk.caller.practitioner, desk)
    lacks = may("approve-limits", person, roles, desk.now, zone=desk.settings.time_zone)
    demand(lacks, "PlanDefinition.status")
    return desk.caller.practitioner


def _content(plan: Resource) -> Resource:
    return content(plan, "effectivePeriod")
