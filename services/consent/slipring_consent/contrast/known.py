"""What the desk knows about the contrast of one administration: reads only, facts out."""

from __future__ import annotations

from slipring.fhir.service import Desk, Resource

from slipring_consent.contrast.agents import Coding
from slipring_consent.contrast.facts import ContrastFacts, contrast_facts
from slipring_consent.reading import codes_in, reference_of


async def contrast_known(administration: Resource, desk: Desk) -> ContrastFacts:
    """What CONTRAST_RULES weigh of one administration."""
    return contrast_facts(await agent_of(administration, desk))


async def agent_of(administration: Resource, desk: Desk) -> list[Coding]:
    """The codes of what is given: said at once, in a contained Medication, or in one that is kept here."""
    codings = codes_in(administration.get("medicationCodeableConcept"))
    reference = str(administration.get("medicationReference", {}).get("reference", ""))
    if reference.startswith("#"):
        contained = administration.get("contained", [])
        codings += [c for one in contained if one.get("id") == reference[1:] for c in codes_in(one.get("code"))]
    elif reference:
        medication = await desk.read(reference_of({"reference": reference}))
        codings += codes_in(medication.resource.get("code")) if medication else []
    return codings
