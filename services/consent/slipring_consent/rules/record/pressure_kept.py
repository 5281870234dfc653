"""The injector stayed within the pressure it was set to."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.record import RecordFacts


@rule("consent.pressure-kept", clause="CL02-A011:4.13", weight="warn")
def pressure_was_kept(facts: RecordFacts, limits: Limits, now: datetime) -> Hit | None:
    """The injector stayed within the pressure it was set to.

    A peak above the limit, or above the label of the access, is looked at: cannula and vein may have suffered.
    """
    most = min((bound for bound in (facts.limit_psi, facts.access_psi) if bound is not None), default=None)
    if most is None or facts.peak_psi is None or facts.peak_psi <= most:
        return None
    peak, bound = shown(facts.peak_psi), shown(most)
    zh, en = f"峰值压力 {peak} psi 超过上限 {bound} psi。", f"The peak of {peak} psi is above the limit of {bound} psi."
    return Hit(zh, en, at="MedicationAdministration.extension", inputs={"peak_psi": peak, "limit_psi": bound})
