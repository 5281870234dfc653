"""Whether a signed consent still is what was signed: text, content, seal and signatures, each with its reasons. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.service import Desk, Resource, Stored

from slipring_consent.consenting.document import attachment_of, hash_faults, is_consent_text, sha256_of
from slipring_consent.consenting.pen_image import png_fault, svg_fault
from slipring_consent.consenting.signature import data_of, judged_key, kind_of
from slipring_consent.consenting.statement import (
    CONSENT_SEAL,
    CONSENT_SIGNATURE,
    bound_sha256,
    decision_of,
    seal_faults,
    statement,
)
from slipring_consent.reading import extension_value, reference_of


@dataclass(frozen=True, slots=True)
class SignatureFound:
    """One signature of the record, and why it does not stand; it stands without a reason."""

    who: str
    when: str
    kind: str  # pen-image | key | none
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found: `reasons` are codes of verification.toml about the text, the consent and the seal."""

    verdict: str  # stands | broken | on-paper
    reasons: tuple[str, ...] = ()
    signatures: tuple[SignatureFound, ...] = ()
    seal: str = ""
    record: Stored | None = None
    text: Stored | None = None


async def standing(consent: Stored, desk: Desk) -> Standing:
    """Examine a consent as it stands now; one that was not signed here has nothing to examine."""
    pointer = extension_value(consent.resource, CONSENT_SIGNATURE)
    if pointer is None:
        found = await desk.search(f"Provenance?target={consent.reference}")
        if any(extension_value(one.resource, CONSENT_SEAL) for one in found):
            return Standing("broken", ("record-not-named",))
        return Standing("on-paper", ("signature-elsewhere",))
    record = await desk.read(reference_of(pointer))
    text = await desk.read(reference_of(consent.resource.get("sourceReference")))
    if record is None or record.source:
        return Standing("broken", ("record-missing",), text=text)
    seal = str(extension_value(record.resource, CONSENT_SEAL) or "")
    sha256 = sha256_of(attachment_of(text.resource)) if text else ""
    given: Sequence[Resource] = record.resource.get("signature", [])
    decision = await _decision(consent, record, desk)
    reasons = [*_text_reasons(text, record), *await _content_reasons(consent, record, desk)]
    reasons += [f"seal-{code}" for code in await seal_faults(seal, consent.resource, decision, sha256, given, desk)]
    payload = statement(consent.resource, decision, reference_of(given[0].get("who")) if given else "", sha256)
    signatures = tuple(_examined(one, payload, record.updated_at, desk) for one in given)
    if not given:
        reasons.append("signature-missing")
    stands = not reasons and not any(one.reasons for one in signatures)
    return Standing("stands" if stands else "broken", tuple(reasons), signatures, seal, record, text)


async def _decision(consent: Stored, record: Stored, desk: Desk) -> str:
    """What was decided when it was signed: a withdrawal comes later and changes nothing of it."""
    signed = await _version_signed(consent, record, desk)
    return decision_of((signed or consent).resource)


async def _version_signed(consent: Stored, record: Stored, desk: Desk) -> Stored | None:
    target = next((str(one.get("reference", "")) for one in record.resource.get("target", [])), "")
    reference, _, version = target.partition("/_history/")
    if reference != consent.reference or not version.isdigit():
        return None
    return await desk.read_version(reference, int(version))


async def _content_reasons(consent: Stored, record: Stored, desk: Desk) -> list[str]:
    """The record names a version of this consent, and what was signed of it is what stands now."""
    signed = await _version_signed(consent, record, desk)
    if signed is None:
        return ["another-version"]
    return [] if bound_sha256(signed.resource) == bound_sha256(consent.resource) else ["content-differs"]


def _text_reasons(text: Stored | None, record: Stored) -> list[str]:
    if text is None or not is_consent_text(text.resource):
        return ["text-missing"]
    named = [reference_of(one.get("what")) for one in record.resource.get("entity", [])]
    wrong = [] if named == [text.reference] else ["another-text"]
    return [*wrong, *(["text-altered"] if hash_faults(attachment_of(text.resource)) else [])]


def _examined(signature: Resource, payload: bytes, at: datetime, desk: Desk) -> SignatureFound:
    kind, data = kind_of(signature), data_of(signature)
    reasons: list[str] = []
    if kind == "key":
        judged = judged_key(signature, payload, at, desk)
        reasons += [one.code for one in judged.reasons]
        reasons += ["foreign-key"] if judged.valid and judged.signer != reference_of(signature.get("who")) else []
    elif kind == "pen-image":
        fault = (png_fault if signature.get("sigFormat") == "image/png" else svg_fault)(data or b"")
        reasons += [f"image-{fault}"] if fault else []
    return SignatureFound(reference_of(signature.get("who")), str(signature.get("when", "")), kind, tuple(reasons))
