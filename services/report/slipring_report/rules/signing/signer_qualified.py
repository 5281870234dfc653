"""Only the qualified sign, as of this moment (CL02-A011:5.1.2, 5.1.6)."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_report.signatures.facts import SigningFacts


@rule("report.signer-qualified", clause="CL02-A011:5.1.2", weight=Weight.STOP)
def signer_is_qualified(signing: SigningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Whoever signs holds, at this moment, what his signature asks for.

    The first signature asks for level B or higher, the last one for the authority to sign independently.
    """
    if not signing.lacks_en:
        return None
    return Hit(
        zh="签名者不具备资格：" + "".join(signing.lacks_zh),
        en="The signer is not qualified: " + " ".join(signing.lacks_en),
        at="Parameters.parameter.where(name='jws')",
        inputs={"signer": signing.signer.person, "number": signing.number, "of": signing.chain_length},
    )
