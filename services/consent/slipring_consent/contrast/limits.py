"""Which of the department's numbers holds for a dose, and how it is said. Pure."""

from __future__ import annotations

from decimal import Decimal

from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts


def decimal(limit: Limit) -> Decimal:
    """The number of a limit, exactly as it is written."""
    return Decimal(str(limit.value))


def is_adult(facts: ContrastFacts, limits: Limits) -> bool:
    """Whether the patient is surely an adult."""
    return bool(facts.age) and facts.age[0] >= limits.limit("contrast.adult_years").value


def per_weight(facts: ContrastFacts, limits: Limits, name: str) -> Limit:
    """The limit per kg for an adult or a child; who may be either gets the lower one."""
    adult, child = (limits.limit(f"contrast.{group}_{name}") for group in ("adult", "child"))
    if is_adult(facts, limits):
        return adult
    surely_child = bool(facts.age) and facts.age[-1] < limits.limit("contrast.adult_years").value
    return child if surely_child else min(adult, child, key=decimal)


def earlier_zh(facts: ContrastFacts) -> str:
    """What of a total was given before, where anything was."""
    return f"其中此前已用 {shown(facts.earlier_ml)} ml。" if facts.earlier_ml else ""


def earlier_en(facts: ContrastFacts) -> str:
    """The same in English."""
    return f" {shown(facts.earlier_ml)} ml of it were given before." if facts.earlier_ml else ""
