"""Two signatures by two people, in order (CL02-A011:5.7.1)."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_report.signatures.facts import SigningFacts

_FIRST, _LATER = ("author",), ("reviewer", "chief")


@rule("report.signers-differ", clause="CL02-A011:5.7.1", weight=Weight.STOP)
def signers_differ(signing: SigningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Each signature of a report is by another person than the ones before it.

    The person counts, not the account: the same licence number under two Practitioner records is one person.
    """
    for earlier in signing.earlier:
        if earlier.person == signing.signer.person or set(earlier.licences) & set(signing.signer.licences):
            return Hit(
                zh="此人已在该报告上签名，须由另一位医师签名。",
                en="This person has already signed the report; another physician must sign.",
                at="Parameters.parameter.where(name='jws')",
                inputs={"signer": signing.signer.person, "earlier": earlier.person},
            )
    return None


@rule("report.roles-in-order", clause="CL02-A011:5.7.1", weight=Weight.STOP)
def roles_in_order(signing: SigningFacts, limits: Limits, now: datetime) -> Hit | None:
    """The author signs first; a reviewer or chief signs after him."""
    fitting = _FIRST if signing.number == 1 else _LATER
    if signing.role in fitting:
        return None
    return Hit(
        zh=f"第 {signing.number} 个签名的角色应为 {' 或 '.join(fitting)}。",
        en=f"Signature {signing.number} must be given in the role {' or '.join(fitting)}.",
        at="Parameters.parameter.where(name='role')",
        inputs={"role": signing.role, "number": signing.number},
    )


@rule("report.level-not-lower", clause="CL02-A011:5.6.1", weight=Weight.STOP)
def level_not_lower(signing: SigningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Whoever reviews has at least the authority level of the one before him."""
    before = signing.earlier[-1].level if signing.earlier else ""
    if not before or not signing.signer.level or signing.signer.level >= before:
        return None
    return Hit(
        zh=f"签名者权限级别 {signing.signer.level.upper()} 低于前一签名者的 {before.upper()}。",
        en=f"The signer's level {signing.signer.level.upper()} is below level {before.upper()} of the signer before.",
        at="Parameters.parameter.where(name='jws')",
        inputs={"level": signing.signer.level, "before": before},
    )


@rule("report.rank-not-lower", clause="CL02-A011:5.6.1", weight=Weight.STOP)
def rank_not_lower(signing: SigningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Whoever reviews has at least the title's rank of the one before him.

    Levels are the department's own and may be missing on the register; titles are not.
    """
    before = signing.earlier[-1].rank if signing.earlier else 0
    if signing.signer.rank >= before:
        return None
    return Hit(
        zh=f"签名者职称级别 {signing.signer.rank} 低于前一签名者的 {before}。",
        en=f"The rank of the signer's title, {signing.signer.rank}, is below {before} of the signer before.",
        at="Parameters.parameter.where(name='jws')",
        inputs={"rank": signing.signer.rank, "before": before},
    )
