"""What the report service answers, as plain values."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipring.client.refusal import Distrusted
from slipring.client.wire import Tree, value_of, values_of
from slipring.fhir.service import CANONICAL
from slipring.signing.form import FORM

_NO_MORE = (
    f"{CANONICAL}/StructureDefinition/signature-voided",
    f"{CANONICAL}/StructureDefinition/signature-superseded",
)
_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
_PLACE = f"{CANONICAL}/StructureDefinition/text-place"


@dataclass(frozen=True, slots=True)
class Reading:
    """An exam that waits to be read, with its clock in figures."""

    task: str
    state: str
    clock_state: str
    due_at: str
    minutes_left: int
    clock_zh: str
    clock_en: str
    request: str
    holder: str


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A report that waits for a signature: in which role, over whose."""

    report: str
    request: str
    subject: str
    role: str
    signed_by: tuple[str, ...]

    @classmethod
    def of(cls, name: str, report: Tree, role: str, signed_by: tuple[str, ...]) -> Awaiting:
        """A report as it was read."""
        return cls(name, _reference(report.get("basedOn")), _reference(report.get("subject")), role, signed_by)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A signature that stands."""

    jws: str
    who: str
    recorded: str
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at before signing. `key`: by which a questioned wording is answered for; `answer`: by whom it was."""

    zh: str
    en: str
    rule: str
    severity: str
    key: str = ""
    section: str = ""
    start: int = 0
    end: int = 0
    answer: str = ""
    words: str = ""  # what stands there

    @property
    def open(self) -> bool:
        """Whether somebody has to stand for the wording before it is signed."""
        return bool(self.key) and not self.answer


@dataclass(frozen=True, slots=True)
class SigningInput:
    """What one signature is over. `prev`: what it is chained to; patient and request are read from the bytes that are signed."""

    report: str
    role: str
    payload: bytes
    sha256: str
    prev: str
    rendering: bytes  # HTML
    subject: str
    request: str
    told: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that was taken; `report` may be another than the one signed: an amendment's last signature releases it."""

    report: str
    sha256: str
    told: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether signatures and seals stand."""

    valid: bool
    signatures: tuple[Mapping[str, Any], ...]
    seals: tuple[Mapping[str, Any], ...]


def signing_input_in(answer: Tree, report: str, role: str) -> SigningInput:
    """The answer of `$signing-input`. Distrusted when the payload is not what the answer says it is, or of another report."""
    payload = base64.b64decode(value_of(answer, "payload"))
    sha256, form = str(value_of(answer, "sha256")), str(value_of(answer, "form"))
    if hashlib.sha256(payload).hexdigest() != sha256:
        raise Distrusted(
            "待签内容与其摘要不符。 What is to be signed does not have the digest that it is said to have."
        )
    if form != FORM:
        raise Distrusted(f"不认识待签格式 {form}。 The form {form} is not known here: a newer slipring signs it.")
    tree = json.loads(payload)
    if report not in [one.get("reference") for one in tree.get("subjectOf", [])]:
        raise Distrusted("待签内容不是所要求的报告。 What is to be signed is another report than the one asked for.")
    entries = [entry["resource"] for entry in tree["entry"]]
    content = next(one for one in entries if one["resourceType"] == "DiagnosticReport")
    return SigningInput(
        report,
        role,
        payload,
        sha256,
        str(value_of(answer, "previous") or ""),
        base64.b64decode(value_of(answer, "rendering")["data"]),
        _reference(content.get("subject")),
        _reference(content.get("basedOn")),
        tuple(map(finding_in, values_of(answer, "issue"))),
    )


def finding_in(issue: Tree, sections: Mapping[str, str] | None = None) -> Finding:
    """A DetectedIssue; `sections`: the texts that its places count in."""
    english = [
        part.get("valueString", "")
        for extension in issue.get("_detail", {}).get("extension", [])
        if extension.get("url") == _TRANSLATION
        for part in extension.get("extension", [])
        if part.get("url") == "content"
    ]
    place: Tree = next((each for each in issue.get("extension", []) if each.get("url") == _PLACE), {})
    where = {
        part["url"]: next(value for name, value in part.items() if name != "url") for part in place.get("extension", [])
    }
    keys = [one.get("value", "") for one in issue.get("identifier", [])] if place else []
    codes = [coding.get("code", "") for coding in issue.get("code", {}).get("coding", [])]
    return Finding(
        str(issue.get("detail", "")),
        str(english[0] if english else ""),
        str(codes[0] if codes else ""),
        str(issue.get("severity", "")),
        str(keys[0] if keys else ""),
        str(where.get("section", "")),
        int(where.get("start", 0)),
        int(where.get("end", 0)),
        _answer(issue),
        (sections or {}).get(str(where.get("section", "")), "")[int(where.get("start", 0)) : int(where.get("end", 0))],
    )


def reading_in(entry: Tree) -> Reading:
    """One entry of `$reading-list`."""

    def text(name: str) -> str:
        return str(value_of(entry, name))

    return Reading(
        f"Task/{value_of(entry, 'task')['id']}",
        text("state"),
        text("clockState"),
        text("dueAt"),
        int(value_of(entry, "minutesLeft")),
        text("clockZh"),
        text("clockEn"),
        _reference(value_of(entry, "request")),
        _reference(value_of(entry, "holder")),
    )


def on_record(provenance: Tree) -> OnRecord | None:
    """The signature that a Provenance records, None for one that no longer stands or records something else."""
    if any(one.get("url") in _NO_MORE for one in provenance.get("extension", [])):
        return None
    signature: Tree = next(iter(provenance.get("signature", [])), {})
    if signature.get("sigFormat") != "application/jose":
        return None
    try:
        jws = base64.b64decode(signature["data"]).decode("ascii")
    except (KeyError, binascii.Error, UnicodeDecodeError):
        return None
    targets = frozenset(_reference(one).partition("/_history/")[0] for one in provenance.get("target", []))
    return OnRecord(jws, _reference(signature.get("who")), str(provenance.get("recorded", "")), targets)


def verified_in(answer: Tree) -> Verified:
    """The answer of `$verify`."""
    parts: dict[str, list[Mapping[str, Any]]] = {"signature": [], "seal": []}
    for one in answer.get("parameter", []):
        if one["name"] in parts:
            told: dict[str, Any] = {name: value_of(one, name) for name in ("alg", "when", "valid", "sealed")}
            told["who"] = _reference(value_of(one, "who"))
            parts[one["name"]].append({**told, "reasons": values_of(one, "reason")})
    return Verified(bool(value_of(answer, "valid")), tuple(parts["signature"]), tuple(parts["seal"]))


def _answer(issue: Tree) -> str:
    done: Sequence[Tree] = issue.get("mitigation", [])
    return "; ".join(f"{one.get('action', {}).get('text', '')} ({_reference(one.get('author'))})" for one in done)


def _reference(found: Any) -> str:
    one = found[0] if isinstance(found, list) and found else found
    return str(one.get("reference", "")) if isinstance(one, dict) else ""
