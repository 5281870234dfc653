"""FHIR in, facts out: the signatures on a report and what the rules on signing look at, as plain values."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import Resource, Stored
from slipring.signing.form import SIGNED_FORM
from slipring.signing.jws import jws_sha256
from slipring.signing.policy import ROLES
from slipring.signing.receipt import SIGNATURE_SEAL
from slipring.staff import Reason, StaffFacts
from slipring.staff.facts import TITLE_SYSTEM, titles

from slipring_report.reading import code_of, extension, reference_of
from slipring_report.rendering.frame import Signed
from slipring_report.vocabulary import (
    DEPARTMENT_RULE,
    IMAGE_MISMATCH,
    QUALIFICATION,
    REPORT_STATUS,
    SIGNING_ROLE,
    SUPERSEDED,
    VOIDED,
)

_ORDER: Mapping[str, int] = {role: number for number, role in enumerate(ROLES)}
PHYSICIAN = "physician"
_LICENCE_TYPES = frozenset({"MD", "LN"})  # v2-0203: medical licence, licence number


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature on record: who, when (by the service's clock), the JWS, and what it moved the report to."""

    provenance: Stored
    jws: str
    role: str
    who: str
    recorded_at: datetime
    form_sha256: str
    reached: str
    voided: bool
    licences: tuple[str, ...]
    level: str
    recorded: str = ""  # the same instant as it is written, which is what the seal binds
    seal: str = ""  # the service's seal over its receipt; signatures of an earlier release have none
    superseded: bool = False  # it stands on an earlier version of the report
    chain_length: int = 0  # how many signatures were asked for when it was given; 0: not on record
    rank: int = 0

    @property
    def stands(self) -> bool:
        """Whether it is a signature of the report as it is now."""
        return not (self.voided or self.superseded)

    @property
    def sha256(self) -> str:
        """What the next signature is chained to."""
        return jws_sha256(self.jws)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs or signed before: person, licence numbers, authority level, rank of the title (physicians)."""

    person: str
    licences: tuple[str, ...] = ()
    level: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An open finding of order that images differ from their request."""

    reference: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """What the rules on a signature look at."""

    signer: Signer
    role: str
    number: int  # this would be the n-th signature
    chain_length: int
    earlier: tuple[Signer, ...] = ()
    lacks_zh: tuple[str, ...] = ()
    lacks_en: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()


def signature(stored: Stored) -> Signature | None:
    """The report signature that a Provenance records, or None when it records something else."""
    tree = stored.resource
    form = _parts(extension(tree, SIGNED_FORM))
    signed = (tree.get("signature") or [{}])[0]
    if not form or "data" not in signed:
        return None
    try:
        jws = base64.b64decode(signed["data"]).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        jws = ""
    agent = (tree.get("agent") or [{}])[0]
    snapshot = extension(tree, QUALIFICATION).get("extension", [])
    return Signature(
        provenance=stored,
        jws=jws,
        role=code_of((agent.get("role") or [{}])[0], SIGNING_ROLE),
        who=reference_of(signed.get("who")),
        recorded_at=datetime.fromisoformat(tree["recorded"]),
        form_sha256=str(form.get("sha256", "")),
        reached=code_of(tree.get("activity"), REPORT_STATUS),
        voided=bool(extension(tree, VOIDED)),
        licences=tuple(part["valueIdentifier"]["value"] for part in snapshot if part["url"] == "licence"),
        level=next((part["valueCode"] for part in snapshot if part["url"] == "level"), ""),
        recorded=str(tree["recorded"]),
        seal=str(extension(tree, SIGNATURE_SEAL).get("valueString", "")),
        superseded=bool(extension(tree, SUPERSEDED)),
        chain_length=int(form.get("of") or 0),
        rank=_rank(snapshot),
    )


def signatures(found: Sequence[Stored]) -> list[Signature]:
    """All signatures among Provenances, oldest first."""
    read = [each for stored in found if (each := signature(stored))]
    # Two within one millisecond stand in the order of their roles.
    return sorted(read, key=lambda each: (each.recorded_at, _ORDER.get(each.role, 0)))


def shown(standing: Sequence[Signature]) -> list[Signed]:
    """The signatures as a reader of the report is shown them."""
    return [Signed(each.who, each.role, each.level, each.recorded_at) for each in standing]


def signing_facts(
    who: Signer,
    role: str,
    standing: Sequence[Signature],
    chain_length: int,
    lacks: Sequence[Reason],
    mismatches: Sequence[Mismatch] = (),
) -> SigningFacts:
    """The facts of one attempt to sign."""
    return SigningFacts(
        signer=who,
        role=role,
        number=len(standing) + 1,
        chain_length=chain_length,
        earlier=tuple(Signer(each.who, each.licences, each.level, each.rank) for each in standing),
        lacks_zh=tuple(reason.zh for reason in lacks),
        lacks_en=tuple(reason.en for reason in lacks),
        mismatches=tuple(mismatches),
    )


def mismatch(issue: Resource) -> Mismatch | None:
    """The open difference that a DetectedIssue of order states, or None: settled ones and lesser ones stop nothing."""
    found = code_of(issue.get("code"), DEPARTMENT_RULE) == IMAGE_MISMATCH
    if not found or issue.get("severity") != "high" or issue.get("mitigation"):
        return None
    english = extension(issue.get("_detail", {}), TRANSLATION).get("extension", [])
    en = next((part["valueString"] for part in english if part.get("url") == "content"), "")
    return Mismatch(f"DetectedIssue/{issue['id']}", str(issue.get("detail", "")), str(en))


def signer(reference: str, practitioner: Resource | None, staff: StaffFacts) -> Signer:
    """The person behind a certificate, as the staff register knows him."""
    levels = sorted(role.removeprefix("level-") for role in staff.roles if role.startswith("level-"))
    return Signer(
        reference, tuple(sorted(licences(practitioner or {}))), levels[-1] if levels else "", staff.rank_in(PHYSICIAN)
    )


def licences(practitioner: Resource) -> set[str]:
    """The licence numbers of a practitioner."""
    return {
        identifier["value"]
        for identifier in practitioner.get("identifier", [])
        if "value" in identifier
        and any(coding.get("code") in _LICENCE_TYPES for coding in identifier.get("type", {}).get("coding", []))
    }


def _rank(snapshot: Sequence[Resource]) -> int:
    """The rank of the physician's title as it stood then."""
    held = [sub for part in snapshot if part["url"] == "qualification" for sub in part["extension"]]
    codes = [code_of(sub.get("valueCodeableConcept"), TITLE_SYSTEM) for sub in held if sub["url"] == "code"]
    known = [titles()[code] for code in codes if code in titles()]
    return max((title.rank for title in known if title.series == PHYSICIAN), default=0)


def _parts(outer: dict[str, Any]) -> dict[str, Any]:
    return {
        part["url"]: next((value for name, value in part.items() if name.startswith("value")), None)
        for part in outer.get("extension", [])
    }
