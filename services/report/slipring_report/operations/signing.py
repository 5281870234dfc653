"""Signing and verifying a report."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import signing, signing_input, verifying

_SIGNATURE_PARTS = (
    Parameter("who", "Reference", "out", 1),
    Parameter("when", "dateTime", "out", 1),
    Parameter("alg", "code", "out", 1),
    Parameter("valid", "boolean", "out", 1),
    Parameter("sealed", "boolean", "out", 1, documentation="whether the service sealed the time of this signature"),
    Parameter("timeStamp", "dateTime", "out", documentation="the time that an outside authority stamped it with"),
    Parameter("reason", "string", "out", 0, "*"),
)

_SEAL_PARTS = (
    Parameter("valid", "boolean", "out", 1, documentation="whether the service's own seal over the rendering stands"),
    Parameter("when", "dateTime", "out", documentation="when the rendering was made and sealed"),
    Parameter("reason", "string", "out", 0, "*"),
)

_TOLD = Parameter("issue", "DetectedIssue", "out", 0, "*", "what the signer is told of; it stops no signature")

SIGNING_OPERATIONS = (
    Operation(
        "DiagnosticReport",
        "signing-input",
        signing_input.signing_input_asked,
        title="What is to be signed, and how it reads",
        affects_state=False,
        parameters=(
            Parameter("role", "code", min=1, documentation="author | reviewer | chief"),
            Parameter("payload", "base64Binary", "out", 1),
            Parameter("sha256", "string", "out", 1),
            Parameter("form", "uri", "out", 1),
            Parameter("rendering", "Attachment", "out", 1),
            Parameter("version", "Reference", "out", 1, "*"),
            Parameter(
                "previous",
                "string",
                "out",
                documentation="the SHA-256 (hex) of the signature before, which the next one names as `prev`; absent for the first",
            ),
            _TOLD,
        ),
    ),
    Operation(
        "DiagnosticReport",
        "sign",
        signing.report_signed,
        title="Sign the report with a detached JWS",
        step_up=True,
        parameters=(
            Parameter("jws", "string", min=1, documentation="detached compact JWS over the payload"),
            Parameter("role", "code", min=1, documentation="author | reviewer | chief"),
            Parameter(
                "emergency",
                "CodeableConcept",
                documentation="a code of emergency-release-reason: release this stat report under this one signature",
            ),
            Parameter("report", "Reference", "out", 1),
            Parameter("provenance", "Reference", "out", 1),
            _TOLD,
        ),
    ),
    Operation(
        "DiagnosticReport",
        "verify",
        verifying.verification_asked,
        title="Examine every signature again",
        affects_state=False,
        parameters=(
            Parameter("valid", "boolean", "out", 1),
            Parameter("signature", "", "out", 0, "*", parts=_SIGNATURE_PARTS),
            Parameter("seal", "", "out", 0, "*", parts=_SEAL_PARTS),
        ),
    ),
)
