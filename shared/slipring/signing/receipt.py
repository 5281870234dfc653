"""What the service vouches for when it takes a signature: this JWS, over this form, by this person, at this time.

The time in the receipt is the time of the signature: whether a key was valid is judged at it, never at the signer's own
clock. It is sealed by the service's key (`seal`, kind RECEIPT) and lies with the signature's record, so that each
signature has its own sealed time, also the first one of a report that is not released yet.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import CANONICAL
from slipring.signing.seal import canonical

SIGNATURE_SEAL = f"{CANONICAL}/StructureDefinition/signature-seal"
RECEIPT = "slipring-report-signature"  # the `typ` of its seal
RELEASE = "slipring-report-release"  # the `typ` of the seal over a rendering that was released


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


def release(report: str, form_sha256: str, rendering_sha256: str, signatures: Sequence[str]) -> bytes:
    """What is sealed at release: this rendering, made from this form under these signatures (SHA-256 of each JWS)."""
    return canonical(
        {"report": report, "form": form_sha256, "rendering": rendering_sha256, "signatures": " ".join(signatures)}
    )
