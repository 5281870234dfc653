"""The proof of a case: verified from one file; an event that is cut, swapped, altered or moved is found out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from slipring.department.place import Place
from slipring.pages.frame import Pages
from slipring.reading.proof_page import ProofPage
from slipring.signing.case_chain import CASE_HEAD, head, link
from slipring.signing.proof import Member, ProofRefused, opened, packed
from slipring.signing.seal import SealingKey, canonical, seal
from slipring.signing.verdict import Verdict, verdict
from slipring.signing.verify_command import verify
from slipring_critical.cases.record import CASE_RECORD, CASE_SEAL
from starlette.applications import Starlette
from typer import Typer
from typer.testing import CliRunner

from tests.support.desk import A_NOON
from tests.support.one_case import REQUESTER, RIGHT, rung
from tests.support.ringing import ARinging

pytestmark = pytest.mark.clause("5.9.1")
COMMAND = Typer()
COMMAND.command()(verify)
Events = list[dict[str, str]]


async def closed() -> ARinging:
    ringing = await rung()
    await ringing.wait(3)
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    await ringing.call("act", action={"text": "chest drain"})
    return ringing


async def the_file(ringing: ARinging) -> tuple[bytes, list[Any]]:
    answer = await ringing.call("proof")
    return base64.b64decode(answer["data"]), await ringing.desk.seals.keys()


def remade(content: bytes, change: Callable[[Events], None], *, forge: bool = False) -> bytes:
    """What somebody makes of it who has not the service's key; `forge`: he chains and seals anew by a key of his own."""
    proof = opened(content)
    members = dict(proof.members)
    events: Events = json.loads(members["events.json"])["events"]
    change(events)
    if forge:
        previous = events[0]["prev"]
        for event in events:
            said = {name: value for name, value in event.items() if name not in ("prev", "digest")}
            event["prev"], event["digest"] = previous, link(previous, said)
            previous = event["digest"]
    key = ECKey.generate_key("P-256", auto_kid=True)
    mine = SealingKey(str(key.kid), key)
    members["events.json"] = json.dumps({"events": events}).encode()
    stated = head(proof.about, events[-1]["digest"], len(events))
    members["statement-1.json"] = stated if forge else members["statement-1.json"]
    if forge:
        members["statement-1.jws"] = seal(stated, CASE_HEAD, mine, A_NOON).encode()
        public = dict(key.as_dict(private=False)) | {"service": "critical", "since": "2000-01-01T00:00:00+00:00"}
        members["keys.json"] = json.dumps({"keys": [public]}).encode()
    given = [Member(name, "application/json", one) for name, one in members.items()]
    return packed(proof.kind, proof.about, proof.made, given, lambda payload, kind: seal(payload, kind, mine, A_NOON))


def against(content: bytes, keys: list[Any]) -> set[str]:
    found: Verdict = verdict(opened(content), None, keys)
    return {each.code for one in found.judgements for each in one.reasons}


async def test_a_proof_holds_by_the_published_keys_and_tells_every_event() -> None:
    ringing = await closed()
    content, keys = await the_file(ringing)

    found = verdict(opened(content), None, keys)

    assert (found.holds, found.known, found.code) == (True, True, "verdict-case-holds")
    told = [one.facts["what"] for one in found.judgements if one.part.startswith("event-")]
    assert told[0] == "opened" and told[-2:] == ["acted", "closed"]
    assert verdict(opened(content), None).code == "verdict-case-sealer-unknown"
    assert [name for name in opened(content).members if name.startswith("attempt-")] == [
        f"attempt-{n}.json" for n in range(1, 6)
    ]


def _cut_middle(events: Events) -> None:
    del events[2]


def _cut_end(events: Events) -> None:
    del events[-1]


def _swap(events: Events) -> None:
    events[1], events[2] = events[2], events[1]


def _alter(events: Events) -> None:
    events[1]["at"] = "2026-03-02T03:00:00.000+00:00"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_cut_middle, "event-missing"),
        (_cut_end, "events-cut"),
        (_swap, "event-out-of-order"),
        (_alter, "event-altered"),
    ],
)
async def test_what_was_cut_swapped_or_altered_is_found_out_with_its_reason(
    change: Callable[[Events], None], reason: str
) -> None:
    content, keys = await the_file(await closed())

    found = against(remade(content, change), keys)

    assert {reason, "timeline-differs"} <= found


async def test_a_timeline_chained_anew_by_another_key_is_nobodys() -> None:
    content, keys = await the_file(await closed())

    made = remade(content, _alter, forge=True)

    assert "timeline-differs" in against(made, keys)
    assert not verdict(opened(made), None, keys).known


async def test_a_byte_changed_in_the_file_itself_is_no_proof() -> None:
    content, _ = await the_file(await closed())

    with pytest.raises(ProofRefused):
        opened(content.replace(b'"kind', b'"kynd', 1))
    with pytest.raises(ProofRefused):
        opened(content[: len(content) // 2])


async def test_the_command_verifies_offline(tmp_path: Path) -> None:
    content, keys = await the_file(await closed())
    (tmp_path / "case.proof").write_bytes(content)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": keys}))
    (tmp_path / "altered.proof").write_bytes(remade(content, _alter))

    run = CliRunner().invoke
    good = run(COMMAND, [str(tmp_path / "case.proof"), "--keys", str(tmp_path / "keys.json")])
    unknown = run(COMMAND, [str(tmp_path / "case.proof")])
    bad = run(COMMAND, [str(tmp_path / "altered.proof"), "--keys", str(tmp_path / "keys.json")])

    assert (good.exit_code, unknown.exit_code, bad.exit_code) == (0, 2, 1)
    assert "event-altered" in bad.output


async def test_a_closed_case_stands_as_a_sealed_communication() -> None:
    """ISO 15189:2012 5.9.1 b: date, time, responsible staff, person notified, result, difficulties."""
    ringing = await closed()
    [record] = [
        stored.resource
        for stored in ringing.desk.held.values()
        if stored.resource["resourceType"] == "Communication" and "topic" in stored.resource
    ]

    [seal_of] = [one["valueString"] for one in record["extension"] if one["url"] == CASE_SEAL]
    text = record["payload"][0]["contentString"].encode()
    said = json.loads(text)

    assert record["topic"]["coding"][0]["code"] == "73568-8"
    assert await ringing.desk.seals.faults(seal_of, text, CASE_RECORD) == ()
    assert await ringing.desk.seals.faults(seal_of, text.replace(b"chest", b"other"), CASE_RECORD) != ()
    assert (said["receiver"], said["action"], said["finding"]) == (
        "Practitioner/o-requester",
        "chest drain",
        "CV-CT-07",
    )
    assert canonical(said) == text


async def test_the_page_for_receivers_tells_a_case_event_by_event_and_names_the_one_that_was_altered() -> None:
    content, _ = await the_file(await closed())
    pages = Pages(b"k" * 32, rooms=("slipring.pages", "slipring.department", "slipring.reading"))
    nothing: Any = None
    place = Place(nothing, pages, nothing, nothing, nothing, nothing)
    over = httpx.ASGITransport(app=Starlette(routes=ProofPage(place).routes()))

    def altered(events: Events) -> None:
        events[1]["who"] = "Practitioner/somebody-else"

    async with httpx.AsyncClient(transport=over, base_url="http://verify", headers={"accept-language": "en"}) as http:
        whole = await http.post("/verify", files={"proof": ("case.proof", content)})
        assert whole.status_code == 200 and "Unchanged; who sealed it is not proved here" in whole.text
        assert "What happened, in its order" in whole.text and "Nobody has signed it" not in whole.text
        assert "▲" not in whole.text
        broken = await http.post("/verify", files={"proof": ("case.proof", remade(content, altered))})
    assert broken.status_code == 200 and "Do not rely on this file" in broken.text
    assert "<strong>Event 2</strong>" in broken.text
