"""What a signature and a seal say of a consent: a short statement for a person's key, and what the service binds. Pure.

Statement `consent-form/1`: the RFC 8785 text of seven members, all of them texts, so that a client composes it itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from slipring.consents.state import ENDED_BY, denies, exam_of_consent
from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.signing.form import tokens_sha256
from slipring.signing.seal import canonical

from slipring_consent.reading import reference_of

CONSENT_FORM = f"{CANONICAL}/consent-form/1"
CONSENT_SIGNATURE = f"{CANONICAL}/StructureDefinition/consent-signature"
CONSENT_SEAL = f"{CANONICAL}/StructureDefinition/consent-seal"
WITHDRAWAL = f"{CANONICAL}/StructureDefinition/withdrawal"
_KIND = "slipring-consent"
# What stands under the signature: none of it changes afterwards. Status, narrative and withdrawal may.
BOUND = (
    "identifier", "scope", "category", "patient", "dateTime", "performer", "organization", "sourceAttachment",
    "sourceReference", "policy", "policyRule", "verification", "provision", "modifierExtension",
)  # fmt: skip
_LATER = frozenset({CONSENT_SIGNATURE, WITHDRAWAL, ENDED_BY})  # extensions that come after the signature


def decision_of(consent: Resource) -> str:
    """Whether contrast is permitted or refused: `permit` or `deny`."""
    return "deny" if consent.get("status") == "rejected" or denies(consent) else "permit"


def statement(consent: Resource, decision: str, signer: str, text_sha256: str) -> bytes:
    """What a person's key signs."""
    told = {
        "form": CONSENT_FORM,
        "decision": decision,
        "patient": reference_of(consent.get("patient")),
        "exam": exam_of_consent(consent),
        "signer": signer,
        "text": reference_of(consent.get("sourceReference")),
        "sha256": text_sha256,
    }
    return canonical(told)


def bound_sha256(consent: Resource) -> str:
    """The SHA-256 of what stands under the signature."""
    kept = [entry for entry in consent.get("extension", []) if entry.get("url") not in _LATER]
    bound = {name: consent[name] for name in BOUND if name in consent}
    return tokens_sha256({"resourceType": "Consent", **bound, "extension": kept})


def signature_sha256(signature: Resource) -> str:
    """The SHA-256 of one signature as it was given: who, when, in what form, and its data."""
    told = {
        "who": reference_of(signature.get("who")),
        "when": str(signature.get("when", "")),
        "format": str(signature.get("sigFormat", "")),
        "data": str(signature.get("data", "")),
    }
    return hashlib.sha256(canonical(told)).hexdigest()


def sealed(consent: Resource, decision: str, text_sha256: str, signatures: Sequence[Resource], desk: Desk) -> str:
    """The service's seal over a consent, the text it was shown, and its signatures."""
    return desk.seals.seal(_payload(consent, decision, text_sha256, signatures), _KIND)


async def seal_faults(
    seal: str, consent: Resource, decision: str, text_sha256: str, signatures: Sequence[Resource], desk: Desk
) -> Sequence[str]:
    """Why the seal does not stand, as codes; none when it does."""
    return await desk.seals.faults(seal, _payload(consent, decision, text_sha256, signatures), _KIND)


def _payload(consent: Resource, decision: str, text_sha256: str, signatures: Sequence[Resource]) -> bytes:
    told = {
        "consent": f"Consent/{consent['id']}",
        "decision": decision,
        "content": bound_sha256(consent),
        "text": text_sha256,
        "signatures": " ".join(signature_sha256(one) for one in signatures),
    }
    return canonical(told)
