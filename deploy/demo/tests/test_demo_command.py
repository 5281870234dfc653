"""`slipring demo` as anyone runs it: a process from nothing, which ends by itself and says whether all of it held."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

SLIPRING = Path(sys.executable).with_name("slipring")


def told(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo with its temporary files in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    command = [str(SLIPRING), "demo", *arguments]
    return subprocess.run(
        command, env=environment | {"TMPDIR": str(folder)}, capture_output=True, text=True, timeout=400, check=False
    )


@pytest.mark.parametrize(("arguments", "processes"), [((), 1), (("--once", "--apart"), 5)])
def test_the_whole_story_holds_from_nothing(tmp_path: Path, arguments: tuple[str, ...], processes: int) -> None:
    run = told(*arguments, folder=tmp_path)  # without a terminal it stops itself
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    lines = run.stdout.rstrip().splitlines()
    assert f"{processes} process(es)" in lines[1]
    assert re.fullmatch(r"Every step held\. \d+\.\d s in all\.", lines[-1])
    assert "Closed loop 闭环." in lines[-3]
    assert re.search(r"CT\d{14}: justified -> consented -> scanned -> flagged", lines[-3])
    assert [int(found) for found in re.findall(r"^ ?(\d+)\. ", run.stdout, re.MULTILINE)] == list(range(1, 14))
    assert list(tmp_path.glob("slipring-demo-*")) == [], "nothing is left behind"


@pytest.mark.parametrize(("option", "name"), [("--dose-report", "broken.dcm"), ("--patient", "broken.json")])
def test_a_file_that_cannot_be_read_ends_it_with_a_word(tmp_path: Path, option: str, name: str) -> None:
    broken = tmp_path / name
    broken.write_bytes(b"neither an image nor a resource")
    run = told("--once", option, str(broken), folder=tmp_path)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr and name in run.stderr
    assert list(tmp_path.glob("slipring-demo-*")) == []


def test_a_step_that_does_not_hold_ends_it_with_1_and_says_which(tmp_path: Path) -> None:
    """A patient of whom nothing but a number is known: the request stays held, and the story says so."""
    nobody = tmp_path / "nobody.json"
    nobody.write_text('{"resourceType": "Patient", "id": "nobody", "identifier": [{"system": "urn:x", "value": "1"}]}')
    run = told("--once", "--patient", str(nobody), folder=tmp_path)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "A step did not hold: justified"
    assert "Closed loop" not in run.stdout and "Traceback" not in run.stderr


def test_on_a_terminal_it_stays_open_for_a_look_around_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_") and name != "ONCE"}
    run = subprocess.Popen(
        [str(SLIPRING), "demo"], env=clean | {"TMPDIR": str(tmp_path)}, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = ""
    try:
        while "Ctrl-C ends it." not in said:
            assert select.select([ours], [], [], 60)[0], "it says nothing more"
            said += os.read(ours, 65536).decode(errors="replace")
        still = re.search(r"Still running: (\S+)/ ", said)
        data_dir = re.search(r"--data-dir (\S+)", said)
        assert still and data_dir, said[-2000:]
        asked = [str(SLIPRING), "token", "--data-dir", data_dir[1]]
        token = subprocess.run(
            asked, env=clean | {"SLIPRING_URL": still[1]}, capture_output=True, text=True, check=True
        ).stdout.strip()
        page = httpx.get(
            f"{still[1]}/fhir/DiagnosticReport?status=final",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert page.json()["total"] == 1
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to everything in the foreground
        assert run.wait(30) == 0
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGTERM)
            run.wait(30)
        os.close(ours)
    assert list(tmp_path.glob("slipring-demo-*")) == []


def test_ended_from_outside_amid_the_story_it_leaves_nothing_running(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    with subprocess.Popen(
        [str(SLIPRING), "demo", "--once"], env=clean | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        while "process(es)" not in (line := run.stdout.readline()):
            assert line, "it says nothing more"
        [folder] = tmp_path.glob("slipring-demo-*")
        server = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        run.terminate()
        run.wait(60)
    assert list(tmp_path.glob("slipring-demo-*")) == []
    until = time.monotonic() + 30
    while Path(f"/proc/{server}/cwd").exists():  # one that has ended and is not reaped yet has none
        assert time.monotonic() < until, "the database runs on"
        time.sleep(0.05)
