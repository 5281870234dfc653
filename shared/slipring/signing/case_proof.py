"""The proof of a critical case: its timeline, event by event, as it was chained when it happened.

Members: `case.json` (the Task as it is stored), `events.json` (its events in order, each with the digest of the one before
and its own), `attempt-N.json` (every message and receipt), `statement-1.json` with its seal `statement-1.jws` (how many
events there were, and the last digest), `keys.json` (the service's published keys).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from slipring.signing.case_chain import CASE_HEAD, link, start, texts
from slipring.signing.proof import SEALED, Proof, proof_reason
from slipring.signing.report_proof import Judgement
from slipring.signing.seal import KnownKey, examine

CASE = "critical-case"  # the kind of the proof
TASK, EVENTS, HEAD, HEAD_SEAL = "case.json", "events.json", "statement-1.json", "statement-1.jws"
_CHAINED = ("prev", "digest")


def examined_case(proof: Proof, keys: Mapping[str, KnownKey]) -> list[Judgement]:
    """Every part of a case's proof; `keys` are those that seals are judged by, known to be the service's or not."""
    seal = examine(proof.seal, proof.manifest, SEALED, keys)
    told = {"when": seal.at.isoformat(timespec="seconds") if seal.at else "", "key": seal.kid}
    events = _events(proof)
    return [
        _judged("manifest", [f"seal-{code}" for code in seal.reasons], told),
        _case(proof, events),
        *_chain(proof, events),
        _head(proof, events, keys),
    ]


def _case(proof: Proof, events: Sequence[Mapping[str, str]]) -> Judgement:
    task = _tree(proof, TASK)
    codes = [] if f"Task/{task.get('id')}" == proof.about else ["about-differs"]
    codes += [] if _told(task) == list(events) else ["timeline-differs"]
    return _judged("case", codes, {"status": str(task.get("status", "")), "events": str(len(events))})


def _chain(proof: Proof, events: Sequence[Mapping[str, str]]) -> list[Judgement]:
    """Each event by itself, and whether it follows the one that stands before it."""
    digests = {one.get("digest", "") for one in events}
    previous, found = start(proof.about), []
    for number, event in enumerate(events, 1):
        said = {name: value for name, value in event.items() if name not in _CHAINED}
        follows = event.get("prev", "")
        codes = [] if link(follows, said) == event.get("digest") else ["event-altered"]
        if follows != previous:
            known = follows in digests or follows == start(proof.about)
            codes.append("event-out-of-order" if known else "event-missing")
        facts = {"what": event.get("what", ""), "when": event.get("at", ""), "who": event.get("who", "")}
        found.append(_judged(f"event-{number}", codes, facts))
        previous = event.get("digest", "")
    return found


def _head(proof: Proof, events: Sequence[Mapping[str, str]], keys: Mapping[str, KnownKey]) -> Judgement:
    content = proof.members.get(HEAD, b"")
    judged = examine(proof.members.get(HEAD_SEAL, b"").decode("ascii", "replace"), content, CASE_HEAD, keys)
    said = _tree(proof, HEAD)
    codes = [f"seal-{code}" for code in judged.reasons]
    codes += [] if said.get("case") == proof.about else ["about-differs"]
    last = events[-1].get("digest") if events else start(proof.about)
    whole = (said.get("events"), said.get("head")) == (len(events), last)
    return _judged("end", codes + ([] if whole else ["events-cut"]), {"events": str(said.get("events", ""))})


def _told(task: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The events that the stored case itself carries."""
    carried = [one for one in task.get("extension", []) if str(one.get("url", "")).endswith("/case-event")]
    try:
        return [texts(one["extension"]) for one in carried]
    except (KeyError, StopIteration, TypeError):
        return []


def _events(proof: Proof) -> list[Mapping[str, str]]:
    listed = _tree(proof, EVENTS).get("events")
    rows = listed if isinstance(listed, list) else []
    return [{str(name): str(value) for name, value in one.items()} for one in rows if isinstance(one, dict)]


def _tree(proof: Proof, name: str) -> dict[str, Any]:
    try:
        tree = json.loads(proof.members.get(name, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _judged(part: str, codes: Sequence[str], facts: Mapping[str, str]) -> Judgement:
    return Judgement(part, tuple(proof_reason(code) for code in dict.fromkeys(codes)), facts)
