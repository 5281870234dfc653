"""Certificates and what is done about them, as FHIR says it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from slipring.fhir.service import Resource
from slipring.signing.policy import revocation_reasons
from slipring.signing.revocation import Revoked, fingerprint

from slipring_report.certificates.vocabulary import (
    CERTIFICATE,
    CHAIN_TYPE,
    KIND_SYSTEM,
    PARAMETER,
    RENEWAL,
    REVOCATION_REASON,
    REVOKED,
    SERIAL,
    SHA256,
)
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE


def as_certificate(id: str, chain: bytes, task: Resource, approver: str, now: datetime) -> Resource:
    """A certificate on record: whose, from when to when, its chain, who asked for it and who approved it."""
    leaf = x509.load_pem_x509_certificates(chain)[0]
    return {
        "resourceType": "DocumentReference",
        "id": id,
        "identifier": [
            {"system": SHA256, "value": fingerprint(leaf)},
            {"system": SERIAL, "value": f"{leaf.serial_number:x}"},
        ],
        "status": "current",
        "docStatus": "final",
        "type": coded(KIND_SYSTEM, CERTIFICATE, "signing certificate"),
        "subject": task["for"],
        "date": written(now),
        "author": [task["requester"]],
        "authenticator": reference(approver),
        "content": [{"attachment": _attachment(chain)}],
        "context": {
            "period": {"start": written(leaf.not_valid_before_utc), "end": written(leaf.not_valid_after_utc)},
            "related": [reference(f"Task/{task['id']}")],
        },
    }


def decided(task: Resource, approver: str, now: datetime, certificate: str = "", reason: str = "") -> Resource:
    """A request after the second person's word: issued with its certificate, or refused with the reason."""
    done: Resource = {
        **task,
        "status": "completed" if certificate else "rejected",
        "owner": reference(approver),
        "lastModified": written(now),
    }
    if certificate:
        done["output"] = [{"type": coded(PARAMETER, "certificate"), "valueReference": reference(certificate)}]
    if reason:
        done["statusReason"] = {"text": reason}
    return done


def as_revoked(document: Resource, taken: Revoked, by: str, now: datetime) -> list[Resource]:
    """The extensions of a certificate that was taken back: since when, why, by whom, and when that was recorded."""
    name = revocation_reasons()[taken.reason]["en"]
    parts: list[Resource] = [
        {"url": "at", "valueInstant": written(taken.at)},
        {"url": "reason", "valueCodeableConcept": coded(REVOCATION_REASON, taken.reason, name)},
        {"url": "by", "valueReference": reference(by)},
        {"url": "recorded", "valueInstant": written(now)},
    ]
    return [*document.get("extension", []), {"url": REVOKED, "extension": parts}]


def as_renewal(id: str, document: Resource, now: datetime) -> Resource:
    """The word to a holder that his certificate ends soon."""
    return {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": coded(TASK_CODE, RENEWAL, "certificate ends soon"),
        "description": "签名证书即将到期，请提交新的证书申请。 Your signing certificate ends soon: ask for a new one.",
        "focus": reference(f"DocumentReference/{document['id']}"),
        "for": document["subject"],
        "owner": document["subject"],
        "authoredOn": written(now),
        "restriction": {"period": {"end": document["context"]["period"]["end"]}},
    }


def name_of(practitioner: Resource) -> str:
    """The name that a certificate shows."""
    names: Sequence[Resource] = practitioner.get("name", [])
    for name in names:
        if text := name.get("text") or "".join([name.get("family", ""), *name.get("given", [])]):
            return str(text)
    return str(practitioner["id"])


def _attachment(chain: bytes) -> Resource:
    return {
        "contentType": CHAIN_TYPE,
        "data": base64.b64encode(chain).decode(),
        "size": len(chain),
        "hash": base64.b64encode(hashlib.sha1(chain, usedforsecurity=False).digest()).decode(),
        "title": "签名证书 signing certificate",
    }
