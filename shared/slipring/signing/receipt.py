"""What the service vouches for when it takes a signature: this JWS, over this form, by this person, at this time.

The time in the receipt is the time of the signature: whether a key was valid is judged at it, never at the signer's own
clock. It is sealed by the service's key (`seal`, kind RECEIPT) and lies with the signature's record, so that each
signature has its own sealed time, also the first one of a report that is not released yet.
"""

from __future__ import annotations

from slipring.fhir.service import CANONICAL
from slipring.signing.seal import canonical

SIGNATURE_SEAL = f"{CANONICAL}/StructureDefinition/signature-seal"
RECEIPT = "slipring-report-signature"  # the `typ` of its seal


def receipt(report: str, form_sha256: str, jws_sha256: str, signer: str, role: str, recorded: str) -> bytes:
    """The sealed bytes; `report` and `signer` are references without version, `recorded` is the instant as stored."""
    return canonical(
        {
            "report": report,
            "form": form_sha256,
            "signature": jws_sha256,
            "signer": signer,
            "role": role,
            "recorded": recorded,
        }
    )
