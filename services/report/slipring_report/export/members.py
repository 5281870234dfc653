"""The members of a report's proof, as `slipring.signing.report_proof` names them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipring.fhir.service import Resource
from slipring.signing import report_proof as names
from slipring.signing.form import SignedForm, exact_text
from slipring.signing.proof import Member
from slipring.signing.receipt import receipt

from slipring_report.rendering.release import RELEASE_SEAL, statement
from slipring_report.signatures.facts import Signature
from slipring_report.signatures.gathering import Gathered

JSON, JOSE, PEM = "application/json", "application/jose", "application/x-pem-file"
FHIR = "application/fhir+json"
_ENDINGS = {"text/html": "html", "application/pdf": "pdf"}


def members(
    parts: Gathered,
    form: SignedForm,
    standing: Sequence[Signature],
    keys: Sequence[Mapping[str, Any]],
    pem: Mapping[str, bytes],
) -> list[Member]:
    """Content, signatures with their receipts, renderings with theirs, keys; `pem`: certificates by the member's name."""
    found = [Member(names.PAYLOAD, JSON, form.payload), _stored(names.RECORD, parts.report.resource)]
    if parts.composition:
        found.append(_stored(names.COMPOSITION, parts.composition.resource))
    found += [_stored(f"result-{number}.json", one.resource) for number, one in enumerate(parts.results, 1)]
    for number, each in enumerate(standing, 1):
        found += _signature(number, each, parts.report.reference)
    for number, attachment in enumerate(parts.report.resource.get("presentedForm", []), 1):
        found += _rendering(number, attachment, parts.report.reference, form.sha256, [one.sha256 for one in standing])
    found.append(Member(names.KEYS, JSON, json.dumps({"keys": list(keys)}).encode()))
    return [*found, *(Member(name, PEM, content) for name, content in pem.items() if content)]


def _stored(name: str, resource: Resource) -> Member:
    return Member(name, FHIR, exact_text(resource))


def _signature(number: int, each: Signature, report: str) -> Iterator[Member]:
    yield Member(f"signature-{number}.jws", JOSE, each.jws.encode())
    yield _stored(f"provenance-{number}.json", each.provenance.resource)
    if each.seal:
        told = receipt(report, each.form_sha256, each.sha256, each.who, each.role, each.recorded)
        yield Member(f"receipt-{number}.json", JSON, told)
        yield Member(f"receipt-{number}.jws", JOSE, each.seal.encode())


def _rendering(
    number: int, attachment: Resource, report: str, form: str, signatures: Sequence[str]
) -> Iterator[Member]:
    content = base64.b64decode(attachment.get("data", ""))
    media_type = str(attachment.get("contentType", ""))
    seals = [one.get("valueString", "") for one in attachment.get("extension", []) if one.get("url") == RELEASE_SEAL]
    ending = _ENDINGS.get(media_type.partition(";")[0], "bin")
    yield Member(f"rendering-{number}.{ending}", media_type, content)
    yield Member(f"statement-{number}.json", JSON, statement(content, report, form, signatures))
    yield Member(f"statement-{number}.jws", JOSE, "".join(seals[:1]).encode())
