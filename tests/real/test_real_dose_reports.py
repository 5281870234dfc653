"""Dose reports of five real scanners, where the data folder is at hand."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from pydicom import dcmread
from slipring_order.dose.observation import as_observation
from slipring_order.dose.printed import exact_json
from slipring_order.dose.reading import read_dose_report
from slipring_order.dose.report import DoseReport

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
