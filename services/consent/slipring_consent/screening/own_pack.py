"""The department's own values beside a policy pack: a PlanDefinition that two people stand for, in force from a moment. Pure.

order keeps it and sees that a second qualified person approves it; which entries there are, the packs say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored
from slipring.rules.finding import Weight

from slipring_consent.reading import moment
from slipring_consent.screening.packs import Policy, pack_names, policy_pack

CONTRAST_POLICY = f"{CANONICAL}/PlanDefinition/contrast-policy"
LIMIT = f"{CANONICAL}/StructureDefinition/rule-limit"
_NO_WEIGHT = "none"
_WEIGHTS = (*(str(one) for one in Weight), _NO_WEIGHT)


def is_policy_set(plan: Resource) -> bool:
    """Whether a PlanDefinition says how this department weighs contrast."""
    return str(plan.get("url", "")) == CONTRAST_POLICY


def with_own(policy: Policy, plans: Iterable[Stored], now: datetime, time_zone: str) -> Policy:
    """The pack with the set that began last; a set with an entry that fits no pack is not in force."""
    begun = [
        (start, stored.updated_at, stored)
        for stored in plans
        if is_policy_set(stored.resource) and stored.resource.get("status") == "active" and not unfit(stored.resource)
        if (start := moment(stored.resource.get("effectivePeriod", {}).get("start"), time_zone)) and start <= now
    ]
    if not begun:
        return policy
    _, _, newest = max(begun, key=lambda one: one[:2])
    version = f"{newest.reference}/_history/{newest.version}"
    rules, own = {name: dict(entry) for name, entry in policy.rules.items()}, {}
    for name, value in _entries(newest.resource):
        pack, rule, entry = name.split(":")
        if pack == policy.id:
            rules.setdefault(rule, {})[entry] = "" if value == _NO_WEIGHT else value
            own[rule] = version
    return replace(policy, rules=rules, own=own)


def unfit(plan: Resource) -> list[str]:
    """The entries of a set that no pack has, or whose value is of another kind."""
    return [name for name, value in _entries(plan) if not _fits(name, value)]


def _fits(name: str, value: Any) -> bool:
    pack, _, rest = name.partition(":")
    rule, _, entry = rest.partition(":")
    if pack not in pack_names():
        return False
    # A department may give weight to what only another guideline speaks of; a limit is one that this pack has.
    shipped = [policy_pack(one).entry(rule).get(entry) for one in pack_names()]
    if any(one in _WEIGHTS for one in shipped if isinstance(one, str)):
        return value in _WEIGHTS
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return number and isinstance(policy_pack(pack).entry(rule).get(entry), int)


def _entries(plan: Resource) -> Iterator[tuple[str, Any]]:
    for extension in plan.get("extension", []):
        if extension.get("url") == LIMIT:
            parts = {part.get("url"): part for part in extension.get("extension", [])}
            yield _value(parts.get("id", {})), _value(parts.get("value", {}))


def _value(part: Resource) -> Any:
    return next((value for member, value in part.items() if member.startswith("value")), "")
