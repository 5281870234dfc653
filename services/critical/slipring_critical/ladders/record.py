"""The department's own ladder as a PlanDefinition: what one says, and what is wrong with one. Pure.

`type` critical-ladder; `useContext`: level (always), `focus` a finding, `venue` a ward or organisation, hour; `goal.target.due`: within
what time something must be done; `action`: the steps, in order. A step: `participant.role` whom it rings, `code` by which
channels, `timingDuration` how long an answer may take, `selectionBehavior` any (as when left out) or all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from slipring.clauses.critical_findings import LEVELS
from slipring.fhir.outcome import Issue
from slipring.fhir.search.moment import interval
from slipring.fhir.service import CANONICAL, Resource, Stored
from slipring.quality.critical_catalogue import PLAN_TYPE

from slipring_critical.ladders.choosing import HOURS, Applied
from slipring_critical.ladders.ladder import ALL, ANY, FALLBACK, Ladder, Rung
from slipring_critical.ladders.targets import TARGET, targets

LADDER_CONTEXT = f"{CANONICAL}/CodeSystem/ladder-context"
LADDER_HOUR = f"{CANONICAL}/CodeSystem/ladder-hour"
LEVEL = f"{CANONICAL}/CodeSystem/finding-level"
FINDING = f"{CANONICAL}/CodeSystem/critical-finding"
CHANNEL = f"{CANONICAL}/CodeSystem/channel"
USAGE = "http://terminology.hl7.org/CodeSystem/usage-context-type"
IN_FORCE = f"PlanDefinition?status=active&type={PLAN_TYPE}|"  # followed by the code of the type
LADDER = "critical-ladder"

_CONTEXTS = {(LADDER_CONTEXT, "level"), (LADDER_CONTEXT, "hour"), (USAGE, "focus"), (USAGE, "venue")}
_MINUTES: Mapping[str, float] = {"s": 1 / 60, "min": 1, "h": 60, "d": 1440}  # UCUM
_PLACES = ("Location/", "Organization/")


def kind_of(plan: Resource) -> str:
    """critical-ladder, critical-catalogue or ''."""
    return _code(plan.get("type"), PLAN_TYPE)


def ladder_in(stored: Stored) -> Applied:
    """The ladder of a record without faults, and what it is for."""
    plan = stored.resource
    contexts = [(_kind(one), one) for one in plan["useContext"]]
    values = {kind: one for kind, one in contexts if kind != (USAGE, "venue")}
    period = plan.get("effectivePeriod", {})
    level = _code(values[LADDER_CONTEXT, "level"]["valueCodeableConcept"], LEVEL)
    ladder = Ladder(
        level=level,
        version=str(plan.get("version", stored.version)),
        confidence="S",  # two of the department stand for it
        rungs=tuple(_rung(action) for action in plan["action"]),
        act_within=_span(plan["goal"][0]["target"][0]["due"]) or timedelta(0),
        record=f"{stored.reference}/_history/{stored.version}",
    )
    return Applied(
        ladder,
        finding=_code(values.get((USAGE, "focus"), {}).get("valueCodeableConcept"), FINDING),
        places=frozenset(_place(one) for kind, one in contexts if kind == (USAGE, "venue")),
        hour=_code(values.get((LADDER_CONTEXT, "hour"), {}).get("valueCodeableConcept"), LADDER_HOUR),
        own=True,
        since=moment(period.get("start")) or stored.updated_at,
        until=moment(period.get("end"), last=True),
    )


def faults(plan: Resource, channels: Collection[str], findings: Collection[str]) -> Iterator[Issue]:
    """What is wrong with a ladder, each fault at its element; `channels`: those that ring, `findings`: of the catalogue."""
    yield from _wrong_contexts(plan, findings)
    dues = [target.get("due") for goal in plan.get("goal", []) for target in goal.get("target", [])]
    if len(dues) != 1 or not _span(dues[0]):
        yield _fault(
            "goal", "act-within", "须且仅须给出一个处置时限（goal.target.due，大于 0）。",
            "It says once within what time something must be done (goal.target.due, above 0).",
        )  # fmt: skip
    actions = plan.get("action", [])
    if not actions:
        yield _fault("action", "steps", "阶梯至少有一步。", "A ladder has at least one step.")
    for place, action in enumerate(actions):
        yield from _wrong_step(action, f"action[{place}]", channels)
    if actions and FALLBACK not in _who(actions[-1]):
        yield _fault(
            f"action[{len(actions) - 1}].participant", "desk",
            "最后一步须包括有人值守的值班台（fallback）。", "The last step rings the staffed desk (fallback).",
        )  # fmt: skip


def _wrong_contexts(plan: Resource, findings: Collection[str]) -> Iterator[Issue]:
    kinds = [_kind(one) for one in plan.get("useContext", [])]
    if kinds.count((LADDER_CONTEXT, "level")) != 1:
        yield _fault("useContext", "level", "须且仅须注明一个级别。", "It names exactly one level.")
    for place, one in enumerate(plan.get("useContext", [])):
        at, kind, value = f"useContext[{place}]", kinds[place], one.get("valueCodeableConcept")
        if kind not in _CONTEXTS:
            yield _fault(f"{at}.code", "context", "适用范围只能是 level、hour、focus 或 venue。",
                         "A context is level, hour, focus or venue.")  # fmt: skip
        elif kind == (USAGE, "venue"):
            if not _place(one).startswith(_PLACES):
                yield _fault(f"{at}.valueReference", "venue", "须指明病区（Location）或科室（Organization）。",
                             "It names a ward (Location) or a department (Organization).")  # fmt: skip
        elif kinds.count(kind) > 1 and kinds.index(kind) != place:
            yield _fault(at, "twice", "同一适用范围出现两次。", "The same context stands here twice.")
        elif not _known(kind[1], value, findings):
            yield _fault(f"{at}.valueCodeableConcept", kind[1], "未知的代码。", "Its code is not known.")


def _known(kind: str, value: Any, findings: Collection[str]) -> bool:
    if kind == "level":
        return _code(value, LEVEL) in {str(level) for level in LEVELS}
    return _code(value, LADDER_HOUR) in HOURS if kind == "hour" else _code(value, FINDING) in findings


def _wrong_step(action: Mapping[str, Any], at: str, channels: Collection[str]) -> Iterator[Issue]:
    if not action.get("participant"):
        yield _fault(f"{at}.participant", "nobody", "每一步都须通知到人。", "Every step rings somebody.")
    for place, one in enumerate(action.get("participant", [])):
        if _code(one.get("role"), TARGET) not in targets():
            yield _fault(f"{at}.participant[{place}].role", "target", f"未知的对象；可用：{'、'.join(targets())}。",
                         f"Unknown target; known: {', '.join(targets())}.")  # fmt: skip
    if not action.get("code"):
        yield _fault(f"{at}.code", "channel", "每一步至少有一个通道。", "Every step has at least one channel.")
    for place, one in enumerate(action.get("code", [])):
        if _code(one, CHANNEL) not in channels:
            yield _fault(f"{at}.code[{place}]", "channel", f"未知的通道；可用：{'、'.join(channels)}。",
                         f"Unknown channel; known: {', '.join(channels)}.")  # fmt: skip
    if not _span(action.get("timingDuration")):
        yield _fault(f"{at}.timingDuration", "wait", "应答时限须大于 0，单位为 s、min、h 或 d。",
                     "The time to answer is above 0, in s, min, h or d.")  # fmt: skip
    if action.get("selectionBehavior", ANY) not in (ANY, ALL):
        yield _fault(f"{at}.selectionBehavior", "reach", "只能是 any 或 all。", "It is any or all.")
    if action.get("action"):
        yield _fault(f"{at}.action", "nested", "一步之内不得再分步。", "A step holds no further steps.")


def _rung(action: Mapping[str, Any]) -> Rung:
    return Rung(
        who=tuple(_who(action)),
        channels=tuple(_code(one, CHANNEL) for one in action["code"]),
        answer_within=_span(action["timingDuration"]) or timedelta(0),
        reach=action.get("selectionBehavior", ANY),
    )


def _who(action: Mapping[str, Any]) -> list[str]:
    return [_code(one.get("role"), TARGET) for one in action.get("participant", [])]


def _kind(context: Mapping[str, Any]) -> tuple[str, str]:
    code = context.get("code", {})
    return str(code.get("system", "")), str(code.get("code", ""))


def _place(context: Mapping[str, Any]) -> str:
    return "/".join(str(context.get("valueReference", {}).get("reference", "")).rsplit("/", 2)[-2:])


def _span(duration: Any) -> timedelta | None:
    """A Duration above 0 in UCUM, or None."""
    if not isinstance(duration, Mapping) or duration.get("comparator"):
        return None
    value, unit = duration.get("value"), _MINUTES.get(str(duration.get("code", duration.get("unit", ""))))
    return timedelta(minutes=float(value) * unit) if value is not None and unit and value > 0 else None


def moment(text: str | None, *, last: bool = False, zone: tzinfo = UTC) -> datetime | None:
    """The first instant that a FHIR date or dateTime may mean, or the one after its last; days are those of `zone`."""
    found = interval(text, zone) if text else None
    return (found.high if last else found.low) if found else None


def _code(concept: Any, system: str) -> str:
    codings = concept.get("coding", []) if isinstance(concept, Mapping) else []
    return next((str(one["code"]) for one in codings if one.get("system") == system and "code" in one), "")


def _fault(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("business-rule", zh=zh, en=en, at=f"PlanDefinition.{at}", detail=f"critical.ladder-{detail}")
