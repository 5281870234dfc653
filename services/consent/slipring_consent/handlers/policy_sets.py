"""A contrast policy of the department arrives: what fits no pack is told, for a set that is not in force must not look so."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk
from slipring.rules.finding import Finding, Weight

from slipring_consent.screening.own_pack import is_policy_set, unfit
from slipring_consent.verdicts import on_record


async def policy_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Tell once per version of an approved set which of its entries no pack has; such a set is not in force."""
    plan = arrival.resource
    names = unfit(plan) if is_policy_set(plan) and plan.get("status") == "active" and not arrival.deleted else []
    if not names:
        return Changes.none()
    listed = ", ".join(names)
    finding = Finding(
        "consent.policy-set-fits", "1", "CL02-A011:5.3.2.5", Weight.WARN,
        f"该对比剂策略含无法识别的项，未生效：{listed}。",
        f"This contrast policy is not in force: no pack has {listed}.",
        at="PlanDefinition.extension", inputs={"entries": names},
    )  # fmt: skip
    key = f"policy-set:{arrival.reference}/{arrival.version}"
    return Changes(save=on_record([finding], desk, patient="", about=arrival.reference), keys=[key])
