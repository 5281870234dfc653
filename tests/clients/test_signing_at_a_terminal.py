"""Two radiologists sign a report by `slipring sign`, each with a key of his own; anybody verifies the proof offline."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.clients.reading_at_home import PASSPHRASE, AtHome, answers_for


@pytest.mark.clause("5.7.1")
def test_two_people_sign_at_the_terminal_and_the_proof_verifies_offline(home: AtHome, tmp_path: Path) -> None:
    report = home.drafted()
    listed = json.loads(home.sign("first reader", "--list", "--json").stdout)
    number = [one["report"] for one in listed].index(report) + 1
    assert listed[number - 1]["role"] == "author"

    unanswered = home.sign("first reader", "--report", report, said=f"{PASSPHRASE}\n\n")
    assert unanswered.exit_code == 1 and "correct the report first" in unanswered.output, unanswered.output
    assert "report.text-critical-unflagged" in unanswered.output, "the embolism is told by nobody yet"

    reasons = "the requester was called by telephone\n" * 4
    first = home.sign("first reader", said=f"{number}\n{PASSPHRASE}\n{reasons}y\n")
    assert first.exit_code == 0, first.output
    assert "双下肺动脉急性栓塞" in first.output and home.cast.imaging_number in first.output
    assert f"{report}: preliminary" in first.stdout
    left = json.loads(home.sign("first reader", "--list", "--json").stdout)
    assert report not in [one["report"] for one in left], "nobody signs twice"

    [line] = [one for one in home.sign("second reader", "--list").stdout.splitlines() if report in one]
    assert "reviewer" in line and home.cast.staff["first reader"] in line
    proof = tmp_path / "report.proof"
    second = home.sign("second reader", "--report", report, "--proof", str(proof), "--yes", "--json")
    assert second.exit_code == 0, second.output
    told = json.loads(second.stdout)
    assert told["status"] == "final" and told["released"] and told["valid"]
    assert [one["who"] for one in told["signatures"]] == [
        home.cast.staff["first reader"],
        home.cast.staff["second reader"],
    ]
    verified = home.slipring("verify", str(proof), "--trust", str(home.server.data_dir / "signing/root.pem"))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_refusal_is_shown_in_both_languages_with_code_and_element(home: AtHome) -> None:
    report = home.drafted()
    early = home.sign(
        "second reader", "--report", report, "--role", "reviewer", "--yes", *answers_for(home, "second reader", report)
    )
    assert early.exit_code == 1
    assert "report.roles-in-order" in early.stderr and "at Parameters.parameter" in early.stderr, early.stderr
    assert re.search("[一-鿿]", early.stderr)
    tree = json.loads(
        home.sign("second reader", "--report", report, "--role", "reviewer", "--yes", "--json").stdout.splitlines()[-1]
    )
    assert tree["refused"] == 422 and all(one["zh"] and one["en"] for one in tree["issues"])


def test_what_was_not_confirmed_is_not_signed(home: AtHome) -> None:
    report = home.drafted()
    reasons = "the requester was called by telephone\n" * 4
    ended = home.sign("second reader", "--report", report, said=f"{reasons}n\n")
    assert ended.exit_code == 1 and "Not signed" in ended.output
    with home.server.department() as client:
        assert client.get(f"/fhir/{report}").json()["status"] == "partial"


def test_a_key_that_others_may_read_or_of_somebody_else_is_not_signed_with(home: AtHome, tmp_path: Path) -> None:
    report = home.drafted()
    (copied := tmp_path / "key.pem").write_bytes(home.keys["second reader"].read_bytes())
    copied.chmod(0o640)
    for key, reason in ((copied, "chmod 600"), (home.keys["second reader"], "do not belong together")):
        refused = home.sign("first reader", "--key", str(key), "--report", report, "--yes", key=False)
        assert refused.exit_code == 1 and reason in refused.output, refused.output
    wrong = home.sign("first reader", "--report", report, said="wrong\n")
    assert wrong.exit_code == 1 and "passphrase is wrong" in wrong.output
