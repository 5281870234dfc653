"""Decisions on consents out, in FHIR spelling: who signed, who withdrew. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource

from slipring_consent.consenting.signature import KIND_SYSTEM, SIGNATURE_KIND, kind_of
from slipring_consent.consenting.statement import CONSENT_SEAL, WITHDRAWAL
from slipring_consent.reading import instant, reference_of

_SIGNER = "http://terminology.hl7.org/CodeSystem/contractsignertypecodes"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_KINDS = {
    "pen-image": ("手写笔迹图像：不是密码学签名", "image of a pen signature: no cryptographic signature"),
    "key": ("以本人密钥作出的数字签名", "digital signature by the signer's own key"),
    "none": ("仅具名，无笔迹", "named only, nothing written"),
}
# Who signs beside whom: the part he plays as a code, and in words.
PARTS: Mapping[str, tuple[str, str, str, str]] = {
    "signature": (_SIGNER, "CONSENTER", "同意人", "who consents"),
    "guardian": (_SIGNER, "GUARD", "监护人或代签人", "who signs for the patient"),
    "clinician": (_PARTICIPANT, "attester", "告知人", "who explained"),
    "witness": (_SIGNER, "WIT", "见证人", "witness"),
    "assent": (_SIGNER, "PAT", "患者本人意愿", "the patient's own assent"),
}


def with_kind(signature: Resource) -> Resource:
    """A signature with what it is said in words and as a code: an image of a pen is no cryptographic signature."""
    kind = kind_of(signature)
    zh, en = _KINDS[kind]
    code = {"none": "named"}.get(kind, kind)
    said = {"coding": [{"system": KIND_SYSTEM, "code": code, "display": en}], "text": f"{zh} / {en}"}
    others = [entry for entry in signature.get("extension", []) if entry.get("url") != SIGNATURE_KIND]
    return {"extension": [*others, {"url": SIGNATURE_KIND, "valueCodeableConcept": said}], **_without(signature)}


def _without(signature: Resource) -> Resource:
    return {name: value for name, value in signature.items() if name != "extension"}


def as_signed(
    provenance_id: str,
    consent: str,
    version: int,
    text: str,
    signatures: Sequence[tuple[str, Resource]],
    seal: str,
    *,
    patient: str,
    now: datetime,
) -> Resource:
    """The Provenance of a signed consent: which version, who signed in which part, the text, and the service's seal."""
    return {
        "resourceType": "Provenance",
        "id": provenance_id,
        "extension": [{"url": CONSENT_SEAL, "valueString": seal}],
        "target": [{"reference": f"{consent}/_history/{version}"}],
        "occurredDateTime": signatures[0][1]["when"],
        "recorded": instant(now),
        "activity": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-DocumentCompletion",
                    "code": "LA",
                    "display": "legally authenticated",
                }
            ]
        },
        "agent": [_agent(part, signature, patient) for part, signature in signatures],
        "entity": [{"role": "source", "what": {"reference": text}}],
        "signature": [signature for _, signature in signatures],
    }


def _agent(part: str, signature: Resource, patient: str) -> Resource:
    who = signature["who"]
    represented = part == "signature" and reference_of(who) != patient
    system, code, zh, en = PARTS["guardian" if represented else part]
    agent: Resource = {
        "type": {"coding": [{"system": system, "code": code}], "text": f"{zh} / {en}"},
        "who": who,
    }
    return agent | ({"onBehalfOf": {"reference": patient}} if represented else {})


def as_withdrawal(by: str, reason: Resource, *, now: datetime) -> Resource:
    """The extension of a Consent that says who withdrew it, when and why."""
    parts: list[dict[str, Any]] = [
        {"url": "by", "valueReference": {"reference": by}},
        {"url": "at", "valueInstant": instant(now)},
        {"url": "reason", "valueCodeableConcept": reason},
    ]
    return {"url": WITHDRAWAL, "extension": parts}
