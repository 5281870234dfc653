"""The injector's pressure limit is one that the department and the access allow."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.limits import decimal


@rule("consent.pressure-limit", clause="CL02-A011:5.3.2.5", weight="stop")
def pressure_fits_the_access(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The injector's pressure limit is one that the department and the access allow.

    The label of a cannula or port counts where it says less than the department's number.
    """
    if facts.limit_psi is None:
        return None
    limit = limits.limit("contrast.pressure_psi")
    said, at = shown(facts.limit_psi), "MedicationAdministration.extension"
    if facts.access_psi is not None and facts.limit_psi > facts.access_psi:
        most = shown(facts.access_psi)
        zh, en = (
            f"压力上限 {said} psi 超过通路标注的 {most} psi。",
            f"{said} psi are above the {most} psi on the access's label.",
        )
        return Hit(zh, en, at=at, inputs={"psi": said, "label": most})
    if facts.limit_psi > decimal(limit):
        zh, en = f"压力上限 {said} psi 超过 {limit.value} psi。", f"{said} psi are above {limit.value} psi."
        return Hit(zh, en, at=at, inputs={"psi": said}, limit=limit)
    return None
