"""A reaction is logged: kept at once in any state of completeness, closed only with measures and effect."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Changes, Desk, Resource, Save, Write

from slipring_consent.reactions.facts import reaction_facts
from slipring_consent.reading import has_code, reference_of
from slipring_consent.resources import as_allergy
from slipring_consent.rules import REACTION_RULES
from slipring_consent.verdicts import as_issues, checked

REACTION_TYPE = f"{CANONICAL}/CodeSystem/reaction-type"


async def reaction_logged(write: Write, desk: Desk) -> Changes:
    """Keep a reaction; an allergic-like one becomes an AllergyIntolerance, once, that the next order sees."""
    if write.method == "delete" or write.imported:
        return Changes.none()
    findings = checked(reaction_facts(write.resource), REACTION_RULES, desk)
    if findings:
        return Changes(refuse=FhirError(422, as_issues(findings)))
    if not has_code(write.resource.get("event"), REACTION_TYPE, "allergic-like"):
        return Changes.none()
    if write.resource.get("actuality") != "actual":
        return Changes.none()
    allergy_id = f"{write.resource['id'][:56]}-allergy"
    if await desk.read(f"AllergyIntolerance/{allergy_id}") is not None:
        return Changes.none()
    substance = await _substance(write.resource, desk)
    return Changes(save=[Save(as_allergy(allergy_id, write.resource, substance, now=desk.now))])


async def _substance(event: Resource, desk: Desk) -> Resource | None:
    """The agent of the administration that is suspected, when it is known."""
    for suspect in event.get("suspectEntity", []):
        stored = await desk.read(reference_of(suspect.get("instance")))
        if stored is None:
            continue
        administered = stored.resource
        if administered["resourceType"] == "MedicationAdministration" and "medicationReference" in administered:
            stored = await desk.read(reference_of(administered["medicationReference"]))
            administered = stored.resource if stored is not None else {}
        concept: Resource | None = administered.get("medicationCodeableConcept") or administered.get("code")
        if concept:
            return concept
    return None
