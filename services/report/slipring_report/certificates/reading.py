"""What a request for a certificate, and a certificate on record, say. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.service import Resource
from slipring.signing.revocation import Revocations, Revoked, read_lists

from slipring_report.certificates.vocabulary import (
    CERTIFICATE,
    KIND_SYSTEM,
    PARAMETER,
    RENEWAL,
    REQUEST,
    REVOCATION_REASON,
    REVOKED,
    SERIAL,
    SHA256,
)
from slipring_report.reading import code_of, extension, reference_of
from slipring_report.vocabulary import TASK_CODE


def is_request(task: Resource) -> bool:
    """Whether a Task asks for a certificate."""
    return code_of(task.get("code"), TASK_CODE) == REQUEST


def is_ours(task: Resource) -> bool:
    """Whether a Task is about a certificate at all."""
    return code_of(task.get("code"), TASK_CODE) in (REQUEST, RENEWAL)


def csr_of(task: Resource) -> str:
    """The certificate request (PEM) that a Task carries, or an empty string."""
    asked = [each for each in task.get("input", []) if code_of(each.get("type"), PARAMETER) == "csr"]
    text = asked[0].get("valueString") if len(asked) == 1 else ""
    return text if isinstance(text, str) else ""


def is_certificate(document: Resource) -> bool:
    """Whether a document is a signing certificate of a person."""
    return code_of(document.get("type"), KIND_SYSTEM) == CERTIFICATE


def holder_of(document: Resource) -> str:
    """Whose certificate it is."""
    return reference_of(document.get("subject"))


def chain_of(document: Resource) -> bytes:
    """The chain as PEM; empty when it is none."""
    try:
        return base64.b64decode(document["content"][0]["attachment"]["data"], validate=True)
    except (KeyError, IndexError, TypeError, binascii.Error, ValueError):
        return b""


def ends_at(document: Resource) -> datetime:
    """When it ends."""
    return datetime.fromisoformat(document["context"]["period"]["end"])


def begins_at(document: Resource) -> datetime:
    """When it begins."""
    return datetime.fromisoformat(document["context"]["period"]["start"])


def serial_of(document: Resource) -> int:
    """The serial number of the person's own certificate."""
    return int(_identifier(document, SERIAL), 16)


def revocation_of(document: Resource) -> Revoked | None:
    """Since when and why it was taken back; None when it was not."""
    parts = {part["url"]: part for part in extension(document, REVOKED).get("extension", [])}
    if "at" not in parts:
        return None
    return Revoked(
        datetime.fromisoformat(parts["at"]["valueInstant"]),
        code_of(parts["reason"]["valueCodeableConcept"], REVOCATION_REASON) if "reason" in parts else "unspecified",
    )


def as_revocations(documents: Sequence[Resource], lists: Sequence[bytes]) -> Revocations:
    """All that is known: the records here, and the lists in files. ValueError when a list cannot be read."""
    recorded = {
        _identifier(document, SHA256): taken
        for document in documents
        if is_certificate(document) and (taken := revocation_of(document))
    }
    return Revocations(tuple(one for content in lists for one in read_lists(content)), recorded)


def _identifier(document: Resource, system: str) -> str:
    return next((str(each["value"]) for each in document.get("identifier", []) if each.get("system") == system), "")
