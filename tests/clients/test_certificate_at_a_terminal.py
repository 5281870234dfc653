"""A key is made at home, its certificate asked for and fetched, and the key moved to a token that signs a report."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.client.signing_keys import KeyFile, signer_of
from slipring_demo.teller import parameters

from tests.clients.reading_at_home import PEOPLE, AtHome, answers_for
from tests.clients.test_key_on_a_token import MODULE

WHO = "second reader"


def decided(lead: httpx.Client, task: str, **said: Any) -> None:
    """The second person's word; the report service hears of who leads a moment later."""
    for _ in range(300):
        answer = lead.post(f"/fhir/{task}/$decide-certificate", json=parameters(**said))
        if answer.status_code not in (403, 422):
            break
        time.sleep(0.1)
    assert answer.status_code == 200, answer.text


@pytest.mark.clause("5.7.1")
def test_a_certificate_is_asked_for_approved_by_another_and_fetched_beside_the_key(
    home: AtHome, tmp_path: Path
) -> None:
    folder, client = tmp_path / "me", ("--client", PEOPLE[WHO])
    ask = ("certificate", "ask", "--out", str(folder), "--plain", *client)
    collect = ("certificate", "collect", "--out", str(folder), *client)
    cut = home.slipring(*ask, SLIPRING_URL="http://127.0.0.1:9")
    assert cut.returncode == 1 and "No answer came" in cut.stderr and "Traceback" not in cut.stderr, cut.stderr
    made = (folder / "key.pem").read_bytes()
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    never = home.slipring(*collect)
    assert never.returncode == 1 and "Nothing was asked for with this key yet" in never.stderr, never.stderr

    asked, again = (json.loads(home.slipring(*ask, "--json").stdout) for _ in range(2))
    assert asked == again and asked["status"] == "requested", "asking again takes up the same request"
    assert (folder / "key.pem").read_bytes() == made, "the key of the run that was cut short is the one"
    waiting = home.slipring(*collect)
    assert waiting.returncode == 2 and not (folder / "chain.pem").exists(), waiting.stderr

    with home.leads("first reader") as lead:
        decided(lead, asked["task"], decision=("Code", "approve"))
        got = home.slipring(*collect)
        assert got.returncode == 0 and got.stdout.splitlines()[-1] == str(folder / "chain.pem"), got.stderr
        chain = (folder / "chain.pem").read_bytes()
        assert signer_of(chain) == home.cast.staff[WHO]
        KeyFile.read(folder / "key.pem", chain, lambda: "")  # the two belong together

        other = tmp_path / "other"
        asked = json.loads(home.slipring(*ask[:3], str(other), "--plain", *client, "--json").stdout)
        decided(lead, asked["task"], decision=("Code", "refuse"), reason=("String", "One is enough 已有证书"))
        refused = home.slipring(*collect[:3], str(other), *client)
        assert refused.returncode == 1 and "One is enough" in refused.stderr and not (other / "chain.pem").exists()


@pytest.mark.skipif(shutil.which("softhsm2-util") is None or not MODULE.exists(), reason="needs the token in software")
def test_a_key_on_a_token_signs_at_the_terminal_and_the_report_is_shown(home: AtHome, tmp_path: Path) -> None:
    pytest.importorskip("pkcs11", reason="needs python-pkcs11")
    (tmp_path / "tokens").mkdir()
    (configured := tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    (secret := tmp_path / "pin").write_text("1234\n")
    secret.chmod(0o600)
    for words in (
        ("--init-token", "--free", "--label", "card", "--so-pin", "0000", "--pin", "1234"),
        ("--import", str(home.keys[WHO]), "--token", "card", "--label", "mine", "--id", "01", "--pin", "1234"),
    ):
        settled = {"SOFTHSM2_CONF": str(configured), "PATH": "/usr/bin:/bin"}
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True, env=settled)
    card = ("--pkcs11", str(MODULE), "--label", "mine", "--token", "card", "--secret-file", str(secret))
    at_card = {"SOFTHSM2_CONF": str(configured)}
    ask = ("certificate", "ask", "--out", str(tmp_path / "card"), *card, "--client", PEOPLE[WHO], "--json")
    asked, again = (home.slipring(*ask, **at_card) for _ in range(2))
    assert asked.returncode == 0 and asked.stdout == again.stdout, asked.stderr + again.stderr
    assert json.loads(asked.stdout)["status"] == "requested"
    assert [one.name for one in (tmp_path / "card").iterdir()] == ["request.pem"], "no key leaves the token"
    report = home.drafted()
    told, shown = answers_for(home, WHO, report), tmp_path / "shown.html"
    signing = ("sign", *home.options(WHO), *card, "--report", report, "--yes", "--open", "--json", *told)
    surroundings = {**at_card, "BROWSER": f"curl -s -o {shown} %s", "TMPDIR": str(tmp_path)}
    signed = home.slipring(*signing, **surroundings)
    assert signed.returncode == 0, signed.stderr
    assert json.loads(signed.stdout)["status"] == "preliminary" and json.loads(signed.stdout)["valid"]
    assert "双下肺动脉急性栓塞" in shown.read_text("utf-8"), "the browser was given the rendering"
    assert not list(tmp_path.glob("slipring-*")), "and no copy of the patient's report is left behind"
    secret.write_text("9999\n")
    wrong = home.slipring(*signing, **surroundings)
    assert wrong.returncode == 1 and "PinIncorrect" in wrong.stdout, wrong.stdout


def test_an_interrupted_signature_is_no_signature_and_that_is_said(home: AtHome) -> None:
    report = home.drafted()
    begun = home.begun("sign", *home.options(WHO), "--key", str(home.keys[WHO]), "--report", report)
    assert begun.stderr is not None
    read = ""
    while "empty: do not sign" not in read:
        one = begun.stderr.read(1)
        assert one, f"it ended before it asked: {read}"
        read += one
    begun.send_signal(signal.SIGINT)
    _, rest = begun.communicate(timeout=60)
    assert begun.returncode == 1 and "Interrupted: nothing was signed" in rest and "Traceback" not in rest, rest
    with home.server.department() as client:
        assert client.get(f"/fhir/{report}").json()["status"] == "partial"
        assert "entry" not in client.get(f"/fhir/Provenance?target={report}").json()
