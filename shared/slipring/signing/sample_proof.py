"""The proofs of an assessor's sample: the draw, and what each service has on each case.

A draw (`sample-draw`) has `draw.json`: period, moment, seed, quotas, what was drawn, what could not be filled, and the
services that answer for a case. A part (`sample-evidence`) has `records.json`: the case's number, its exam, the SHA-256 of
the draw's manifest, and each record masked, with version, the SHA-256 of what is stored and whether that was what the trail
says; `checked.json`: the proofs of signatures that were judged before masking, because what is masked is not what was signed.
Both carry `keys.json` and `key-certificates.pem` of the service that sealed them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from slipring.signing.proof import SEALED, Proof, proof_reason
from slipring.signing.report_proof import Judgement
from slipring.signing.seal import KnownKey, examine

DRAW, PART = "sample-draw", "sample-evidence"  # kinds of proofs
DRAWN, RECORDS, CHECKED = "draw.json", "records.json", "checked.json"
_DRAWS = "order"  # the service that draws


def examined_sample(proof: Proof, keys: Mapping[str, KnownKey]) -> list[Judgement]:
    """The seal of one of them, and what it says it holds."""
    seal = examine(proof.seal, proof.manifest, SEALED, keys)
    told = {"when": seal.at.isoformat(timespec="seconds") if seal.at else "", "key": seal.kid}
    codes = [f"seal-{code}" for code in seal.reasons]
    sealer = keys[seal.kid].service if seal.kid in keys else ""
    codes += [] if sealer in ("", _service(proof)) else ["service-differs"]
    if proof.kind == PART:
        said = member(proof, RECORDS)
        records = said.get("records", [])
        altered = sum(bool(one.get("altered")) for one in records)
        broken = sum(one.get("holds") is False for one in member(proof, CHECKED).get("checked", []))
        told |= {"service": str(said.get("service", "")), "records": f"{len(records)} records"}
        told |= {"altered": f"{altered} altered" if altered else "", "broken": f"{broken} broken" if broken else ""}
        codes += [] if said.get("exam") == proof.about else ["about-differs"]
    return [Judgement("manifest", tuple(proof_reason(code) for code in dict.fromkeys(codes)), told)]


def _service(proof: Proof) -> str:
    """Whose seal it must bear."""
    return str(member(proof, RECORDS).get("service", "")) if proof.kind == PART else _DRAWS


def member(proof: Proof, name: str) -> dict[str, Any]:
    """A member as JSON; empty when it is none."""
    try:
        tree = json.loads(proof.members.get(name, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def manifest_sha256(proof: Proof) -> str:
    """What a part names its draw by."""
    return hashlib.sha256(proof.manifest).hexdigest()


def whole(draw: Proof, parts: Sequence[Proof]) -> list[Judgement]:
    """Whether the parts are those of the draw: one of each service for each case, none of another draw, none twice."""
    said = member(draw, DRAWN)
    name, drawn = manifest_sha256(draw), said.get("cases", [])
    wanted = {
        (number, str(case.get("exam", "")), str(service))
        for number, case in enumerate(drawn, 1)
        for service in said.get("services", [])
    }
    codes, has = [], []
    for one in parts:
        records = member(one, RECORDS)
        codes += [] if records.get("draw") == name else ["part-of-another-draw"]
        has.append((records.get("case"), str(records.get("exam", "")), str(records.get("service", ""))))
    codes += ["part-missing"] if wanted - set(has) else []
    codes += ["part-not-drawn"] if set(has) - wanted else []
    codes += ["part-twice"] if len(has) != len(set(has)) else []
    facts = {"cases": f"{len(drawn)} cases", "parts": f"{len(has)} parts", "seed": str(said.get("seed", ""))}
    lacking = [str(one.get("en", "")) for one in said.get("lacking", [])]
    facts["lacking"] = f"not filled: {'; '.join(lacking)}" if lacking else ""
    return [Judgement("sample", tuple(proof_reason(code) for code in dict.fromkeys(codes)), facts)]
