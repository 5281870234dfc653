"""Whose certificates count here, and which of them were taken back."""

from __future__ import annotations

from slipring.fhir.outcome import refusal
from slipring.fhir.service import Desk
from slipring.signing.revocation import Revocations

from slipring_report.certificates.reading import as_revocations
from slipring_report.certificates.register import taken_back


def trusted(desk: Desk) -> bytes:
    """The trusted roots as PEM; 503 where none is set up."""
    pem: bytes = desk.settings.trust_pem()
    if not pem:
        raise refusal(
            503,
            "exception",
            "No trusted signing root is set up here (SLIPRING_SIGNING_TRUST).",
            "本系统尚未设置受信任的签名根证书（SLIPRING_SIGNING_TRUST）。",
            detail="report.no-signing-root",
        )
    return pem


async def revocations(desk: Desk) -> Revocations:
    """What was taken back here, and what the lists of the authorities say; 503 where a list that is set cannot be read."""
    documents = [one.resource for one in await taken_back(desk)]
    try:
        return as_revocations(documents, desk.settings.revocation_lists())
    except (OSError, ValueError):
        raise refusal(
            503,
            "exception",
            "A revocation list that is set up here cannot be read (SLIPRING_SIGNING_CRL).",
            "本系统设置的证书撤销列表无法读取（SLIPRING_SIGNING_CRL）。",
            detail="report.revocation-list-unreadable",
        ) from None
