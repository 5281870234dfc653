"""`slipring demo` as anyone runs it: a process from nothing, which ends by itself and says whether all of it held."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SLIPRING = Path(sys.executable).with_name("slipring")


def told(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo with its temporary files in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    command = [str(SLIPRING), "demo", *arguments]
    return subprocess.run(
        command, env=environment | {"TMPDIR": str(folder)}, capture_output=True, text=True, timeout=150, check=False
    )


@pytest.mark.parametrize(("arguments", "processes"), [(("--once",), 1), (("--once", "--apart"), 5)])
def test_the_whole_story_holds_from_nothing(tmp_path: Path, arguments: tuple[str, ...], processes: int) -> None:
    run = told(*arguments, folder=tmp_path)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    lines = run.stdout.rstrip().splitlines()
    assert f"{processes} process(es)" in lines[1]
    assert re.fullmatch(r"Every step held\. \d+\.\d s in all\.", lines[-1])
    assert "Closed loop 闭环." in lines[-3]
    assert re.search(r"CT\d{14}: justified -> consented -> scanned -> flagged", lines[-3])
    assert [int(found) for found in re.findall(r"^ ?(\d+)\. ", run.stdout, re.MULTILINE)] == list(range(1, 14))
    assert list(tmp_path.glob("slipring-demo-*")) == [], "nothing is left behind"


def test_a_dose_report_that_is_none_ends_it_with_a_word(tmp_path: Path) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"this is no DICOM file")
    run = told("--once", "--dose-report", str(broken), folder=tmp_path)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr and "broken.dcm" in run.stderr
    assert list(tmp_path.glob("slipring-demo-*")) == []
