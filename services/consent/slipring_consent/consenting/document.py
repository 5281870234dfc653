"""The text as shown, as a DocumentReference: bytes, hashes, language and version. Pure.

`Attachment.hash` is the SHA-1 that FHIR R4 says; a SHA-256 and the version of our template stand in extensions beside it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import extension_value, has_code, instant, reference_of

CONSENT_DOCUMENT = ("http://loinc.org", "59284-0")
TEXT_SHA256 = f"{CANONICAL}/StructureDefinition/text-sha256"
TEXT_VERSION = f"{CANONICAL}/StructureDefinition/text-version"
HTML = "text/html; charset=utf-8"
_TITLE = "知情同意书 / Consent document"


def is_consent_text(document: Resource) -> bool:
    """Whether a DocumentReference is the text of a consent."""
    return has_code(document.get("type"), *CONSENT_DOCUMENT)


def text_document(
    document_id: str, content: bytes, *, patient: str, exam: str, language: str, title: str, version: str, now: datetime
) -> Resource:
    """The DocumentReference that keeps one text, for one exam of one patient."""
    attachment: Resource = {
        "extension": [
            {"url": TEXT_SHA256, "valueString": hashlib.sha256(content).hexdigest()},
            {"url": TEXT_VERSION, "valueString": version},
        ],
        "contentType": HTML,
        "language": language,
        "data": base64.b64encode(content).decode(),
        "size": len(content),
        "hash": sha1(content),
        "title": title,
        "creation": instant(now),
    }
    system, code = CONSENT_DOCUMENT
    return {
        "resourceType": "DocumentReference",
        "id": document_id,
        "language": language,
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": system, "code": code, "display": "Consent Document"}], "text": _TITLE},
        "subject": {"reference": patient},
        "date": instant(now),
        "content": [{"attachment": attachment}],
        "context": {"related": [{"reference": exam}]},
    }


def attachment_of(document: Resource) -> Resource:
    """The attachment of a document; an empty one when it has none."""
    for content in document.get("content", []):
        return dict(content.get("attachment", {}))
    return {}


def bytes_of(attachment: Resource) -> bytes | None:
    """What an attachment holds; None when it holds nothing or no base64."""
    data = attachment.get("data")
    if not data:
        return None
    try:
        return base64.b64decode("".join(str(data).split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def sha1(content: bytes) -> str:
    """The hash of an Attachment, as FHIR R4 writes it."""
    return base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def hash_faults(attachment: Resource) -> Sequence[str]:
    """Which of the statements about its bytes do not fit them: `data`, `hash`, `size`, `extension`."""
    content = bytes_of(attachment)
    if content is None:
        return ["data"]
    stated: Sequence[tuple[str, Any, Any]] = (
        ("hash", attachment.get("hash"), sha1(content)),
        ("size", attachment.get("size"), len(content)),
        ("extension", extension_value(attachment, TEXT_SHA256), sha256_of(attachment)),
    )
    return [name for name, given, true in stated if given is not None and given != true]


def sha256_of(attachment: Resource) -> str:
    """The SHA-256 of what an attachment holds, in hexadecimal; empty when it holds nothing."""
    content = bytes_of(attachment)
    return hashlib.sha256(content).hexdigest() if content is not None else ""


def exams_of(document: Resource) -> list[str]:
    """The exams a text is for."""
    related = [reference_of(entry) for entry in document.get("context", {}).get("related", [])]
    return [one for one in related if one.startswith("ServiceRequest/")]
