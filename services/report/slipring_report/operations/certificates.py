"""Certificates: a request decided by a second person, a certificate taken back, the lists of those that were."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import certificates, revoking

CERTIFICATE_OPERATIONS = (
    Operation(
        "Task",
        "decide-certificate",
        certificates.request_decided,
        title="Approve or refuse a request for a signing certificate, as the second person",
        step_up=True,
        parameters=(
            Parameter("decision", "code", min=1, documentation="approve | refuse"),
            Parameter("reason", "string", documentation="why it is refused"),
            Parameter("task", "Task", "out", 1, documentation="the request as it stands"),
            Parameter("certificate", "Reference", "out", documentation="the DocumentReference that keeps the chain"),
            Parameter("chain", "string", "out", documentation="the chain as PEM, the person's own certificate first"),
        ),
    ),
    Operation(
        "DocumentReference",
        "revoke-certificate",
        revoking.certificate_revoked,
        title="Take a signing certificate back; what was signed before stands",
        step_up=True,
        parameters=(
            Parameter("reason", "code", min=1, documentation="of CodeSystem certificate-revocation-reason"),
            Parameter("since", "dateTime", documentation="since when; now when left out"),
            Parameter("certificate", "Reference", "out", 1),
            Parameter("signature", "Reference", "out", 0, "*", "a signature of its holder recorded since then"),
        ),
    ),
    Operation(
        "DocumentReference",
        "revocation-list",
        revoking.list_asked,
        level="type",
        title="The revocation lists of the department's authority, signed now",
        affects_state=False,
        parameters=(Parameter("list", "string", "out", documentation="CRLs (RFC 5280) as PEM, one per issuing key"),),
    ),
)
