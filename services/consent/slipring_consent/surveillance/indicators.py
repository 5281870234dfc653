"""What indicators count of injections, and what reactions say of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from slipring.fhir.search.moment import BEGINNING, moment
from slipring.fhir.service import Resource
from slipring.measuring.serving import Indicators
from slipring.qc.indicators.row import Counted, counted

from slipring_consent.contrast.agents import agent_named, is_contrast_agent
from slipring_consent.contrast.holding import lot_reference
from slipring_consent.reactions.grades import worst_of
from slipring_consent.reactions.said import happened, kind_of, suspects_of
from slipring_consent.reading import codes_in
from slipring_consent.surveillance.given import EXTRAVASATION

FORM = "consent-2"
INDICATORS = Indicators("consent", "c", tells=("MedicationAdministration", "AdverseEvent"))
_GIVEN = ("completed", "stopped")
_SEVERE = "severe"


def counts(resource: Resource, zone: tzinfo) -> Sequence[Counted]:
    """An injection of contrast, or a reaction to one."""
    if resource["resourceType"] == "MedicationAdministration":
        return tuple(_injection(resource, zone))
    return tuple(_reaction(resource, zone)) if resource["resourceType"] == "AdverseEvent" else ()


def _injection(administration: Resource, zone: tzinfo) -> Iterator[Counted]:
    said = administration.get("effectiveDateTime") or administration.get("effectivePeriod", {}).get("start")
    at, status = moment(said, zone), administration.get("status")
    if at is not None and status in _GIVEN and _is_contrast(administration):
        reference = f"MedicationAdministration/{administration['id']}"
        yield counted("injection", reference, at, [status] if status == "stopped" else [])


def _is_contrast(administration: Resource) -> bool:
    """Contrast by its codes or name; a lot of our own register is contrast, other drugs have none there."""
    concept = administration.get("medicationCodeableConcept", {})
    held = (one for one in administration.get("contained", []) if one.get("resourceType") == "Medication")
    codings = [*codes_in(concept), *(coding for one in held for coding in codes_in(one.get("code")))]
    named = agent_named(codings, [str(concept.get("text", ""))]) is not None
    return named or is_contrast_agent(codings) or bool(lot_reference(administration))


def _reaction(event: Resource, zone: tzinfo) -> Iterator[Counted]:
    if not happened(event):
        return
    # A remark counts whenever it was: one that says no moment counts too.
    said = (moment(event.get(name), zone) for name in ("date", "detected", "recordedDate"))
    at = next(filter(None, said), BEGINNING)
    leaked = kind_of(event) == EXTRAVASATION
    severe = not leaked and worst_of(event.get("severity")) == _SEVERE
    marks = [EXTRAVASATION] if leaked else ["reaction", "severe-reaction" if severe else ""]
    for suspect in suspects_of(event, "MedicationAdministration"):
        yield counted("injection", suspect, at, marks, remark=True)
