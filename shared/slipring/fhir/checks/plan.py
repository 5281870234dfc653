"""Which invariants to ask where: for each type, computed once, its own and the plans of its elements."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from slipring.fhir.checks.invariants import Invariant, declared
from slipring.fhir.checks.schema import members

_NOT_DOMAIN = frozenset({"Binary", "Bundle", "Parameters"})  # resources that contain none and have no narrative


class Plan:
    """What a walk needs to know of one type: the plan of each complex element, and what must hold."""

    __slots__ = ("advice", "members", "rules")

    def __init__(self, rules: list[Invariant]) -> None:
        self.members: dict[str, Plan] = {}
        self.rules = tuple(rule for rule in rules if rule.severity == "error")
        self.advice = tuple(rule for rule in rules if rule.severity == "warning")


NOTHING = Plan([])  # for elements that do not exist: the schema says so


@cache
def _stated() -> dict[str, list[Invariant]]:
    found: dict[str, list[Invariant]] = defaultdict(list)
    for (name, _), rule in declared().items():
        found[name].append(rule)
    return found


_plans: dict[str, Plan] = {}


def plan_of(resource_type: str) -> Plan:
    """The plan of a resource type; those of its elements are made on the way, each once."""
    made = _plans.get(resource_type)
    if made is None:
        every = [] if resource_type in _NOT_DOMAIN else _stated()["DomainResource"]
        made = _plan(resource_type, resource_type, every)
    return made


def _plan(place: str, type_name: str, more: list[Invariant]) -> Plan:
    """`place` is the type itself, or one use of it that has invariants of its own (`Range.low`)."""
    held = _plans.get(place)
    if held is not None:
        return held
    made = _plans[place] = Plan([*_stated().get(type_name, ()), *more])
    for name, kind in members(type_name).items():
        own = _stated().get(f"{type_name}.{name}", [])
        made.members[name] = _plan(f"{type_name}.{name}" if own else kind, kind, own)
    return made
