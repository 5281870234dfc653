"""An outside authority stamps each signature; while it is down the signature stands and the stamp is owed."""

import base64
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
from slipring.fhir.service import Changes, Errand
from slipring.signing.time_stamp import TIME_STAMP, TimeStampRefused, ask_for_stamp, stamped_at
from slipring.signing.verify_command import verify
from slipring_report.handlers.proving import proof_asked
from slipring_report.handlers.stamping import NotStamped, stamp_fetched
from slipring_report.handlers.verifying import verification_asked
from slipring_report.settings import ReportSettings
from slipring_report.signatures.stamping import STAMPING
from typer import Typer
from typer.testing import CliRunner

from tests.support.desk import A_NOON
from tests.support.time_stamping import TimeStamping, time_stamping

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, ReadingRoom

VERIFY = Typer()
VERIFY.command()(verify)
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the authority of these tests is openssl's")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStamping]:
    with time_stamping(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture
def room(tmp_path: Path, authority: TimeStamping) -> ReadingRoom:
    authority.down = False
    made = ReadingRoom(tmp_path)
    made.desk.settings = ReportSettings(trust=made.desk.settings.trust, tsa=authority.url, tsa_trust=authority.root)
    return made


async def signed(room: ReadingRoom) -> str:
    """One signature taken; the record that awaits its stamp."""
    await room.draft()
    changes = await room.sign(AUTHOR, "author")
    [wake] = [each for each in changes.wake if each.name == STAMPING]
    return wake.subject


async def fetched(room: ReadingRoom, subject: str) -> Changes:
    errand = Errand(STAMPING, subject, "", "an-attempt", repeat=False, attempts=1, payload={})
    async with httpx.AsyncClient(trust_env=False) as http:
        changes = await stamp_fetched(errand, room.desk, http)
    room.desk.carry_out(changes)
    return changes


def kept(room: ReadingRoom, subject: str) -> dict[str, Any]:
    return next(e for e in room.desk.held[subject].resource["extension"] if e["url"] == TIME_STAMP)


async def test_a_signature_gets_its_stamp_after_it_was_taken(room: ReadingRoom) -> None:
    subject = await signed(room)
    _, [before] = await room.verified()
    assert "timeStamp" not in before and before["valid"]["valueBoolean"] is True
    await fetched(room, subject)
    valid, [signature] = await room.verified()
    assert valid and signature["timeStamp"]["valueDateTime"] > A_NOON.isoformat()
    assert (await fetched(room, subject)).nothing, "one stamp is enough"


async def test_an_authority_that_is_down_is_asked_again_and_the_signature_stands(
    room: ReadingRoom, authority: TimeStamping
) -> None:
    subject = await signed(room)
    authority.down = True
    with pytest.raises(NotStamped):
        await fetched(room, subject)
    assert (await room.verified())[0]
    authority.down = False
    await fetched(room, subject)
    assert kept(room, subject)


async def test_a_stamp_over_another_signature_does_not_fit(room: ReadingRoom, authority: TimeStamping) -> None:
    subject = await signed(room)
    await fetched(room, subject)
    other = authority.reply(ask_for_stamp("another..signature").query)
    kept(room, subject)["valueBase64Binary"] = base64.b64encode(other).decode()
    valid, [signature] = await room.verified()
    assert not valid and signature["reason"]["valueString"] == "time-stamp-differs"


async def test_a_stamp_from_before_the_recorded_time_is_told(room: ReadingRoom) -> None:
    """Whoever moves the record behind its stamp is found out by the stamp, too."""
    subject = await signed(room)
    await fetched(room, subject)
    room.desk.held[subject].resource["recorded"] = "2099-01-01T00:00:00.000Z"
    answer = (await room.call(verification_asked)).answer
    assert answer is not None
    [parts] = [each["part"] for each in answer["parameter"] if each["name"] == "signature"]
    said = {part["valueString"] for part in parts if part["name"] == "reason"}
    assert {"time-stamp-early", "seal-payload-differs"} <= said


def test_a_stamp_of_another_authority_or_with_another_nonce_is_none(authority: TimeStamping, tmp_path: Path) -> None:
    asked = ask_for_stamp("a..signature")
    reply = authority.reply(asked.query)
    roots = authority.root.read_bytes()
    assert stamped_at(reply, "a..signature", roots, asked.nonce) == stamped_at(reply, "a..signature", roots)
    wrong: list[tuple[bytes, str, int | None, str]] = [
        (reply, "a..signature", 7, "forged"),
        (reply, "b..signature", asked.nonce, "differs"),
        (reply[:-10], "a..signature", None, "unreadable"),
        (b"", "a..signature", None, "unreadable"),
        (reply[:-1] + bytes([reply[-1] ^ 1]), "a..signature", None, "forged"),
    ]
    for content, jws, nonce, why in wrong:
        with pytest.raises(TimeStampRefused, match=why):
            stamped_at(content, jws, roots, nonce)
    with time_stamping(tmp_path / "stranger") as stranger, pytest.raises(TimeStampRefused, match="authority-unknown"):
        stamped_at(reply, "a..signature", stranger.root.read_bytes())  # of the same name, with another key
    with time_stamping(tmp_path / "ended", ends=timedelta(days=-1)) as ended:
        late = ended.reply(ask_for_stamp("a..signature").query)
        with pytest.raises(TimeStampRefused, match="expired"):
            stamped_at(late, "a..signature", ended.root.read_bytes())


async def test_a_proof_carries_its_stamps_and_the_command_judges_them_offline(
    room: ReadingRoom, authority: TimeStamping, tmp_path: Path
) -> None:
    subject = await signed(room)
    await fetched(room, subject)

    async def told(roots: Path | None) -> tuple[int, dict[str, Any]]:
        answer = (await room.call(proof_asked)).answer
        assert answer is not None
        (file := tmp_path / "report.proof").write_bytes(base64.b64decode(answer["data"]))
        options = ["--trust", str(room.folder / "signing/root.pem"), "--json"]
        options += ["--trust-stamps", str(roots)] if roots else []
        ran = CliRunner().invoke(VERIFY, [str(file), *options])
        [part] = [one for one in json.loads(ran.output)["parts"] if one["part"] == "signature-1"]
        return ran.exit_code, part

    assert (await told(None))[1]["stamped"] == "stated"
    for roots, plainly in (([], True), (["--trust-stamps", str(authority.root)], False)):
        options = [str(tmp_path / "report.proof"), "--trust", str(room.folder / "signing/root.pem"), *roots]
        assert ("is what it states" in CliRunner().invoke(VERIFY, options).output) is plainly
    code, part = await told(authority.root)
    assert (code, part["stamped"], part["reasons"]) == (0, "proved", []) and part["stamp"] > A_NOON.isoformat()
    with time_stamping(tmp_path / "stranger") as stranger:
        code, part = await told(stranger.root)
        assert (code, part["reasons"]) == (1, ["time-stamp-authority-unknown"]) and "stamp" not in part
    reply = base64.b64decode(kept(room, subject)["valueBase64Binary"])
    kept(room, subject)["valueBase64Binary"] = base64.b64encode(reply[:-1] + bytes([reply[-1] ^ 1])).decode()
    assert await told(None) == (0, {**part, "stamp": ANY, "stamped": "stated", "reasons": [], "holds": True})
    assert (await told(authority.root))[1]["reasons"] == ["time-stamp-forged"]


def test_an_authority_needs_the_roots_that_it_is_judged_by() -> None:
    with pytest.raises(ValueError, match="SLIPRING_TSA_TRUST"):
        ReportSettings.from_env({"SLIPRING_TSA_URL": "http://127.0.0.1/"})
    assert ReportSettings.from_env({}).tsa == ""
