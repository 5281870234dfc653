"""While one injection of an exam runs, no second one is permitted."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.one-at-a-time", clause="CL02-A011:5.4.1", weight="stop")
def one_injection_at_a_time(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """While one injection of an exam runs, no second one is permitted.

    Two people who ask at once would give the dose twice. The first is completed, stopped or left before the next begins.
    """
    if not facts.running:
        return None
    named = ", ".join(facts.running)
    return Hit(
        f"本次检查已有一次给药正在进行：{named}；请先结束该次给药。",
        f"An injection of this exam is running already: {named}; it is ended first.",
        at="MedicationAdministration.supportingInformation",
        inputs={"running": named},
    )
