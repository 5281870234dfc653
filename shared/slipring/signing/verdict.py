"""The verdict on a proof: whether it holds, and whether those who signed and sealed it are known to whoever asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from slipring.signing.case_proof import CASE, examined_case
from slipring.signing.jws import header_of
from slipring.signing.key_certificates import vouched_keys
from slipring.signing.proof import Proof, ProofRefused, proof_reason
from slipring.signing.report_proof import KEY_CERTIFICATES, KEYS, REPORT, ROOTS, Judgement, examined
from slipring.signing.sample_proof import DRAW, PART, examined_sample
from slipring.signing.seal_keys import Jwk, endorsed, known
from slipring.signing.stated import STATED

SAMPLE = "assessors-sample"  # the kind of a verdict on all of a sample
_UNSIGNED = (CASE, SAMPLE, DRAW, PART)  # nobody's signature is in them


@dataclass(frozen=True, slots=True)
class Verdict:
    """`holds`: nothing was altered and every signature stands; `known`: a root that the asker trusts says who."""

    judgements: tuple[Judgement, ...]
    signers_known: bool
    sealer_known: bool
    kind: str = REPORT

    @property
    def holds(self) -> bool:
        """Whether no part has a reason against it."""
        return not any(one.reasons for one in self.judgements)

    @property
    def known(self) -> bool:
        """Whether signers (of a case or a sample there are none) and the sealing service are known."""
        return (self.signers_known or self.kind in _UNSIGNED) and self.sealer_known

    @property
    def code(self) -> str:
        """The verdict as one of the words of proof_reasons.toml."""
        if not self.holds:
            return "verdict-broken"
        if self.kind in _UNSIGNED:
            what = "case" if self.kind == CASE else "sample"
            return f"verdict-{what}-holds" if self.sealer_known else f"verdict-{what}-sealer-unknown"
        if not self.signers_known:
            return "verdict-signers-unknown"
        return "verdict-holds" if self.sealer_known else "verdict-sealer-unknown"

    @property
    def zh(self) -> str:
        """In Chinese."""
        return proof_reason(self.code).zh

    @property
    def en(self) -> str:
        """In English."""
        return proof_reason(self.code).en

    @property
    def stamps(self) -> str:
        """none | stated (no roots were given to judge them by) | proved: the time stamps on the signatures."""
        told = {one.facts["stamped"] for one in self.judgements if one.facts.get("stamped")}
        return STATED if STATED in told else next(iter(told), "none")

    def tree(self) -> dict[str, Any]:
        """As plain data."""
        parts = [
            {"part": one.part, "holds": not one.reasons, **one.facts, "reasons": [each.code for each in one.reasons]}
            for one in self.judgements
        ]
        told = {"holds": self.holds, "signersKnown": self.signers_known, "sealerKnown": self.sealer_known}
        return {**told, "stamps": self.stamps, "verdict": self.code, "zh": self.zh, "en": self.en, "parts": parts}


def verdict(
    proof: Proof,
    trust_pem: bytes | None,
    given: Sequence[Jwk] = (),
    revoked: Sequence[x509.CertificateRevocationList] = (),
    stamps_pem: bytes = b"",
) -> Verdict:
    """Judge a proof by the roots and published keys that the asker holds; without roots by those in the proof itself.

    `stamps_pem`: the roots by which time stamps (RFC 3161) are judged; without them their time is what they state.

    ValueError when the roots or keys that were given cannot be read. Reads nothing but its arguments.
    """
    for given_pem in filter(None, (trust_pem, stamps_pem)):
        x509.load_pem_x509_certificates(given_pem)
    roots = trust_pem if trust_pem is not None else proof.members.get(ROOTS, b"")
    published = _published(proof)
    by_kid = {one.kid: one for one in known(published)}
    vouched = vouched_keys(proof.members.get(KEY_CERTIFICATES, b""), roots, proof.made)
    trusted = [by_kid[kid] for kid in vouched if kid in by_kid and by_kid[kid].key.thumbprint() == kid]
    trusted += known(given)
    by_endorsement = {one.kid: one for one in endorsed(trusted, published)}
    every = by_kid | by_endorsement
    if proof.kind == CASE:
        judgements = tuple(examined_case(proof, every))
    elif proof.kind in _UNSIGNED:
        judgements = tuple(examined_sample(proof, every))
    else:
        judgements = tuple(examined(proof, roots, every, revoked, stamps_pem))
    sealer = _sealed_by(proof) <= set(by_endorsement)
    return Verdict(judgements, trust_pem is not None, sealer and (trust_pem is not None or bool(given)), proof.kind)


def _sealed_by(proof: Proof) -> set[str]:
    """The keys of every seal in the file."""
    sealed = [
        content
        for name, content in proof.members.items()
        if name.startswith(("receipt-", "statement-")) and name.endswith(".jws")
    ]
    headers = [header_of(text) for text in (proof.seal, *(one.decode("ascii", "replace") for one in sealed))]
    return {str(one.get("kid", "")) if isinstance(one, dict) else "" for one in headers}


def _published(proof: Proof) -> list[Jwk]:
    try:
        tree = json.loads(proof.members.get(KEYS, b"{}"))
        return [one for one in tree.get("keys", []) if known([one])]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ProofRefused("proof-unknown", KEYS) from error
