"""A reaction is logged: kept at once in any state of completeness, closed only with all that closing demands."""

from __future__ import annotations

from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Desk, Resource, Save, Write
from slipring.rules.finding import Finding, Weight

from slipring_consent.handlers.alarms import at_every_injection
from slipring_consent.handlers.handing_over import handed_over
from slipring_consent.observing.extending import after_a_reaction
from slipring_consent.reactions.allergy import after, allergy_id
from slipring_consent.reactions.amending import not_allowed
from slipring_consent.reactions.facts import reaction_facts
from slipring_consent.reactions.said import stands_as_allergy
from slipring_consent.reading import reference_of
from slipring_consent.rules import REACTION_RULES
from slipring_consent.surveillance.signal import looked_at
from slipring_consent.verdicts import as_issues, checked, on_record


async def reaction_logged(write: Write, desk: Desk) -> Changes:
    """Keep a reaction; an allergic-like one becomes an AllergyIntolerance, once, and a severe one is told at once."""
    if write.method == "delete" or write.imported:
        return Changes.none()
    event, before = write.resource, write.before.resource if write.before else None
    refused = not_allowed(event, before, desk.caller.practitioner or "")
    if refused is not None:
        return Changes(refuse=refused)
    findings = checked(reaction_facts(event), REACTION_RULES, desk)
    missing = [finding for finding in findings if finding.weight is Weight.STOP]
    if missing:
        return Changes(refuse=FhirError(422, as_issues(missing)))
    changes = Changes(save=[*await _new_on_record(findings, write, desk), *await _allergy(event, before, desk)])
    changes = changes.plus(await handed_over(event, desk)).plus(await after_a_reaction(event, before, desk))
    changes = changes.plus(await looked_at(event, desk))
    return Changes.none() if changes.nothing else changes


async def _new_on_record(findings: list[Finding], write: Write, desk: Desk) -> list[Save]:
    """What is found of a reaction and was not found of it before."""
    if not findings:
        return []
    kept = [one.resource for one in await desk.search(f"DetectedIssue?implicated={write.reference}")]
    known = {(rule_of(one), one.get("detail")) for one in kept}
    new = [finding for finding in findings if (finding.rule, finding.zh) not in known]
    return on_record(new, desk, patient=reference_of(write.resource.get("subject")), about=write.reference)


async def _allergy(event: Resource, before: Resource | None, desk: Desk) -> list[Save]:
    """The allergy, and the alarm at every injector where this patient is being given contrast."""
    held = await desk.read(f"AllergyIntolerance/{allergy_id(event)}")
    save = after(event, before, held, await _substance(event, desk), now=desk.now)
    if save is None:
        return []
    if not stands_as_allergy(event):
        return [save]
    zh, en = "出现过敏样反应。", "an allergic-like reaction."
    return [save, *await at_every_injection(reference_of(event["subject"]), zh, en, desk)]


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
