"""Dose reports of five real scanners, where the data folder is at hand."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from pydicom import dcmread
from slipring_order.dose.command import dose
from slipring_order.dose.observation import as_observation
from slipring_order.dose.printed import exact_json
from slipring_order.dose.reading import read_dose_report
from slipring_order.dose.report import DoseReport
from typer.testing import CliRunner

from tests.support.desk import A_NOON

FOLDER = Path(os.environ.get("SLIPRING_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "rdsr"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real dose reports are not at hand")

EXPECTED = {
    "CT-RDSR-Siemens_Flash-TAP-SS.dcm": ("724.52", 4, "SIEMENS SOMATOM Definition Flash"),
    "CT-RDSR-Siemens-Continued-1.dcm": ("60.17", 2, "SIEMENS SOMATOM Definition Flash"),
    "CT-ESR-GE_Optima.dcm": ("415.82", 6, "GE Medical Systems Optima CT660"),
    "CT-RDSR-Toshiba_DoseCheck.dcm": ("502.40", 2, "TOSHIBA Aquilion Precision"),
    "CT-RDSR-Philips_BigBore4DCT.dcm": ("541.1", 1, "Philips Brilliance Big Bore"),
}


def the_report(name: str) -> DoseReport:
    return read_dose_report(dcmread(FOLDER / name))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_report_reads_with_its_total_events_and_device(name: str) -> None:
    total, events, device = EXPECTED[name]
    report = the_report(name)
    assert report.total_dlp_mgy_cm == Decimal(total)
    assert (len(report.events), report.stated_events) == (events, events)
    assert report.device == device
    assert report.doubts(Decimal(1)) == []
    assert report.started_at is not None


def test_localizers_without_ctdi_are_events_without_dose() -> None:
    events = the_report("CT-ESR-GE_Optima.dcm").events
    assert [event.ctdi_vol_mgy for event in events].count(None) == 4
    assert all((event.ctdi_vol_mgy is None) == (event.dlp_mgy_cm is None) for event in events)


def test_the_dose_check_alert_of_a_scanner_is_seen() -> None:
    exceeded = [alert.kind for alert in the_report("CT-RDSR-Toshiba_DoseCheck.dcm").alerts if alert.exceeded]
    assert exceeded == ["DLP", "DLP", "CTDIvol"]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_observation_keeps_the_numbers_as_the_scanner_wrote_them(name: str) -> None:
    tree = as_observation(the_report(name), request=None, subject=None, now=A_NOON)
    observation = json.loads(exact_json(tree), parse_float=Decimal)
    total = observation["component"][0]["valueQuantity"]
    assert (str(total["value"]), total["code"]) == (EXPECTED[name][0], "mGy.cm")
    assert len(observation["hasMember"]) == len(observation["contained"]) == EXPECTED[name][1]


# Acquisition, CTDIvol, DLP and phantom of every event, as the reports' own pages list them.
EVENTS = {
    "CT-RDSR-Siemens_Flash-TAP-SS.dcm": [
        ("Constant Angle Acquisition", "0.14", "11.51", 32),
        ("Stationary Acquisition", "1.2", "1.2", 32),
        ("Stationary Acquisition", "3.61", "3.61", 32),
        ("Spiral Acquisition", "9.91", "708.2", 32),
    ],
    "CT-RDSR-Siemens-Continued-1.dcm": [
        ("Constant Angle Acquisition", "0.14", "5.05", 32),
        ("Spiral Acquisition", "2.03", "55.12", 32),
    ],
    "CT-ESR-GE_Optima.dcm": [
        ("Constant Angle Acquisition", None, None, None),
        ("Constant Angle Acquisition", None, None, None),
        ("Spiral Acquisition", "3.23", "155.97", 32),
        ("Constant Angle Acquisition", None, None, None),
        ("Constant Angle Acquisition", None, None, None),
        ("Spiral Acquisition", "5.3", "259.85", 32),
    ],
    "CT-RDSR-Toshiba_DoseCheck.dcm": [("Spiral Acquisition", "5.30", "251.20", 32)] * 2,
    "CT-RDSR-Philips_BigBore4DCT.dcm": [("Spiral Acquisition", "23.7", "541.1", 32)],
}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.clause("5.6.2.3 images")
def test_the_command_prints_every_event_as_the_scanner_wrote_it(name: str) -> None:
    app = typer.Typer()
    app.command()(dose)
    result = CliRunner().invoke(app, [str(FOLDER / name)])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout, parse_float=str, parse_int=str)[name]
    assert (told["total_dlp"], told["n_events"]) == (EXPECTED[name][0], str(EXPECTED[name][1]))
    size = {None: None, 32: "32"}
    expected = [(kind, ctdi, dlp, size[phantom]) for kind, ctdi, dlp, phantom in EVENTS[name]]
    assert [(e["acquisition_type"], e["ctdivol"], e["dlp"], e["phantom_cm"]) for e in told["events"]] == expected
    assert {Decimal(event["kvp"]) for event in told["events"]} == {Decimal(120)}
    assert told["doubts"] == []


def test_the_whole_folder_is_one_object_of_five_studies() -> None:
    app = typer.Typer()
    app.command()(dose)
    told = json.loads(CliRunner().invoke(app, [str(FOLDER)]).stdout)
    assert set(told) == set(EXPECTED)
    assert all(each["replaced_by"] is None and each["study"]["reports"] == [name] for name, each in told.items())
