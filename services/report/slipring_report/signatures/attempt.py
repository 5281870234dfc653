"""One attempt to sign: the report as it stands, the signature judged, the signer as he is known, and what stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Desk, Require, Stored
from slipring.rules.finding import Finding, Weight
from slipring.rules.limits import LimitBook
from slipring.rules.rulebook import check
from slipring.signing.form import SignedForm
from slipring.signing.jws import Judged, judge
from slipring.signing.policy import Reason
from slipring.staff import missing, staff_facts

from slipring_report.rules import SIGNING_RULES
from slipring_report.signatures.chain import Chain
from slipring_report.signatures.facts import Signature, Signer, signer, signing_facts
from slipring_report.signatures.gathering import Gathered, open_mismatches, roles_of
from slipring_report.signatures.trusting import revocations, trusted

_NO_LIMITS = LimitBook({})
_NOT_NEW = Reason("already-used", "该签名已被使用过。", "This signature has been used before.")


@dataclass(frozen=True, slots=True)
class OnFile:
    """A report with its content and the signatures on it, voided ones too."""

    parts: Gathered
    form: SignedForm
    every: Sequence[Signature]

    @property
    def report(self) -> Stored:
        """The report."""
        return self.parts.report

    @property
    def standing(self) -> list[Signature]:
        """The signatures that count, in their order."""
        return [each for each in self.every if each.stands]

    @property
    def number(self) -> int:
        """Which signature the next one would be."""
        return len(self.standing) + 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signature handed in; `findings` is empty when it is taken."""

    jws: str
    judged: Judged
    chain: Chain
    who: Signer
    person: Stored | None
    roles: Sequence[Stored]
    findings: Sequence[Finding]

    @property
    def requires(self) -> list[Require]:
        """The signer's records at the version read."""
        return [Require(one.reference, one.version) for one in (self.person, *self.roles) if one]


def demand_signed_here(on_file: OnFile) -> None:
    """409 for a report whose status was not moved by signatures of ours."""
    if bool(on_file.standing) != (on_file.report.resource["status"] == "preliminary"):
        raise conflict(
            "This report was not signed here; only drafts made here are signed.",
            "该报告并非在本系统签名；只有在本系统书写的草稿才能签名。",
            at="DiagnosticReport.status",
            detail="report.not-signed-here",
        )


async def attempted(on_file: OnFile, jws: str, role: str, chain: Chain, desk: Desk) -> Attempt:
    """Judge the signature and its signer, as of now."""
    standing = on_file.standing
    judged = judge(
        jws,
        on_file.form.payload,
        trust_pem=trusted(desk),
        at=desk.now,
        role=role,
        prev=standing[-1].sha256 if standing else "",
        algorithms=desk.settings.algorithms,
        revoked=await revocations(desk),
    )
    person = await desk.read(judged.signer) if judged.signer else None
    roles = await roles_of(judged.signer, desk) if person else []
    staff = staff_facts(
        person.resource if person else None, [each.resource for each in roles], desk.now, zone=desk.settings.time_zone
    )
    who = signer(judged.signer, person.resource if person else None, staff)
    findings = [_finding(reason) for reason in (*judged.reasons, *([_NOT_NEW] if _used(jws, on_file.every) else []))]
    if judged.signer:
        lacks = missing(chain.act(on_file.number), staff)
        mismatches = await open_mismatches(on_file.report.resource, desk)
        facts = signing_facts(who, role, standing, chain.length, lacks, mismatches)
        findings += check(facts, SIGNING_RULES, _NO_LIMITS.on(staff.day), desk.now)
    return Attempt(jws, judged, chain, who, person, roles, findings)


def _finding(reason: Reason) -> Finding:
    return Finding(
        rule=f"report.signature-{reason.code}",
        version="1",
        clause="CL02-A011:5.7.1",
        weight=Weight.STOP,
        zh=reason.zh,
        en=reason.en,
        at="Parameters.parameter.where(name='jws')",
    )


def _used(jws: str, every: Sequence[Signature]) -> bool:
    # The header alone decides: an ECDSA value can be rewritten into another valid one by anybody.
    return any(each.jws.partition(".")[0] == jws.partition(".")[0] for each in every)
