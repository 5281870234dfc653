"""The explanation comes before the signature, and neither lies in the future."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule
from slipring.signing.policy import clock_tolerance

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.explained-first", clause="CL02-A011:5.4.1", weight="stop")
def was_explained_before_signing(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """The explanation comes before the signature, and neither lies in the future."""
    if facts.explained_at is None or not facts.explained_by:
        return _missing() if facts.signed_here else None
    late = facts.signed_at is not None and facts.explained_at > facts.signed_at + clock_tolerance()
    if late or facts.explained_at > now + clock_tolerance():
        return Hit(
            "告知时间不得晚于签署时间，也不得晚于现在。",
            "The explanation is not later than the signature, nor in the future.",
            at="Consent.verification.verificationDate",
        )
    return None


def _missing() -> Hit:
    return Hit(
        "签署前须由医师或护士告知；请注明告知人与时间。",
        "A physician or nurse explains before it is signed: state who, and when.",
        at="Consent.verification",
    )
