"""The proof of a report: its members, and whether each of them holds, judged from the file and a trusted root alone.

Members: `payload.json` (the signed form as bytes), `report.json`, `composition.json`, `result-N.json` (the stored content,
digits as written), per signature `signature-N.jws`, and from the service `receipt-N.json` with its seal `receipt-N.jws`;
per rendering `rendering-N.html` or `.pdf`, its `statement-N.json` and `statement-N.jws`; `keys.json` (the service's
published keys), `key-certificates.pem` (the department's authority on those keys), `roots.pem`, `revoked.pem`.

A key is judged at the time in the service's seal, never at the signer's own clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cryptography import x509

from slipring.fhir.search.moment import zoned
from slipring.signing.algorithms import registry
from slipring.signing.form import SIGNED_FORM, signed_form
from slipring.signing.jws import Judged, judge
from slipring.signing.policy import Reason
from slipring.signing.proof import SEALED, Proof, proof_reason
from slipring.signing.receipt import RECEIPT, RELEASE
from slipring.signing.revocation import Revocations, read_lists
from slipring.signing.seal import KnownKey, examine
from slipring.signing.stated import certificate_facts, stamped

REPORT = "report"  # the kind of the proof
PAYLOAD, RECORD, COMPOSITION = "payload.json", "report.json", "composition.json"
KEYS, KEY_CERTIFICATES, ROOTS, REVOKED = "keys.json", "key-certificates.pem", "roots.pem", "revoked.pem"
EMERGENCY = "emergency-single-signature"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one part of a proof stands; it holds when there is no reason against it. `facts` say what it is, by name."""

    part: str
    reasons: tuple[Reason, ...]
    facts: Mapping[str, str]


def examined(
    proof: Proof,
    trust_pem: bytes,
    keys: Mapping[str, KnownKey],
    revoked: Sequence[x509.CertificateRevocationList],
    stamps_pem: bytes = b"",
) -> list[Judgement]:
    """Every part of a report's proof; `keys` are those that seals are judged by, known to be the service's or not.

    `stamps_pem`: the roots of time stamping authorities; without them a stamp is only what it states.
    """
    payload, listed = proof.members.get(PAYLOAD, b""), read_lists(proof.members.get(REVOKED, b""))
    revocations = Revocations((*revoked, *listed))
    found = [_manifest(proof, keys), _content(proof, payload)]
    previous, signatures = "", list[Judged]()
    for number in _numbers(proof, "signature-", ".jws"):
        told = _told(proof, f"receipt-{number}.json")
        jws = proof.members[f"signature-{number}.jws"].decode("ascii", "replace")
        at = zoned(told.get("recorded")) or proof.made
        judged = judge(
            jws,
            payload,
            trust_pem=trust_pem,
            at=at,
            role=str(told.get("role", "")),
            prev=previous,
            algorithms=tuple(registry()),  # that the department took it then, the receipt says
            revoked=revocations,
        )
        previous = judged.sha256
        codes = [*_receipt(proof, number, told, judged, payload, keys)]
        codes += ["signer-repeated"] if judged.signer and judged.signer in [one.signer for one in signatures] else []
        signatures.append(judged)
        stamp, faults = stamped(_resource(proof, f"provenance-{number}.json"), jws, stamps_pem, at)
        found.append(_signature(number, judged, at, [*codes, *faults], {**certificate_facts(jws), **stamp}))
    hashes = [one.sha256 for one in signatures]
    renderings = [_rendering(proof, n, hashes, payload, keys) for n in _numbers(proof, "statement-", ".json")]
    return [*found, _enough(proof, len(signatures), bool(renderings)), *renderings]


def _manifest(proof: Proof, keys: Mapping[str, KnownKey]) -> Judgement:
    seal = examine(proof.seal, proof.manifest, SEALED, keys)
    at = seal.at.isoformat(timespec="seconds") if seal.at else ""
    return Judgement("manifest", _reasons(f"seal-{code}" for code in seal.reasons), {"when": at, "key": seal.kid})


def _content(proof: Proof, payload: bytes) -> Judgement:
    report = _resource(proof, RECORD)
    composition = _resource(proof, COMPOSITION) if COMPOSITION in proof.members else None
    results = [_resource(proof, f"result-{number}.json") for number in _numbers(proof, "result-", ".json")]
    codes = []
    facts = {"sha256": hashlib.sha256(payload).hexdigest(), "status": str(report.get("status", ""))}
    try:
        if signed_form(report, composition, results).payload != payload:
            codes.append("content-differs")
        if f"DiagnosticReport/{report['id']}" != proof.about:
            codes.append("about-differs")
    except (KeyError, TypeError, ValueError):
        codes.append("content-differs")
    return Judgement("content", _reasons(codes), facts)


def _receipt(
    proof: Proof, number: int, told: Mapping[str, Any], judged: Judged, payload: bytes, keys: Mapping[str, KnownKey]
) -> Sequence[str]:
    content, seal = proof.members.get(f"receipt-{number}.json"), proof.members.get(f"receipt-{number}.jws")
    if content is None and seal is None:  # a signature of an earlier release
        return ()
    codes = [
        f"seal-{one}"
        for one in examine((seal or b"").decode("ascii", "replace"), content or b"", RECEIPT, keys).reasons
    ]
    bound = {"form": hashlib.sha256(payload).hexdigest(), "signature": judged.sha256}
    codes += ["receipt-differs"] if any(told.get(name) != value for name, value in bound.items()) else []
    codes += ["about-differs"] if told.get("report") != proof.about else []
    codes += ["signer-differs"] if judged.signer and told.get("signer") != judged.signer else []
    return codes


def _signature(number: int, judged: Judged, at: datetime, codes: Sequence[str], stated: Mapping[str, str]) -> Judgement:
    facts = {
        "who": judged.signer,
        "name": stated.get("name", ""),
        "role": judged.role,
        "when": at.isoformat(timespec="seconds"),
        "alg": judged.algorithm,
    }
    return Judgement(f"signature-{number}", (*judged.reasons, *_reasons(codes)), {**stated, **facts})


def _enough(proof: Proof, present: int, released: bool) -> Judgement:
    report = _resource(proof, RECORD)
    tags = [tag.get("code") for tag in report.get("meta", {}).get("tag", [])]
    wanted = max(_chain_length(proof, present), 2) if released and EMERGENCY not in tags else 1
    missing = ["signatures-missing"] if present < wanted else []
    return Judgement("signatures", _reasons(missing), {"present": str(present)})


def _chain_length(proof: Proof, number: int) -> int:
    """How many signatures were asked for when the last one was given, as its record says; 0 when it says nothing."""
    record = _resource(proof, f"provenance-{number}.json")
    forms = [one.get("extension", []) for one in record.get("extension", []) if one.get("url") == SIGNED_FORM]
    return next(
        (int(part.get("valuePositiveInt", 0)) for parts in forms for part in parts if part.get("url") == "of"), 0
    )


def _rendering(
    proof: Proof, number: int, hashes: Sequence[str], payload: bytes, keys: Mapping[str, KnownKey]
) -> Judgement:
    name = next((one for one in sorted(proof.members) if one.startswith(f"rendering-{number}.")), "")
    content, told = proof.members.get(name, b""), _told(proof, f"statement-{number}.json")
    seal = proof.members.get(f"statement-{number}.jws", b"").decode("ascii", "replace")
    judged = examine(seal, proof.members[f"statement-{number}.json"], RELEASE, keys)
    codes = [f"seal-{one}" for one in judged.reasons]
    codes += ["about-differs"] if told.get("report") != proof.about else []
    codes += ["content-differs"] if told.get("form") != hashlib.sha256(payload).hexdigest() else []
    codes += ["rendering-differs"] if told.get("rendering") != hashlib.sha256(content).hexdigest() else []
    codes += ["signatures-differ"] if told.get("signatures") != " ".join(hashes) else []
    at = judged.at.isoformat(timespec="seconds") if judged.at else ""
    return Judgement(f"rendering-{number}", _reasons(codes), {"file": name, "when": at})


def _reasons(codes: Any) -> tuple[Reason, ...]:
    return tuple(proof_reason(code) for code in dict.fromkeys(codes))


def _numbers(proof: Proof, prefix: str, suffix: str) -> list[int]:
    cut = [
        name[len(prefix) : -len(suffix)] for name in proof.members if name.startswith(prefix) and name.endswith(suffix)
    ]
    return sorted(int(text) for text in cut if text.isdecimal())


def _told(proof: Proof, name: str) -> Mapping[str, Any]:
    return _read(proof, name, json.loads)


def _resource(proof: Proof, name: str) -> dict[str, Any]:
    # Digits as written: 72.50 is not 72.5.
    return _read(proof, name, lambda content: json.loads(content, parse_float=Decimal))


def _read(proof: Proof, name: str, read: Callable[[bytes], Any]) -> dict[str, Any]:
    try:
        tree = read(proof.members.get(name, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}
