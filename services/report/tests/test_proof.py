"""A report's proof is verified from one file and one root; whatever is altered, or made by somebody else, is found out."""

from __future__ import annotations

import base64
import json
import random
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from slipring.fhir.outcome import FhirError
from slipring.identity.people.roles import the_roles
from slipring.signing.certificate import make_authority
from slipring.signing.proof import FORMAT, Member, Proof, ProofRefused, opened, packed
from slipring.signing.seal import SealingKey, canonical, seal
from slipring.signing.verdict import Verdict, verdict
from slipring.signing.verify_command import verify
from slipring_report.handlers.proving import proof_asked
from slipring_report.operations.proving import PROOF
from typer import Typer
from typer.testing import CliRunner

from tests.support.desk import A_NOON

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REVIEWER, ReadingRoom

COMMAND = Typer()
COMMAND.command()(verify)


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    made = ReadingRoom(tmp_path)
    await made.draft()
    await made.release()
    return made


async def the_file(room: ReadingRoom) -> bytes:
    answer = (await room.call(proof_asked)).answer
    assert answer is not None and answer["resourceType"] == "Binary"
    return base64.b64decode(answer["data"])


def root_of(room: ReadingRoom) -> bytes:
    return (room.folder / "signing/root.pem").read_bytes()


def judged(content: bytes, trust: bytes | None) -> Verdict | str:
    try:
        return verdict(opened(content), trust)
    except ProofRefused as refused:
        return refused.code


def against(found: Verdict | str) -> set[str]:
    assert isinstance(found, Verdict)
    return {f"{one.part}: {each.code}" for one in found.judgements for each in one.reasons}


def remade(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """What somebody without the service's key can make: other members, a new manifest, a seal and a key of his own."""
    proof = opened(content)
    members = dict(proof.members)
    change(members)
    key = ECKey.generate_key("P-256", auto_kid=True)
    mine = dict(key.as_dict(private=False)) | {"service": "report", "since": "2000-01-01T00:00:00+00:00"}
    listed = json.loads(members["keys.json"])
    members["keys.json"] = json.dumps({"keys": [*listed["keys"], mine]}).encode()
    given = [Member(name, "application/octet-stream", one) for name, one in members.items()]
    return packed(
        proof.kind,
        proof.about,
        proof.made,
        given,
        lambda payload, kind: seal(payload, kind, SealingKey(str(key.kid), key), A_NOON),
    )


async def test_the_root_alone_is_enough_to_verify_a_proof(room: ReadingRoom) -> None:
    found = judged(await the_file(room), root_of(room))
    assert isinstance(found, Verdict) and found.holds and found.known, against(found)
    parts = {one.part: one.facts for one in found.judgements}
    assert list(parts) == ["manifest", "content", "signature-1", "signature-2", "signatures", "rendering-1"]
    assert [parts[f"signature-{n}"]["who"] for n in (1, 2)] == [AUTHOR, REVIEWER]


async def test_without_a_root_the_signers_are_unknown_and_the_command_says_whose_root_is_claimed(
    room: ReadingRoom, tmp_path: Path
) -> None:
    (export := tmp_path / "report.proof").write_bytes(await the_file(room))
    root = room.folder / "signing/root.pem"
    shown = CliRunner().invoke(COMMAND, [str(export)])
    assert shown.exit_code == 2 and "签名者身份未知" in shown.output and "signers unknown" in shown.output
    assert "SHA-256" in shown.output
    assert CliRunner().invoke(COMMAND, [str(export), "--trust", str(root)]).exit_code == 0
    told = json.loads(CliRunner().invoke(COMMAND, [str(export), "--trust", str(root), "--json"]).output)
    assert told["holds"] and told["verdict"] == "verdict-holds"


async def test_a_root_of_somebody_else_makes_every_signature_untrusted(room: ReadingRoom, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", now=A_NOON).certificate_pem
    assert {"signature-1: certificate-untrusted", "signature-2: certificate-untrusted"} <= against(
        judged(await the_file(room), other)
    )


async def test_any_changed_byte_of_the_file_fails(room: ReadingRoom) -> None:
    content, root = await the_file(room), root_of(room)
    drawn = random.Random(20261126)
    places = sorted({*drawn.sample(range(len(content)), 250), *range(40), *range(len(content) - 40, len(content))})
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1 << drawn.randrange(8)
        found = judged(bytes(altered), root)
        assert isinstance(found, str) or not found.holds, place
    for cut in (0, 1, len(content) // 2, len(content) - 1):
        assert judged(content[:cut], root) == "proof-unreadable"
    assert judged(content + b"\n", root) == "proof-rewritten"
    assert judged(json.dumps(json.loads(content), indent=1).encode(), root) == "proof-rewritten"


async def test_what_somebody_else_packs_is_never_taken_for_ours(room: ReadingRoom) -> None:
    """Members as they were, but a manifest and a seal of his own: the authority does not vouch for his key."""
    found = judged(remade(await the_file(room), lambda members: None), root_of(room))
    assert isinstance(found, Verdict) and found.holds and not found.known and found.code == "verdict-sealer-unknown"


def swapped(members: dict[str, bytes]) -> None:
    one, two = members["signature-1.jws"], members["signature-2.jws"]
    members["signature-1.jws"], members["signature-2.jws"] = two, one


def without_the_second(members: dict[str, bytes]) -> None:
    for name in [one for one in members if one.startswith(("signature-2", "receipt-2", "provenance-2"))]:
        del members[name]


def first_twice(members: dict[str, bytes]) -> None:
    members["signature-2.jws"] = members["signature-1.jws"]


def another_conclusion(members: dict[str, bytes]) -> None:
    members["report.json"] = members["report.json"].replace(b"embolism", b"fracture")
    members["payload.json"] = members["payload.json"].replace(b"embolism", b"fracture")


def another_record(members: dict[str, bytes]) -> None:
    members["report.json"] = members["report.json"].replace(b"embolism", b"fracture")


def another_rendering(members: dict[str, bytes]) -> None:
    members["rendering-1.html"] = members["rendering-1.html"].replace(b"embolism", b"fracture")


def canonical_no_more(members: dict[str, bytes]) -> None:
    members["payload.json"] = json.dumps(json.loads(members["payload.json"]), indent=1).encode()


def an_earlier_time(members: dict[str, bytes]) -> None:
    told = json.loads(members["receipt-1.json"])
    members["receipt-1.json"] = canonical(told | {"recorded": "2026-03-02T03:59:00.000Z"})


def cut_short(members: dict[str, bytes]) -> None:
    members["signature-2.jws"] = members["signature-2.jws"][:-2]  # whole bytes are left: the text itself is sound


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (swapped, "signature-1: role-differs"),
        (swapped, "signature-1: previous-unexpected"),
        (without_the_second, "signatures: signatures-missing"),
        (without_the_second, "rendering-1: signatures-differ"),
        (first_twice, "signature-2: signer-repeated"),
        (another_conclusion, "signature-1: payload-differs"),
        (another_record, "content: content-differs"),
        (another_rendering, "rendering-1: rendering-differs"),
        (canonical_no_more, "signature-2: payload-differs"),
        (an_earlier_time, "signature-1: seal-payload-differs"),
        (cut_short, "signature-2: signature-invalid"),
    ],
)
async def test_each_forgery_fails_by_its_own_reason(
    room: ReadingRoom, change: Callable[[dict[str, bytes]], None], reason: str
) -> None:
    found = judged(remade(await the_file(room), change), root_of(room))
    assert isinstance(found, Verdict) and not found.holds
    assert reason in against(found)
    assert all(each.zh and each.en for one in found.judgements for each in one.reasons)


async def test_a_signature_does_not_carry_over_to_another_report(tmp_path: Path) -> None:
    rooms = [ReadingRoom(tmp_path / name) for name in ("one", "two")]
    for room, conclusion in zip(rooms, ("No embolism.", "Embolism."), strict=True):
        await room.draft(conclusion=conclusion)
        await room.release()
    mine, other = [opened(await the_file(room)).members for room in rooms]
    carried = {name: one for name, one in other.items() if name.startswith(("signature-", "receipt-"))}
    found = judged(remade(await the_file(rooms[0]), lambda members: members.update(carried)), root_of(rooms[1]))
    assert mine["payload.json"] != other["payload.json"]
    assert {"signature-1: payload-differs", "signature-1: receipt-differs"} <= against(found)


async def test_a_proof_made_later_judges_keys_by_the_time_of_signing(room: ReadingRoom) -> None:
    """The practitioners' certificates have ended, the root stands: what was signed in time stays signed."""
    room.desk.now += timedelta(days=900)
    found = judged(await the_file(room), root_of(room))
    assert isinstance(found, Verdict) and found.holds, against(found)


async def test_a_report_that_nobody_signed_has_no_proof(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    await room.draft()
    with pytest.raises(FhirError) as refusal:
        await room.call(proof_asked)
    assert refusal.value.status == 409 and refusal.value.issues[0].detail == "report.nothing-to-prove"


def test_what_is_no_proof_is_said_so(tmp_path: Path) -> None:
    for content, code in (
        (b"", "proof-empty"),
        (b"[]", "proof-unknown"),
        (b"{}", "proof-unknown"),
        (b"\xff\x00", "proof-unreadable"),
    ):
        (file := tmp_path / "some.file").write_bytes(content)
        shown = CliRunner().invoke(COMMAND, [str(file)])
        assert shown.exit_code == 1 and code in shown.output, shown.output
    strange: dict[str, Any] = {"format": FORMAT, "manifest": "{}", "seal": "", "members": []}
    with pytest.raises(ProofRefused, match="proof-unknown"):
        opened(canonical(strange))
    assert Proof.__doc__


def test_whoever_requests_an_exam_may_prove_its_report() -> None:
    """What the proof tells of, the requester's role opens: he is shown the report, and may take it to an assessor."""
    scopes = the_roles().scopes(["requester"], emergency=False)
    assert [one for one in (PROOF.type, *PROOF.tells) if f"user/{one}.rs" not in scopes] == []
