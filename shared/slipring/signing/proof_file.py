"""A file that somebody took for a report's proof: opened and judged, whatever it is. The command and the page share it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError

from slipring.signing.case_proof import CASE
from slipring.signing.proof import MEDIA_TYPE, Proof, ProofRefused, opened
from slipring.signing.report_proof import REPORT, ROOTS
from slipring.signing.sample_file import is_sample, judged_sample
from slipring.signing.seal_keys import Jwk
from slipring.signing.verdict import Verdict, verdict

_MOST_MEMBERS = 2_000  # a report has some dozens
# What is read as JSON is counted first, roughly and without reading it: a file of nothing but names would take seconds.
_MOST_NAMES, _MOST_ELEMENTS = 20_000, 400_000
# What a member of another shape than its name says may raise on its way: the file is somebody else's work, then.
_MISSHAPEN = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, JoseError, UnsupportedAlgorithm,
    x509.InvalidVersion,
)  # fmt: skip
# How files begin that people take for the proof, and what they are.
_LOOKS = (
    (b"%pdf", "proof-is-pdf"),
    (b"<!doctype html", "proof-is-page"),
    (b"<html", "proof-is-page"),
    (b"-----begin", "proof-is-certificate"),
    (b'{"format":"slipring-proof', "proof-cut-off"),
)
_TO_LOOK_AT = 200


def judged_file(
    content: bytes,
    trust_pem: bytes | None = None,
    given: Sequence[Jwk] = (),
    revoked: Sequence[x509.CertificateRevocationList] = (),
    stamps_pem: bytes = b"",
) -> tuple[Proof, Verdict]:
    """The proof that a file holds and the verdict on it, by the roots of whoever asks.

    Takes the file itself and the FHIR Binary that `$proof` answers with. ProofRefused says what a file is that is no proof;
    ValueError when the given roots or keys cannot be read.
    """
    for one in (*([trust_pem] if trust_pem is not None else []), *([stamps_pem] if stamps_pem else [])):
        x509.load_pem_x509_certificates(one)
    try:
        if is_sample(content):
            return judged_sample(content, trust_pem, given)
        proof = opened(_unwrapped(content))
        if proof.kind not in (REPORT, CASE) or len(proof.members) > _MOST_MEMBERS or _too_much(proof):
            raise ProofRefused("proof-unknown", "manifest")
        return proof, verdict(proof, trust_pem, given, revoked, stamps_pem)
    except ProofRefused as refused:
        raise ProofRefused(_looks_like(content) or refused.code, refused.at) from refused
    except _MISSHAPEN as error:
        raise ProofRefused("proof-misshapen") from error


def roots_used(proof: Proof, trust_pem: bytes | None) -> list[x509.Certificate]:
    """The roots that a proof was judged by: those that were given, else those that it claims."""
    pem = proof.members.get(ROOTS, b"") if trust_pem is None else trust_pem
    try:
        return x509.load_pem_x509_certificates(pem) if pem.strip() else []
    except ValueError:
        return []


def _unwrapped(content: bytes) -> bytes:
    """The file in a Binary as `$proof` answers with it; anything else as it is."""
    if content.count(b",") > _MOST_NAMES:
        raise ProofRefused("proof-unknown")
    if b'"Binary"' not in content:
        return content
    try:
        tree = json.loads(content)
        if isinstance(tree, dict) and tree.get("resourceType") == "Binary" and tree.get("contentType") == MEDIA_TYPE:
            return base64.b64decode(tree["data"], validate=True)
    except (ValueError, RecursionError, LookupError, TypeError):
        return content
    return content


def _too_much(proof: Proof) -> bool:
    return sum(one.count(b",") for name, one in proof.members.items() if name.endswith(".json")) > _MOST_ELEMENTS


def _looks_like(content: bytes) -> str:
    """What a file is that is no proof, as a key of proof_reasons.toml; '' where that cannot be told."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:_TO_LOOK_AT].lower()
    if not start:
        return "proof-empty"
    known = next((code for mark, code in _LOOKS if start.startswith(mark)), "")
    if known == "proof-cut-off":
        return known if not content.rstrip().endswith(b"}") else ""
    return known or ("proof-is-fhir" if b'"resourcetype"' in start else "")
