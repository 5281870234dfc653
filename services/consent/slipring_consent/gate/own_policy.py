"""The department's own entries beside the gate's policy: who may pass which rule and for which reasons, and the crash cart. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import Stored
from slipring.staff.permission import acts

from slipring_consent import rules
from slipring_consent.gate.policy import MODES, GatePolicy, codes_of_reasons, overridable_as_shipped
from slipring_consent.policy_set import GATE_POLICY, NONE, entries, in_force, version_of

_ALL = "policy"  # in place of a rule: what holds for all of them


def with_own(policy: GatePolicy, plans: Iterable[Stored], now: datetime, time_zone: str) -> GatePolicy:
    """The policy with the set that began last; a set with an entry that the gate has not is not in force."""
    found = in_force(plans, GATE_POLICY, fits, now, time_zone)
    if found is None:
        return policy
    plan, start = found
    overridable, by_rule, own = dict(policy.overridable), dict(policy.by_rule), dict[str, Any]()
    for name, values in entries(plan.resource):
        _, rule, entry = name.split(":")
        if rule == _ALL:
            own[entry] = values if entry == "reasons" else values[0]
        elif entry == "reasons":
            overridable[rule] = () if values == (NONE,) else tuple(values)
        else:
            by_rule[rule] = values[0]
    return replace(
        policy,
        **own,
        overridable=overridable,
        by_rule=by_rule,
        confirmed=True,
        since=start.astimezone(ZoneInfo(time_zone)).date(),
        source="policy of the department, approved by two",
        of=version_of(plan),
    )


def fits(name: str, values: tuple[Any, ...]) -> bool:
    """Whether the gate has this entry, and such values."""
    gate, _, rest = name.partition(":")
    rule, _, entry = rest.partition(":")
    held = _OF_ALL.get(entry) if rule == _ALL else _OF_A_RULE.get(entry) if rule in _rules() else None
    words = bool(values) and all(isinstance(one, str) for one in values)
    return gate == "gate" and held is not None and words and held(values)


def _rules() -> frozenset[str]:
    """The rules that the gate runs; and what it says of copies that are behind, which is none of the lists."""
    listed = (rules.GATE_RULES, rules.CONTRAST_RULES, rules.READINESS_RULES)
    return frozenset(one.id for each in listed for one in each) | overridable_as_shipped().keys()


def _reasons(values: tuple[Any, ...]) -> bool:
    return set(values) <= codes_of_reasons() and len(set(values)) == len(values)


def _act(values: tuple[Any, ...]) -> bool:
    return len(values) == 1 and values[0] in acts()


_OF_ALL: dict[str, Callable[[tuple[Any, ...]], bool]] = {
    "reasons": _reasons,
    "by": _act,
    "readiness": lambda values: len(values) == 1 and values[0] in MODES,
}
_OF_A_RULE: dict[str, Callable[[tuple[Any, ...]], bool]] = {
    "reasons": lambda values: values == (NONE,) or _reasons(values),
    "by": _act,
}
