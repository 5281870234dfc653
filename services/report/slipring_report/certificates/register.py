"""Who holds which certificate, and which were taken back, as the desk shows it."""

from __future__ import annotations

from slipring.fhir.service import Desk, Stored

from slipring_report.certificates.vocabulary import CERTIFICATE, KIND_SYSTEM, RENEWAL

_OF_KIND = f"DocumentReference?type={KIND_SYSTEM}|{CERTIFICATE}"


async def certificates_of(person: str, desk: Desk) -> list[Stored]:
    """The certificates of a person that were not taken back, ended ones too."""
    return await desk.search(f"{_OF_KIND}&subject={person}&status=current")


async def taken_back(desk: Desk) -> list[Stored]:
    """Every certificate that was taken back."""
    return await desk.search(f"{_OF_KIND}&status=superseded")


async def renewals_of(person: str, desk: Desk) -> list[Stored]:
    """The open words to a person that a certificate of his ends soon."""
    return await desk.search(f"Task?owner={person}&code={RENEWAL}&status=requested")
