"""A policy set of the department arrives: what there is not here is told, for a set that is not in force must not look so."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk, Resource
from slipring.rules.finding import Finding, Weight

from slipring_consent.gate.own_policy import fits as fits_the_gate
from slipring_consent.policy_set import CONTRAST_POLICY, GATE_POLICY, unfit
from slipring_consent.screening.own_pack import fits as fits_a_pack
from slipring_consent.verdicts import on_record

_READ_BY = {CONTRAST_POLICY: fits_a_pack, GATE_POLICY: fits_the_gate}


def is_policy_set(plan: Resource) -> bool:
    """Whether a PlanDefinition says how this department weighs contrast, or what its gate lets pass."""
    return str(plan.get("url", "")) in _READ_BY


async def policy_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Tell once per version of an approved set which of its entries there are not here; such a set is not in force."""
    plan = arrival.resource
    names = []
    if is_policy_set(plan) and plan.get("status") == "active" and not arrival.deleted:
        names = unfit(plan, _READ_BY[plan["url"]])
    if not names:
        return Changes.none()
    listed = ", ".join(names)
    finding = Finding(
        "consent.policy-set-fits", "2", "CL02-A011:5.3.2.5", Weight.WARN,
        f"该科室策略含无法识别的项，未生效：{listed}。",
        f"This policy of the department is not in force: it has no use for {listed}.",
        at="PlanDefinition.extension", inputs={"entries": names},
    )  # fmt: skip
    key = f"policy-set:{arrival.reference}/{arrival.version}"
    return Changes(save=on_record([finding], desk, patient="", about=arrival.reference), keys=[key])
