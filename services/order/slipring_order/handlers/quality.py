"""Nonconformities and complaints move along their table, each step with what it needs (4.8, 4.9-4.12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.rules.lifecycle import IllegalMove, towards
from slipring.staff import may

from slipring_order.department import quality
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import instant, moment, reference_of


def is_quality_task(task: Resource) -> bool:
    """Whether a Task is a nonconformity or a complaint."""
    return bool(quality.kind_of(task))


async def quality_written(write: Write, desk: Desk) -> Changes:
    """Open a nonconformity or complaint, or move it one step."""
    kind = quality.kind_of(write.before.resource if write.before else write.resource)
    if write.before is None:
        return _opened(write.resource, desk)
    if quality.kind_of(write.resource) != kind:
        raise _fixed("code")
    for member in ("focus", "authoredOn", "description"):
        if write.before.resource.get(member) != write.resource.get(member):
            raise _fixed(member)
    if quality.state_of(write.before.resource) == "carried-out" and write.before.resource.get(
        "owner"
    ) != write.resource.get("owner"):
        raise _fixed("owner")
    was, target = quality.state_of(write.before.resource), quality.state_of(write.resource)
    if was == target:
        return Changes(members=quality.members(was, _no_earlier(write.resource, desk)))
    try:
        towards(quality.table(kind), was, target)
    except IllegalMove as refused:
        raise _illegal(refused) from refused
    wanted = quality.demand(kind, was, target)
    if places := quality.lacking(write.resource, wanted):
        raise FhirError(422, [_needed(place) for place in places])
    if wanted.another:
        await _demand_another(write.resource, desk)
    return Changes(members=quality.members(target, _no_earlier(write.resource, desk)))


def _opened(task: Resource, desk: Desk) -> Changes:
    if not str(task.get("description", "")).strip():
        raise FhirError(422, [_needed("Task.description")])
    if quality.state_of(task) != quality.OPENED:
        raise unprocessable(
            "A new record begins as opened.",
            "新记录须从“已登记”开始。",
            at="Task.businessStatus",
            detail="order.quality-begins-opened",
        )
    given: dict[str, Any] = quality.members(quality.OPENED, desk.now)
    return Changes(members=given | {"authoredOn": task.get("authoredOn") or instant(desk.now)})


async def _demand_another(task: Resource, desk: Desk) -> None:
    """The effect is verified by a named person who may, and who is not the one that carried it out."""
    at = "Task.output.where(type.coding.code='verifier')"
    said = quality.told(task, "output", "verifier")
    named = desk.caller.practitioner or reference_of(said if isinstance(said, dict) else None)
    person, roles = await person_and_roles(named, desk)
    owner, _ = await person_and_roles(reference_of(task.get("owner")), desk)
    if person is not None and owner is not None and person["id"] == owner["id"]:
        raise unprocessable(
            "The effect is verified by somebody else than who carried the action out.",
            "效果须由措施执行人以外的人员验证。",
            at=at,
            detail="order.quality-verified-by-another",
        )
    lacks = may("verify-correction", person, roles, desk.now, zone=desk.settings.time_zone)
    demand(lacks, at, recorded=True)


def _no_earlier(task: Resource, desk: Desk) -> datetime:
    """After a clock set back it still changes no earlier than it was written (R4, inv-1)."""
    return max(desk.now, moment(task.get("authoredOn"), desk.settings.zone) or desk.now)


def _needed(place: str) -> Issue:
    return Issue(
        "required",
        zh="该步骤须填写此项。",
        en="This step needs this to be said.",
        at=place,
        detail="order.quality-step-incomplete",
    )


def _fixed(member: str) -> FhirError:
    return unprocessable(
        f"{member} of this record cannot be changed.",
        f"该记录的 {member} 不可更改。",
        at=f"Task.{member}",
        detail="order.quality-member-fixed",
    )


def _illegal(refused: IllegalMove) -> FhirError:
    def zh(state: str) -> str:
        return quality.names().get(state, {}).get("zh", state)

    legal = ", ".join(line.next for line in refused.legal) or "none"
    return conflict(
        f"A record that is {refused.state} cannot become {refused.event or '-'}. Legal now: {legal}.",
        f"记录处于“{zh(refused.state)}”，不能转为 {refused.event or '-'}。现在可转为：{legal}。",
        at="Task.businessStatus",
        detail="order.quality-illegal-move",
    )
