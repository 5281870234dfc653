"""The operations on reactions, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.adr_form import adr_form_asked
from slipring_consent.handlers.recording import noticed, recorded

_SAID = (
    Parameter("kind", "code", documentation="allergic-like | physiologic | extravasation"),
    Parameter("severity", "Coding", documentation="a grade in any known scale; it is kept as it was given"),
    Parameter("at", "dateTime", documentation="when; now when left out"),
    Parameter("performer", "Reference", documentation="who says it, when the caller is no person"),
    Parameter("manifestation", "code", max="*", documentation="CodeSystem reaction-sign"),
    Parameter(
        "measure",
        "BackboneElement",
        max="*",
        documentation="what was done; time and person are now and the caller when left out",
        parts=(
            Parameter("what", "code", documentation="CodeSystem reaction-measure"),
            Parameter("dose", "Quantity"),
            Parameter("route", "CodeableConcept"),
            Parameter("at", "dateTime"),
            Parameter("by", "Reference"),
            Parameter("note", "string"),
        ),
    ),
    Parameter(
        "vital",
        "BackboneElement",
        max="*",
        documentation="vital signs; kept as one Observation",
        parts=(
            Parameter("systolic", "decimal", documentation="mm[Hg]"),
            Parameter("diastolic", "decimal", documentation="mm[Hg]"),
            Parameter("pulse", "decimal", documentation="/min"),
            Parameter("spo2", "decimal", documentation="%"),
            Parameter("breathing", "decimal", documentation="/min"),
        ),
    ),
)
_RETURN = (
    Parameter("return", "AdverseEvent", use="out", min=1),
    Parameter("handover", "Reference", use="out", documentation="present once it is handed over to critical"),
    Parameter(
        "timing",
        "code",
        use="out",
        documentation="acute | late | very-late after the injection (limits reaction.acute_minutes, reaction.late_hours)",
    ),
)

REACTION_OPERATIONS = (
    Operation(
        "AdverseEvent",
        "notice",
        noticed,
        level="type",
        title="Write a reaction down at once; the one that is open of an injection is found again",
        parameters=(
            Parameter("injection", "Reference", documentation="the MedicationAdministration that is suspected"),
            Parameter("patient", "Reference", documentation="where no injection is known here"),
            Parameter("exam", "Reference", documentation="the request; an injection knows its own"),
            Parameter(
                "elsewhere", "string", documentation="of an injection given elsewhere: agent, place and day in words"
            ),
            *_SAID,
            *_RETURN,
        ),
    ),
    Operation(
        "AdverseEvent",
        "record",
        recorded,
        title="Add to a reaction what is seen, done and measured, or move it to another phase",
        parameters=(
            *_SAID,
            Parameter("onset", "dateTime", documentation="when it began"),
            Parameter("outcome", "code", documentation="R4 adverse-event-outcome"),
            Parameter("effect", "code", documentation="CodeSystem reaction-effect: what it means for the CT result"),
            Parameter("effectText", "string"),
            Parameter(
                "extravasation",
                "BackboneElement",
                parts=(
                    Parameter("volume", "decimal", documentation="ml"),
                    Parameter("site", "CodeableConcept"),
                    Parameter("symptom", "code", max="*", documentation="CodeSystem extravasation-symptom"),
                ),
            ),
            Parameter(
                "phase", "code", documentation="noticed | under-treatment | resolved | closed | entered-in-error"
            ),
            Parameter("reason", "string", documentation="why it is corrected; closed and wrong ones demand it"),
            *_RETURN,
        ),
    ),
    Operation(
        "AdverseEvent",
        "adr-form",
        adr_form_asked,
        title="The national report of a reaction, as data and to print, with what is missing of it",
        affects_state=False,
        tells=(
            "Patient",
            "MedicationAdministration",
            "Medication",
            "ServiceRequest",
            "Practitioner",
            "Observation",
            "AllergyIntolerance",
        ),
        parameters=(
            Parameter("kind", "code", documentation="first (default) | follow-up report"),
            Parameter("format", "code", documentation="of `page`: text/html (default) or application/pdf"),
            Parameter(
                "form", "Attachment", use="out", min=1, documentation="application/json, by the keys of the form"
            ),
            Parameter(
                "page", "Attachment", use="out", min=1, documentation="the sheet to print, in the format asked for"
            ),
            Parameter("missing", "code", use="out", max="*", documentation="a line that is demanded and not answered"),
        ),
    ),
)
