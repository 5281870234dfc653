"""The operation that judges by policy packs, as the CapabilityStatement lists it."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.assess import assessed

_POSITION = (
    Parameter("policy", "code", use="out", min=1),
    Parameter("weight", "code", use="out", min=1, documentation="stop | ask | warn | info | none"),
    Parameter("says", "string", use="out", min=1),
    Parameter("source", "string", use="out"),
)

ASSESS = Operation(
    "QuestionnaireResponse",
    "assess",
    assessed,
    level="type",
    title="Say by each policy pack whether contrast may be given, storing nothing",
    affects_state=False,
    parameters=(
        Parameter("response", "QuestionnaireResponse", documentation="answers to the contrast screening"),
        Parameter("response-reference", "Reference", documentation="answers kept here; copies are then looked at too"),
        Parameter(
            "bundle", "Bundle", documentation="what is known of the patient: the exam, results, allergies, drugs"
        ),
        Parameter("data", "Bundle", documentation="the same under the name that ServiceRequest/$justify uses"),
        Parameter("policy", "code", max="*", documentation="csr-2 | esur-10 | acr-2024; without it all of them"),
        Parameter(
            "assessment",
            "BackboneElement",
            use="out",
            min=1,
            max="*",
            documentation="one per pack, the department's own first",
            parts=(
                Parameter("policy", "code", use="out", min=1),
                Parameter("title", "string", use="out", min=1),
                Parameter(
                    "clearance",
                    "code",
                    use="out",
                    min=1,
                    documentation="cleared | precautions | physician-decision | contraindicated, by the full pack",
                ),
                Parameter(
                    "confirmed", "boolean", use="out", min=1, documentation="whether all it rests on is confirmed"
                ),
                Parameter("issue", "DetectedIssue", use="out", max="*"),
            ),
        ),
        Parameter(
            "disagreement",
            "BackboneElement",
            use="out",
            max="*",
            documentation="one per rule that packs answer differently",
            parts=(
                Parameter("rule", "code", use="out", min=1),
                Parameter("position", "BackboneElement", use="out", min=2, max="*", parts=_POSITION),
            ),
        ),
        Parameter("asOf", "instant", use="out", documentation="up to when order's copies were complete, if looked at"),
    ),
)
