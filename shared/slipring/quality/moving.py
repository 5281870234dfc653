"""A nonconformity or complaint is opened, or moves one step: what is lacking is refused, at the element. Pure.

The codes of the refusals say `quality`, whichever service keeps the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.search.moment import interval
from slipring.fhir.service import Resource
from slipring.quality import life
from slipring.rules.lifecycle import IllegalMove, towards
from slipring.staff import may

VERIFIER = "Task.output.where(type.coding.code='verifier')"
_FIXED = ("focus", "authoredOn", "description")


@dataclass(frozen=True, slots=True)
class Step:
    """What a legal write means: the members that follow from it, and whether somebody else has to have verified."""

    members: dict[str, Any]
    verified: bool = False


def step_of(before: Resource | None, task: Resource, *, now: datetime, zone: tzinfo) -> Step:
    """The step from what stands to what is written; refused with everything that it lacks."""
    if before is None:
        return _opened(task, now)
    _demand_fixed(before, task)
    kind, was, target = life.kind_of(before), life.state_of(before), life.state_of(task)
    members = life.members(target if target in life.names() else was, _no_earlier(task, now, zone))
    if target == life.CLOSED:
        members["executionPeriod"] = _ended(before, task, str(members["lastModified"]), zone)
    if was == target:
        return Step(members)
    try:
        towards(life.table(kind), was, target)
    except IllegalMove as refused:
        raise _illegal(refused) from refused
    wanted = life.demand(kind, was, target)
    if places := life.lacking(task, wanted):
        raise FhirError(422, [_needed(place) for place in places])
    return Step(members, wanted.another)


def verifier_of(task: Resource) -> Resource | None:
    """The Reference by which the Task names who verified; None when nobody."""
    said = life.told(task, "output", "verifier")
    return said if isinstance(said, dict) else None


def demand_another(
    person: Resource | None, roles: list[Resource], owner: Resource | None, *, now: datetime, zone: str
) -> None:
    """The effect is verified by a named person who may, and who is not the one that carried it out."""
    if person is not None and owner is not None and person["id"] == owner["id"]:
        raise unprocessable(
            "The effect is verified by somebody else than who carried the action out.",
            "效果须由措施执行人以外的人员验证。",
            at=VERIFIER,
            detail="quality.verified-by-another",
        )
    if lacks := may("verify-correction", person, roles, now, zone=zone):
        raise FhirError(
            422, [Issue("business-rule", zh=r.zh, en=r.en, at=VERIFIER, detail=f"staff.{r.code}") for r in lacks]
        )


def _opened(task: Resource, now: datetime) -> Step:
    if not str(task.get("description", "")).strip():
        raise FhirError(422, [_needed("Task.description")])
    if life.state_of(task) != life.OPENED:
        raise unprocessable(
            "A new record begins as opened.",
            "新记录须从“已登记”开始。",
            at="Task.businessStatus",
            detail="quality.begins-opened",
        )
    given = life.members(life.OPENED, now)
    return Step(given | {"authoredOn": task.get("authoredOn") or given["lastModified"]})


def _demand_fixed(before: Resource, task: Resource) -> None:
    if life.kind_of(task) != life.kind_of(before):
        raise fixed("code")
    for member in _FIXED:
        if before.get(member) != task.get(member):
            raise fixed(member)
    if life.state_of(before) == "carried-out" and before.get("owner") != task.get("owner"):
        raise fixed("owner")


def _no_earlier(task: Resource, now: datetime, zone: tzinfo) -> datetime:
    """After a clock set back it still changes no earlier than it was written (R4, inv-1)."""
    written = interval(str(task.get("authoredOn", "")), zone)
    return max(now, written.low) if written is not None else now


def _ended(before: Resource, task: Resource, at: str, zone: tzinfo) -> Resource:
    """When it was closed: said once, so that a word added to a closed record does not close it anew."""
    if life.state_of(before) == life.CLOSED:
        held = before.get("executionPeriod", {})
        return held if "end" in held else {**held, "end": before.get("lastModified", at)}
    period: Resource = {name: value for name, value in task.get("executionPeriod", {}).items() if name != "end"}
    begun, ended = interval(str(period.get("start", "")), zone), interval(at, zone)
    late = begun is not None and ended is not None and begun.low > ended.low
    return {**period, "end": period["start"] if late else at}  # R4, per-1: no end before its start


def _needed(place: str) -> Issue:
    return Issue(
        "required",
        zh="该步骤须填写此项。",
        en="This step needs this to be said.",
        at=place,
        detail="quality.step-incomplete",
    )


def fixed(member: str) -> FhirError:
    """422: what this member says of a nonconformity or complaint stays."""
    return unprocessable(
        f"{member} of this record cannot be changed.",
        f"该记录的 {member} 不可更改。",
        at=f"Task.{member}",
        detail="quality.member-fixed",
    )


def _illegal(refused: IllegalMove) -> FhirError:
    def zh(state: str) -> str:
        return life.names().get(state, {}).get("zh", state)

    legal = ", ".join(line.next for line in refused.legal) or "none"
    return conflict(
        f"A record that is {refused.state} cannot become {refused.event or '-'}. Legal now: {legal}.",
        f"记录处于“{zh(refused.state)}”，不能转为 {refused.event or '-'}。现在可转为：{legal}。",
        at="Task.businessStatus",
        detail="quality.illegal-move",
    )
