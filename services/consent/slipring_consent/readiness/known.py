"""What the desk knows about the rescue equipment that counts for one injection: reads only, facts out."""

from __future__ import annotations

from slipring.fhir.service import Desk

from slipring_consent.readiness.facts import ReadinessFacts


async def readiness_known(exam: str, desk: Desk) -> ReadinessFacts:
    """What READINESS_RULES weigh for an injection of this exam (ServiceRequest/...)."""
    return ReadinessFacts()
