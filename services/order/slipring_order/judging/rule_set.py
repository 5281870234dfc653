"""The department's own limits and switches: a PlanDefinition of the rule set, in force from a moment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.outcome import Issue
from slipring.fhir.service import CANONICAL, Resource, Stored
from slipring.rules.limits import LimitBook, LimitSet

from slipring_order.judgement import ordered_limits, switchable
from slipring_order.reading import moment

RULE_SET = f"{CANONICAL}/PlanDefinition/ct-justification"
# Judged by the consent service, which follows them: what the policy packs say, and what its gate lets pass.
CONTRAST_POLICY = f"{CANONICAL}/PlanDefinition/contrast-policy"
GATE_POLICY = f"{CANONICAL}/PlanDefinition/gate-policy"
INDEX = "PlanDefinition/o-ct-justification"  # lists the sets that are active
LIMIT = f"{CANONICAL}/StructureDefinition/rule-limit"
SWITCH = f"{CANONICAL}/StructureDefinition/rule-switch"
_PACK_ENTRY = re.compile(r"[a-z0-9-]+:consent\.[a-z0-9-]+:[a-z_]+")
_GATE_ENTRY = re.compile(r"gate:(policy|consent\.[a-z0-9-]+):[a-z_]+")
_WEIGHTS = ("stop", "ask", "warn", "info", "none")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What is judged by now: the limits, and the rules that are switched off."""

    book: LimitBook
    off: frozenset[str] = frozenset()


def is_rule_set(plan: Resource) -> bool:
    """Whether a PlanDefinition is a rule set of justification."""
    return str(plan.get("url", "")) == RULE_SET


def is_policy_set(plan: Resource) -> bool:
    """Whether a PlanDefinition is the department's own set of what the policy packs of contrast or its gate say."""
    return str(plan.get("url", "")) in (CONTRAST_POLICY, GATE_POLICY)


def policy_faults(plan: Resource) -> list[Issue]:
    """What is wrong with the entries of a policy: each stands there once, by its name, with what that takes.

    An entry of a pack is a weight or a number; one of the gate is a code, or several.
    """
    found, seen, gate = [], set[str](), plan.get("url") == GATE_POLICY
    for place, extension in _placed(plan):
        parts = _parts(extension)
        name, values = str(next(iter(parts.get("id", [])), "")), parts.get("value", [])
        if name in seen:
            found.append(_fault(place, "twice", "同一项出现两次", "The same stands here twice"))
        seen.add(name)
        if gate:
            if not _GATE_ENTRY.fullmatch(name) or not _fits([], values):
                zh, en = "须为 gate:规则:项 及编码取值", "It is gate:rule:entry with its codes"
                found.append(_fault(place, "gate-entry", zh, en))
            continue
        weighed = len(values) == 1 and values[0] in _WEIGHTS
        if not _PACK_ENTRY.fullmatch(name) or not (weighed or _fits(0, values)):
            zh, en = "须为 包:规则:项 及一个取值", "It is pack:rule:entry with one weight or number"
            found.append(_fault(place, "policy-entry", zh, en))
    return found


def index(references: Iterable[str]) -> Resource:
    """The resource that lists the sets that are active; it begins empty."""
    kind, _, name = INDEX.partition("/")
    related = [{"type": "composed-of", "resource": reference} for reference in sorted(references)]
    plan: Resource = {
        "resourceType": kind,
        "id": name,
        "url": f"{RULE_SET}-sets",
        "title": "正当性规则集一览",
        "status": "active",
    }
    return plan | ({"relatedArtifact": related} if related else {})


def listed(plan: Resource) -> list[str]:
    """The sets that the index names."""
    return [str(one["resource"]) for one in plan.get("relatedArtifact", []) if one.get("resource")]


def in_force(plans: Iterable[Stored], book: LimitBook, now: datetime, zone: ZoneInfo) -> RuleSet:
    """The set that began last, or what was shipped when none has begun."""
    begun = [
        (start, stored.updated_at, stored)
        for stored in plans
        if is_rule_set(stored.resource)
        and stored.resource.get("status") == "active"
        and (start := moment(stored.resource.get("effectivePeriod", {}).get("start"), zone)) is not None
        and start <= now
    ]
    if not begun:
        return RuleSet(book)
    start, _, newest = max(begun, key=lambda one: one[:2])
    plan = newest.resource
    version = f"{newest.reference}/_history/{newest.version}"
    source = f"rule set {plan.get('version', '')} of the department, approved by two".replace("  ", " ")
    own = LimitSet(dict(_limits(plan)), version, start.astimezone(zone).date(), source)
    return RuleSet(book.with_own(own), frozenset(rule for rule, on in _switches(plan) if not on))


def faults(plan: Resource, book: LimitBook, now: datetime, zone: ZoneInfo) -> list[Issue]:
    """What is wrong with a set, each fault at its place."""
    found, values = [], {name: book.limit(name, on=now.astimezone(zone).date()).value for name in book.entries}
    shipped, seen = dict(values), set[str]()
    for place, extension in _placed(plan):
        parts = _parts(extension)
        name = str(next(iter(parts.get("id" if extension["url"] == LIMIT else "rule", [])), ""))
        if name in seen:
            found.append(_fault(place, "twice", "同一项出现两次", "The same stands here twice"))
        seen.add(name)
        if extension["url"] == SWITCH:
            if name not in switchable():
                found.append(_fault(place, "switch", "该规则不存在或不可停用", "No such rule, or one that stays on"))
        elif name not in shipped:
            found.append(_fault(place, "limit-unknown", "没有该限值", "There is no such limit"))
        elif not _fits(shipped[name], parts.get("value", [])):
            found.append(
                _fault(place, "limit-value", "取值类型或范围不符", "The value is of another kind or out of range")
            )
        else:
            values[name] = _value(shipped[name], parts["value"])
    for lower, upper in ordered_limits():
        if values[lower] > values[upper]:
            zh, en = f"{lower} 大于 {upper}", f"{lower} is greater than {upper}"
            found.append(_fault("PlanDefinition.extension", "limit-order", zh, en))
    return found


def _limits(plan: Resource) -> Iterator[tuple[str, Any]]:
    for _, extension in _placed(plan):
        if extension["url"] == LIMIT:
            parts = _parts(extension)
            values = parts.get("value", [])
            listed = any(isinstance(value, str) for value in values)
            yield str(parts["id"][0]), _value([] if listed else 0, values)


def _switches(plan: Resource) -> Iterator[tuple[str, bool]]:
    for _, extension in _placed(plan):
        if extension["url"] == SWITCH:
            parts = _parts(extension)
            yield str(parts["rule"][0]), bool(next(iter(parts.get("on", [])), True))


def _placed(plan: Resource) -> Iterator[tuple[str, Resource]]:
    for position, extension in enumerate(plan.get("extension", [])):
        if extension.get("url") in (LIMIT, SWITCH):
            yield f"PlanDefinition.extension[{position}]", extension


def _parts(extension: Mapping[str, Any]) -> dict[str, list[Any]]:
    parts: dict[str, list[Any]] = {}
    for part in extension.get("extension", []):
        value = next((value for member, value in part.items() if member.startswith("value")), None)
        parts.setdefault(str(part.get("url", "")), []).append(value)
    return parts


def _fits(shipped: Any, given: list[Any]) -> bool:
    if isinstance(shipped, list):
        return bool(given) and all(isinstance(value, str) and value.strip() for value in given)
    number = given[0] if len(given) == 1 else None
    return isinstance(number, int | float | Decimal) and not isinstance(number, bool) and number >= 0


def _value(shipped: Any, given: list[Any]) -> Any:
    """A list as a list, a number as a number; whole numbers stay whole."""
    if isinstance(shipped, list):
        return list(given)
    return int(given[0]) if given[0] == int(given[0]) else float(given[0])


def _fault(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("business-rule", zh=f"{zh}。", en=f"{en}.", at=at, detail=f"order.rule-set-{detail}")
