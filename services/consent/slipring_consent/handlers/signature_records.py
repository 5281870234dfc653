"""The record of a signed consent is made by `$sign` alone: nobody writes, alters or removes one by hand."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Desk, Write

from slipring_consent.consenting.statement import CONSENT_SEAL
from slipring_consent.reading import extension_value


async def record_written(write: Write, desk: Desk) -> Changes:
    """Other Provenances are plain records."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    if not write.imported and any(extension_value(tree, CONSENT_SEAL) is not None for tree in trees):
        raise unprocessable(
            "The record of a signed consent is made by Consent/$sign alone, and stays as it is.",
            "知情同意的签署记录只能由 Consent/$sign 产生，且不可更改。",
            at="Provenance.extension",
            detail="consent.signature-by-operation",
        )
    return Changes.none()
