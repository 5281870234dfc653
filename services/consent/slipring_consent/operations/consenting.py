"""The operations on consents and their texts, as the service declares them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.consent_signing import consent_signed
from slipring_consent.handlers.consent_texts import text_asked

CONSENTING_OPERATIONS = (
    Operation(
        "DocumentReference",
        "consent-text",
        text_asked,
        level="type",
        title="Make and keep the exact consent text for one exam",
        tells=("Patient", "ServiceRequest"),
        parameters=(
            Parameter("request", "Reference", min=1, documentation="the ServiceRequest"),
            Parameter("language", "code", documentation="zh-CN (default) or en, or what the data files hold"),
            Parameter("agent", "CodeableConcept", documentation="the contrast agent; absent: the one in the request"),
            Parameter("dose", "Quantity", min=1, documentation="planned, in mL"),
            Parameter("route", "CodeableConcept", documentation="SNOMED CT, or in words; absent: intravenous"),
            Parameter(
                "return", "DocumentReference", use="out", min=1, documentation="with the text, its hashes and version"
            ),
        ),
    ),
    Operation(
        "Consent",
        "sign",
        consent_signed,
        level="type",
        title="Sign a consent or a refusal, by pen or by key",
        parameters=(
            Parameter(
                "consent", "Consent", min=1, documentation="new, or a draft by its id; rejected or deny: a refusal"
            ),
            Parameter(
                "signature",
                "Signature",
                min=1,
                documentation="of who consents: image/png, image/svg+xml or application/jose",
            ),
            Parameter("clinician", "Signature", documentation="of who explained; may be named without data"),
            Parameter("witness", "Signature", documentation="may be named without data"),
            Parameter(
                "assent", "Signature", documentation="of a child beside the guardian's; may be named without data"
            ),
            Parameter("consent", "Consent", use="out", min=1),
            Parameter(
                "provenance", "Reference", use="out", min=1, documentation="the signatures and the service's seal"
            ),
        ),
    ),
)
