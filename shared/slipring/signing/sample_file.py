"""An assessor's sample as one file: the sealed draw and the sealed parts of all services, judged without any of them.

The file is one RFC 8785 text: `format`, `draw` (a proof, base64) and `parts` (proofs, base64, in the order of the cases).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace

from slipring.signing.proof import Proof, ProofRefused, opened
from slipring.signing.sample_proof import CHECKED, DRAW, DRAWN, PART, RECORDS, member, whole
from slipring.signing.seal import canonical
from slipring.signing.seal_keys import Jwk
from slipring.signing.verdict import SAMPLE, Verdict, verdict

FORMAT = "slipring-sample/1"
_START, _SAYS = b'{"draw":"', b'"format":"slipring-sample/'
_MOST_PARTS = 2_000
_KEPT = (RECORDS, CHECKED)


def laid_together(draw: bytes, parts: Sequence[bytes]) -> bytes:
    """The file."""
    listed = [base64.b64encode(one).decode() for one in parts]
    return canonical({"format": FORMAT, "draw": base64.b64encode(draw).decode(), "parts": listed})


def is_sample(content: bytes) -> bool:
    """Whether a file looks like one."""
    return content.startswith(_START) and _SAYS in content


def judged_sample(content: bytes, trust_pem: bytes | None, given: Sequence[Jwk] = ()) -> tuple[Proof, Verdict]:
    """The sample as one proof that holds the masked records of every case, and the verdict on all of it."""
    draw, parts = _opened(content)
    found = [("draw", draw, verdict(draw, trust_pem, given))]
    members = {DRAWN: draw.members.get(DRAWN, b"")}
    for one in parts:
        said = member(one, RECORDS)
        name = f"case-{int(said.get('case', 0)):02}-{said.get('service', '')}"
        found.append((name, one, verdict(one, trust_pem, given)))
        members |= {f"{name}-{kept}": one.members[kept] for kept in _KEPT if kept in one.members}
    judgements = [replace(each, part=f"{name} {each.part}") for name, _, judged in found for each in judged.judgements]
    judgements += whole(draw, parts)
    known = all(judged.sealer_known for _, _, judged in found)
    return replace(draw, members=members), Verdict(tuple(judgements), True, known, SAMPLE)


def _opened(content: bytes) -> tuple[Proof, list[Proof]]:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProofRefused("proof-cut-off") from error
    if not isinstance(tree, dict) or set(tree) != {"format", "draw", "parts"} or tree["format"] != FORMAT:
        raise ProofRefused("proof-unknown")
    if canonical(tree) != content:
        raise ProofRefused("proof-rewritten")
    if not isinstance(tree["parts"], list) or len(tree["parts"]) > _MOST_PARTS:
        raise ProofRefused("proof-unknown", "parts")
    draw, parts = _proof(tree["draw"], DRAW, "draw"), []
    for number, one in enumerate(tree["parts"], 1):
        parts.append(_proof(one, PART, f"part {number}"))
    return draw, parts


def _proof(text: object, kind: str, at: str) -> Proof:
    try:
        proof = opened(base64.b64decode(str(text), validate=True))
    except ProofRefused as refused:
        raise ProofRefused(refused.code, " ".join(filter(None, (at, refused.at)))) from refused
    except ValueError as error:
        raise ProofRefused("member-altered", at) from error
    if proof.kind != kind:
        raise ProofRefused("proof-unknown", at)
    return proof
