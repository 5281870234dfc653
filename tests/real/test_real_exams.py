"""One CT exam of a Synthea patient through the whole story, with the dose report of each of five vendors.

The patient has 29 chest CTs behind him; the 30th is asked for, scanned, flagged, read back, signed and released on a
real server process that was loaded once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydicom import dcmread
from slipring.runtime.postgres import stop
from slipring_demo.scene import Scene
from slipring_demo.servers import start
from slipring_demo.story import opening, play
from slipring_order.dose.reading import read_dose_report

DATA = Path(os.environ.get("SLIPRING_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
PATIENT = DATA / "synthea" / "d614dcb6-435f-be94-5344-00143898b1c3.json.bz2"
FILES = [*sorted((DATA / "synthea").glob("0-*.json.bz2")), PATIENT]
REPORTS = sorted((DATA / "rdsr").glob("*.dcm"))
VENDORS = ("GE", "Philips", "Siemens-Continued", "Siemens_Flash", "Toshiba")
pytestmark = pytest.mark.skipif(not PATIENT.exists() or not REPORTS, reason="the real test data is not at hand")


def report_of(vendor: str) -> Path:
    [found] = [path for path in REPORTS if vendor in path.name]
    return found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server of its own with the hospital, its practitioners and the patient."""
    folder = tmp_path_factory.mktemp("real-exams")
    servers = start(folder, apart=False, port=0)
    try:
        with opening(servers, FILES) as opened:
            yield opened
    finally:
        servers.stop()
        stop(folder)


def test_the_patient_stands_with_all_he_has(scene: Scene) -> None:
    assert scene.patient["id"] == "d614dcb6-435f-be94-5344-00143898b1c3"
    assert scene.earlier_study is not None and scene.earlier_study["started"].startswith("2015-11-01")
    answer = scene.teller.http.get(f"/fhir/Observation?subject={scene.subject['reference']}&_count=0").json()
    assert answer["total"] == 1495


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_exam_with_the_dose_report_of(scene: Scene, vendor: str) -> None:
    path = report_of(vendor)
    stated = read_dose_report(dcmread(path))
    again = replace(scene, request={}, times={}, dose_report=path, repeat_reason="the story is told once more")
    again.contrast_ml = 20  # five exams of one person in a minute: what was given before counts
    begun = time.monotonic()
    play(again)  # StepFailed names whatever does not hold
    took = time.monotonic() - begun

    [dose] = scene.teller.found(f"Observation?based-on={again.exam}&code=73569-6")
    assert dose["subject"] == scene.subject
    numbers = {Decimal(str(part["valueQuantity"]["value"])) for part in dose["component"] if "valueQuantity" in part}
    assert stated.total_dlp_mgy_cm is not None and stated.total_dlp_mgy_cm in numbers
    assert stated.model in dose["valueString"]
    assert again.request["code"]["coding"][0] == (scene.earlier_study or {})["procedureCode"][0]["coding"][0]
    assert took < 60, f"{took:.1f} s"


def test_five_exams_have_five_numbers(scene: Scene) -> None:
    """One after the other on one patient: nothing of one story is left in the next."""
    asked = scene.teller.found(f"ServiceRequest?subject={scene.subject['reference']}&_count=100")
    numbers = [
        identifier["value"]
        for request in asked
        for identifier in request["identifier"]
        if identifier.get("type", {}).get("coding", [{}])[0].get("code") == "ACSN"
    ]
    assert len(numbers) == len(set(numbers)) == len(VENDORS)
    assert all(re.fullmatch(r"CT\d{14}", number) for number in numbers)


def test_the_demo_command_tells_it_on_given_files(tmp_path: Path) -> None:
    """`slipring demo --patient ... --dose-report ...`, from nothing."""
    command = [str(Path(sys.executable).with_name("slipring")), "demo", "--once"]
    command += [part for path in FILES for part in ("--patient", str(path))]
    command += ["--dose-report", str(report_of("Philips"))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    run = subprocess.run(
        command, env=clean | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=180, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert "29 imaging studies, 29 of them CT" in run.stdout
    assert re.search(r"\nEvery step held\. \d+\.\d s in all\.\n$", run.stdout)
