"""What `$sign` is handed: a consent or refusal, its signatures, the text it points at; and every reason against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.consents.state import exams_of_consent
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import Issue, not_found
from slipring.fhir.service import Call, Desk, Resource, Stored

from slipring_consent.consenting.document import attachment_of, exams_of, hash_faults, is_consent_text, sha256_of
from slipring_consent.consenting.facts import EXPLAINED_BY
from slipring_consent.consenting.judging import with_default_end
from slipring_consent.consenting.signature import judged_key, kind_of, signature_issues, signed_at
from slipring_consent.consenting.statement import decision_of, statement
from slipring_consent.people import person_behind
from slipring_consent.reading import extension_value, instant, reference_of

CONSENT_AT = "Parameters.parameter.where(name='consent').resource"
_BESIDE = ("clinician", "witness", "assent")  # who may sign beside who consents


@dataclass(frozen=True, slots=True)
class Offered:
    """One consent as it is to be signed."""

    consent: Resource  # with its id, its new status, when it was signed and until when it holds
    before: Stored | None  # the draft it was
    decision: str  # permit | deny
    signatures: tuple[tuple[str, Resource], ...]  # by their part, that of who consents first
    text: Stored | None  # the text shown

    @property
    def text_sha256(self) -> str:
        """The SHA-256 of the text shown; empty without one."""
        return sha256_of(attachment_of(self.text.resource)) if self.text else ""

    def statement(self) -> bytes:
        """What a key of who consents signs."""
        signer = reference_of(self.signatures[0][1].get("who"))
        return statement(self.consent, self.decision, signer, self.text_sha256)


async def offered(call: Call, desk: Desk) -> Offered:
    """The consent of a call, completed; a draft that it names by id is the one that is signed."""
    given: Resource = call.value("consent")
    before = await desk.read(f"Consent/{given['id']}") if given.get("id") else None
    if given.get("id") and (before is None or before.source):
        raise not_found(f"Consent/{given['id']}")
    signatures = [("signature", call.value("signature"))]
    signatures += [(name, call.value(name)) for name in _BESIDE if call.value(name) is not None]
    decision = decision_of(given)
    consent = {**given, "id": before.resource["id"] if before else desk.new_id()}
    consent["status"] = "active" if decision == "permit" else "rejected"
    consent |= _dated(consent, signatures[0][1], desk)
    text = await desk.read(reference_of(given.get("sourceReference"))) if given.get("sourceReference") else None
    return Offered(consent, before, decision, tuple(signatures), text)


def _dated(consent: Resource, signature: Resource, desk: Desk) -> Resource:
    """It is signed when its signature says, and holds from then on if it says nothing else."""
    when = signed_at(signature, desk)
    if when is None:
        return {}
    provision = consent.get("provision", {})
    period = {"start": instant(when), **provision.get("period", {})}
    dated = {"dateTime": signature["when"], "provision": {**provision, "period": period}}
    return dated | with_default_end(dated, desk)


async def issues_of(one: Offered, call: Call, desk: Desk) -> list[Issue]:
    """Everything that is wrong with the text and the signatures; what the consent itself lacks is for its rules."""
    issues = _text_issues(one)
    for name, signature in one.signatures:
        beside = name != "signature"
        issues += signature_issues(signature, f"{call.at(name)}.valueSignature", desk, may_be_named_only=beside)
    issues += await _who_issues(one, call, desk)
    return issues or _key_issues(one, call, desk)


def _text_issues(one: Offered) -> list[Issue]:
    at = f"{CONSENT_AT}.sourceReference"
    if one.text is None or one.text.source or not is_consent_text(one.text.resource):
        zh, en = "须指向本系统保存的知情同意书文本。", "It points at the text shown, as it is stored here."
        return [Issue("required", zh=zh, en=en, at=at, detail="consent.sign-text")]
    text = one.text.resource
    exams = exams_of(text)
    if text.get("status") != "current" or hash_faults(attachment_of(text)):
        zh, en = "该文本已作废或已被改动。", "The text was taken back, or it is not what it was."
    elif reference_of(text.get("subject")) != reference_of(one.consent.get("patient")):
        zh, en = "该文本属于另一患者。", "The text is another patient's."
    elif exams != exams_of_consent(one.consent):
        zh, en = "该文本属于另一次检查。", "The text is for another examination."
    else:
        return []
    return [Issue("business-rule", zh=zh, en=en, at=at, detail="consent.sign-text")]


async def _who_issues(one: Offered, call: Call, desk: Desk) -> list[Issue]:
    """Each signs in his own part: who consents, who explained, the patient as a child."""
    patient = reference_of(one.consent.get("patient"))
    performers = {reference_of(entry) for entry in one.consent.get("performer", [])}
    verified: Resource = next(iter(one.consent.get("verification", [])), {})
    explained = await person_behind(desk, reference_of(extension_value(verified, EXPLAINED_BY)))
    records = await merge_set(patient, desk) if patient else frozenset()
    issues = []
    for name, signature in one.signatures:
        who = reference_of(signature.get("who"))
        named = await person_behind(desk, who)
        fits = {
            "signature": who in performers,
            "clinician": bool(named) and named == explained,
            "witness": who not in performers and who not in records,
            "assent": who in records,
        }[name]
        if who and not fits:
            zh, en = "签署人与其身份不符。", "Who signs is not who signs in this part."
            at = f"{call.at(name)}.valueSignature.who"
            issues.append(Issue("business-rule", zh=zh, en=en, at=at, detail="consent.sign-who"))
    return issues


def _key_issues(one: Offered, call: Call, desk: Desk) -> list[Issue]:
    """Why a signature by key does not stand: it is over the statement of this consent, by a key of who signs."""
    issues = []
    for name, signature in one.signatures:
        if kind_of(signature) != "key":
            continue
        judged = judged_key(signature, one.statement(), desk.now, desk)
        reasons: Sequence[tuple[str, str, str]] = [(one.code, one.zh, one.en) for one in judged.reasons]
        if judged.valid and judged.signer != reference_of(signature.get("who")):
            zh, en = "签名密钥属于另一人。", "The key is another person's."
            reasons = [("foreign-key", zh, en)]
        at = f"{call.at(name)}.valueSignature.data"
        issues += [Issue("security", zh=zh, en=en, at=at, detail=f"consent.key-{code}") for code, zh, en in reasons]
    return issues
