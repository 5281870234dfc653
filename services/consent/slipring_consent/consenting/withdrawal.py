"""What a withdrawn Consent says of its withdrawal. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.service import Resource

from slipring_consent.consenting.statement import WITHDRAWAL
from slipring_consent.reading import extensions, reference_of


@dataclass(frozen=True, slots=True)
class WithdrawalFacts:
    """Whether somebody said by whom consent was withdrawn, and why."""

    by_stated: bool = True
    reason_stated: bool = True


def withdrawal_facts(consent: Resource) -> WithdrawalFacts:
    """What stands in the `withdrawal` extension; `$withdraw` writes it whole."""
    said = {part.get("url"): part for one in extensions(consent, WITHDRAWAL) for part in one.get("extension", [])}
    reason = said.get("reason", {}).get("valueCodeableConcept", {})
    return WithdrawalFacts(
        by_stated=bool(reference_of(said.get("by", {}).get("valueReference"))),
        reason_stated=bool(reason.get("coding") or str(reason.get("text", "")).strip()),
    )
