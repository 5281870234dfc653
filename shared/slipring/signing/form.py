"""The signed form `signed-form/1`: what exactly a radiologist signs.

A report is several resources, and the service still writes into them after a signature (status, issue time,
rendering). So nobody signs the resources themselves: the service composes a form of them, as data, without the
places it owns, and the signature is over the RFC 8785 text of that form.

The form has the shape of a document Bundle (Composition, DiagnosticReport, result Observations, in this order)
but is no valid Bundle: `id`, `meta`, `text`, the report's `presentedForm`, `issued` and `status`, the
composition's `status` and `attester` are left out, and one member is added: `subjectOf` lists, for each entry,
its reference without version and the SHA-256 of its tokens. RFC 8785 writes 72.50 as 72.5; the tokens keep the
digits, so the exact decimals are bound too. No payload holds a version: recording a signature voids nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import rfc8785

from slipring.fhir.service import CANONICAL, Resource

FORM = f"{CANONICAL}/signed-form/1"
SIGNED_FORM = f"{CANONICAL}/StructureDefinition/signed-form"  # the extension that names form and digest on a record
_REMOVED = ("id", "meta", "text")
_REMOVED_BY_TYPE = {"DiagnosticReport": ("presentedForm", "issued", "status"), "Composition": ("status", "attester")}
_LARGEST_EXACT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class SignedForm:
    """The bytes to sign, their SHA-256 in hex, and the references they bind, in order."""

    payload: bytes
    sha256: str
    references: tuple[str, ...]
    uri: str = FORM


def signed_form(
    report: Resource, composition: Resource | None = None, observations: Sequence[Resource] = ()
) -> SignedForm:
    """Compose the form of a report; `observations` are its results in the order of `DiagnosticReport.result`."""
    entries = [*([composition] if composition else []), report, *observations]
    form: Any = {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"fullUrl": _full_url(entry), "resource": _plain(signed_content(entry))} for entry in entries],
        "subjectOf": [{"reference": _reference(entry), "sha256": tokens_sha256(entry)} for entry in entries],
    }
    payload = rfc8785.dumps(form)
    return SignedForm(payload, hashlib.sha256(payload).hexdigest(), tuple(_reference(entry) for entry in entries))


def signed_content(resource: Resource) -> Resource:
    """The resource without the places that a signature does not cover."""
    removed = {*_REMOVED, *_REMOVED_BY_TYPE.get(resource["resourceType"], ())}
    return {name: value for name, value in resource.items() if name not in removed}


def tokens_sha256(resource: Resource) -> str:
    """SHA-256 of the signed content's JSON tokens, in stored order and without white space.

    Tokens are written from the decimal-exact tree: a Decimal keeps its digits (72.50 stays 72.50), strings are
    written with the shortest escapes. So two texts that differ only in white space or escaping count as one.
    """
    return hashlib.sha256("".join(_tokens(signed_content(resource))).encode()).hexdigest()


def exact_text(resource: Resource) -> bytes:
    """The whole resource as JSON without white space, each number with its digits as they were written."""
    return "".join(_tokens(resource)).encode()


def _tokens(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for position, (name, member) in enumerate(value.items()):
            yield ("," if position else "") + json.dumps(name, ensure_ascii=False) + ":"
            yield from _tokens(member)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for position, item in enumerate(value):
            yield "," if position else ""
            yield from _tokens(item)
        yield "]"
    elif isinstance(value, Decimal):
        yield str(value)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    # RFC 8785 knows IEEE doubles only; a number no double can hold is written as text. Its digest binds it anyway.
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_EXACT:
        return str(value)
    return value


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _full_url(resource: Resource) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{CANONICAL}/{_reference(resource)}')}"
