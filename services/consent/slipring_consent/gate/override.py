"""A named physician takes it on himself: the override an administration carries, and whether it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.rules.finding import Finding
from slipring.staff import Reason

from slipring_consent.gate.policy import GatePolicy
from slipring_consent.people import lacking
from slipring_consent.reading import codes_in, extensions, reference_of

OVERRIDE = f"{CANONICAL}/StructureDefinition/override"
OVERRIDE_REASON = f"{CANONICAL}/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class Override:
    """A named physician takes it on himself, for a coded reason."""

    by: str
    reason: str
    concept: Resource

    def covers(self, finding: Finding, policy: GatePolicy) -> bool:
        """Whether the policy lets this reason pass this finding."""
        return self.reason in policy.reasons_for(finding)


def override_of(administration: Resource) -> Override | None:
    """The named override an administration carries, or None."""
    for extension in extensions(administration, OVERRIDE):
        parts = {part["url"]: part for part in extension.get("extension", []) if "url" in part}
        concept = parts.get("reason", {}).get("valueCodeableConcept", {})
        reason = next((code for system, code in codes_in(concept) if system == OVERRIDE_REASON), "")
        return Override(reference_of(parts.get("by", {}).get("valueReference")), reason, concept)
    return None


def asks_override(administration: Resource) -> bool:
    """Whether permission is asked over a gate's objection; a fact that is recorded asks nothing."""
    return administration.get("status") == "in-progress" and override_of(administration) is not None


async def not_entitled(override: Override, findings: Iterable[Finding], policy: GatePolicy, desk: Desk) -> list[Reason]:
    """Why this override does not stand: the person, for all that he would pass, or the reason."""
    needed = dict.fromkeys([policy.by, *(policy.act_for(one.rule) for one in findings if override.covers(one, policy))])
    reasons = [reason for act in needed for reason in await lacking(act, override.by, desk)]
    if override.reason not in policy.reasons:
        zh, en = "放行须有编码的理由。", "An override needs a coded reason."
        reasons.append(Reason("override-reason", zh, en, "CL02-A011:5.3.2.5"))
    return reasons
