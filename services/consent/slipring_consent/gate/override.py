"""A named physician takes it on himself: the override an administration carries, and whether it stands."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.rules.finding import Finding, Weight
from slipring.staff import Reason

from slipring_consent.catalogue import data_file
from slipring_consent.people import PHYSICIAN_DECIDES, lacking
from slipring_consent.reading import codes_in, extensions, reference_of

OVERRIDE = f"{CANONICAL}/StructureDefinition/override"
OVERRIDE_REASON = f"{CANONICAL}/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class Override:
    """A named physician takes it on himself, for a coded reason."""

    by: str
    reason: str
    concept: Resource

    def covers(self, finding: Finding) -> bool:
        """Whether the policy lets this reason pass this finding."""
        return self.reason in reasons_for(finding)


def reasons_for(finding: Finding) -> tuple[str, ...]:
    """The coded reasons for which a named physician may pass a finding; what only asks he may decide for any."""
    policy = data_file("gate.toml")
    listed = tuple(policy["overridable"].get(finding.rule, ()))
    return listed or (tuple(policy["reasons"]) if finding.weight is Weight.ASK else ())


def may_override(finding: Finding) -> str:
    """The act of the staff register that whoever passes a finding must be allowed."""
    return PHYSICIAN_DECIDES


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


async def not_entitled(override: Override, desk: Desk) -> list[Reason]:
    """Why this override does not stand: the person, or the reason."""
    reasons = await lacking(PHYSICIAN_DECIDES, override.by, desk)
    if override.reason not in data_file("gate.toml")["reasons"]:
        zh, en = "放行须有编码的理由。", "An override needs a coded reason."
        reasons = [*reasons, Reason("override-reason", zh, en, "CL02-A011:5.3.2.5")]
    return reasons
