"""The operations on consents and their texts, as the service declares them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.consenting.exception import signs_exception
from slipring_consent.handlers.consent_printing import print_asked
from slipring_consent.handlers.consent_signing import consent_signed
from slipring_consent.handlers.consent_texts import text_asked
from slipring_consent.handlers.consent_verifying import verification_asked
from slipring_consent.handlers.consent_withdrawing import consent_withdrawn

_REASON = Parameter(
    "reason",
    "",
    use="out",
    max="*",
    parts=(
        Parameter("code", "code", use="out", min=1),
        Parameter("zh", "string", use="out", min=1),
        Parameter("en", "string", use="out", min=1),
    ),
)

CONSENTING_OPERATIONS = (
    Operation(
        "DocumentReference",
        "consent-text",
        text_asked,
        level="type",
        title="Make and keep the exact consent text for one exam",
        creates=True,
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
        step_up=signs_exception,
        tells=("Patient", "DocumentReference"),
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
    Operation(
        "Consent",
        "withdraw",
        consent_withdrawn,
        title="Withdraw a consent",
        parameters=(
            Parameter("reason", "CodeableConcept", min=1, documentation="CodeSystem withdrawal-reason, or in words"),
            Parameter(
                "by", "Reference", min=1, documentation="the patient, a RelatedPerson, or staff who notes it down"
            ),
            Parameter("return", "Consent", use="out", min=1),
        ),
    ),
    Operation(
        "Consent",
        "verify",
        verification_asked,
        title="Examine whether a consent still is what was signed",
        affects_state=False,
        tells=("Provenance", "DocumentReference"),
        parameters=(
            Parameter("valid", "boolean", use="out", min=1, documentation="everything that was signed stands"),
            Parameter("verdict", "code", use="out", min=1, documentation="stands | broken | on-paper"),
            Parameter("words", "string", use="out", min=1),
            _REASON,
            Parameter(
                "signature",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("who", "Reference", use="out", min=1),
                    Parameter("when", "dateTime", use="out", min=1),
                    Parameter("kind", "code", use="out", min=1, documentation="pen-image | key | named"),
                    Parameter("valid", "boolean", use="out", min=1),
                    _REASON,
                ),
            ),
        ),
    ),
    Operation(
        "Consent",
        "print",
        print_asked,
        title="Print a consent: its text, signatures and seal",
        affects_state=False,
        tells=("Patient", "Provenance", "DocumentReference"),
        parameters=(
            Parameter("format", "code", documentation="text/html (default) or application/pdf"),
            Parameter(
                "return", "Binary", use="out", min=1, documentation="the page in `data`, of the format asked for"
            ),
        ),
    ),
)
