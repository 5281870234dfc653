"""What a released report says now, as the hash of its signed form."""

from __future__ import annotations

from slipring.fhir.service import Desk, Stored

from slipring_report.signatures.gathering import gathered


async def form_of(report: Stored, desk: Desk) -> str:
    """SHA-256 of the signed form of a report as it stands."""
    return (await gathered(report, desk)).form().sha256
