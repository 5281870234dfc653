"""Whatever somebody hands in as a proof is judged or told as what it is; nothing of it brings the verifier down."""

from __future__ import annotations

import base64
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from slipring.reading.proof_page import told_of
from slipring.signing.proof import Member, ProofRefused, opened, packed
from slipring.signing.proof_file import judged_file
from slipring.signing.seal import canonical
from slipring.signing.stated import stamped
from slipring.signing.time_stamp import TIME_STAMP, ask_for_stamp
from slipring_report.handlers.proving import proof_asked

from tests.support.time_stamping import time_stamping

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import ReadingRoom

_STRANGE: list[Any] = [None, True, 0, -1, 10**400, "", "x", "2026-01-01T00:00:00", [], [[]], [None], {}, {"url": 1}]


@pytest.fixture
async def answer(tmp_path: Path) -> dict[str, Any]:
    room = ReadingRoom(tmp_path)
    await room.draft()
    await room.release()
    told = (await room.call(proof_asked)).answer
    assert told is not None
    return told


def reshaped(tree: Any, drawn: random.Random) -> Any:
    """The tree with one of its members, anywhere, of another shape."""
    if isinstance(tree, dict) and tree and drawn.random() < 0.85:
        name = drawn.choice(sorted(tree))
        return {**tree, name: reshaped(tree[name], drawn)}
    if isinstance(tree, list) and tree and drawn.random() < 0.85:
        at = drawn.randrange(len(tree))
        return [*tree[:at], reshaped(tree[at], drawn), *tree[at + 1 :]]
    return drawn.choice(_STRANGE)


def made_strange(content: bytes, drawn: random.Random) -> bytes:
    """A proof that is whole in itself, as anybody can pack one, with a member that is not what its name says."""
    proof = opened(content)
    members, name = dict(proof.members), drawn.choice(sorted(proof.members))
    if name.endswith(".json") and drawn.random() < 0.8:
        members[name] = json.dumps(reshaped(json.loads(members[name]), drawn)).encode()
    else:
        members[name] = drawn.choice(
            [b"", b"\xff", b"{}", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"]
        )
    if drawn.random() < 0.2:
        members[drawn.choice(["signature-01.jws", "signature-9.jws", "statement-7.json", "result-3.json"])] = b"a..b"
    given = [Member(each, "application/octet-stream", one) for each, one in members.items()]
    return packed(proof.kind, proof.about, proof.made, given, lambda payload, kind: proof.seal)


async def test_a_proof_with_any_member_of_another_shape_is_judged_and_never_holds_unsealed(
    answer: dict[str, Any],
) -> None:
    content, drawn = base64.b64decode(answer["data"]), random.Random(20261126)
    for _ in range(300):
        strange = made_strange(content, drawn)
        told = told_of(strange, None)
        assert (told.refused and all(told.refused)) or told.code == "verdict-broken"
        assert not told.words


async def test_the_manifest_of_another_shape_is_told(answer: dict[str, Any]) -> None:
    tree, drawn = json.loads(base64.b64decode(answer["data"])), random.Random(7)
    for _ in range(200):
        manifest = reshaped(json.loads(tree["manifest"]), drawn)
        told = told_of(canonical({**tree, "manifest": canonical(manifest).decode()}), None)
        assert told.refused or told.code == "verdict-broken"


async def test_what_would_take_long_to_read_is_not_read(answer: dict[str, Any]) -> None:
    begun = time.process_time()
    names = b"{" + b",".join(b'"m%d":""' % one for one in range(1_000_000)) + b"}"
    assert told_of(names, None).refused
    proof = opened(base64.b64decode(answer["data"]))
    inner = [Member("result-1.json", "application/json", b"[" + b"1," * 4_000_000 + b"1]")]
    inner += [Member(name, "x", one) for name, one in proof.members.items()]
    assert told_of(packed(proof.kind, proof.about, proof.made, inner, lambda payload, kind: proof.seal), None).refused
    assert time.process_time() - begun < 4


async def test_the_answer_of_the_operation_is_taken_as_it_came(answer: dict[str, Any]) -> None:
    whole = told_of(json.dumps(answer).encode(), None)
    assert whole.code == "verdict-signers-unknown" and len(whole.signatures) == 2 and whole.words
    assert all(one.facts["serial"] and one.facts["issuer"] and one.facts["until"] for one in whole.signatures)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b" \n", "proof-empty"),
        (b"%PDF-1.7 ...", "proof-is-pdf"),
        (b"\xef\xbb\xbf<!DOCTYPE html><p>", "proof-is-page"),
        (b"-----BEGIN CERTIFICATE-----", "proof-is-certificate"),
        (b'{"resourceType": "DiagnosticReport"}', "proof-is-fhir"),
        (b'{"format":"slipring-proof/1","mani', "proof-cut-off"),
        (b"[" * 100_000, "proof-unreadable"),
        (b'{"format":' + b"9" * 5_000, "proof-unreadable"),
    ],
)
def test_what_is_no_proof_is_told_as_what_it_is(content: bytes, code: str) -> None:
    with pytest.raises(ProofRefused, match=code):
        judged_file(content)


async def test_a_time_stamp_is_told_and_that_of_another_signature_is_refused(tmp_path: Path) -> None:
    with time_stamping(tmp_path) as authority:
        reply = authority.reply(ask_for_stamp("one..jws").query)
    record = {"extension": [{"url": TIME_STAMP, "valueBase64Binary": base64.b64encode(reply).decode()}]}
    facts, against = stamped(record, "one..jws")
    assert facts["stamp"] and not against
    assert stamped(record, "another..jws") == ({}, ["time-stamp-differs"])
    assert stamped({"extension": [{"url": TIME_STAMP, "valueBase64Binary": "?"}]}, "one..jws")[1]
