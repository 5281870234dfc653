"""The dose report that the demo writes is a real one: it reads back through pydicom and the order service."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian
from slipring_demo.dose_report import write_dose_report
from slipring_order.dose.reading import read_dose_report

AT = datetime(2026, 11, 23, 9, 30, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_what_is_written_reads_back_with_every_figure(tmp_path: Path) -> None:
    path = write_dose_report(tmp_path / "report.dcm", accession="CT20261123000001", study="1.2.3.4", at=AT)
    report = read_dose_report(dcmread(path))
    assert report.total_dlp_mgy_cm == Decimal("465.10")
    assert [(event.protocol, event.ctdi_vol_mgy, event.dlp_mgy_cm) for event in report.events] == [
        ("Chest plain", Decimal("6.10"), Decimal("213.50")),
        ("Pulmonary arteries", Decimal("7.40"), Decimal("251.60")),
    ]
    assert report.sum_dlp_mgy_cm == report.total_dlp_mgy_cm


def test_the_file_says_whose_it_is_and_that_nobody_is_behind_it(tmp_path: Path) -> None:
    path = write_dose_report(tmp_path / "report.dcm", accession="CT20261123000001", study="1.2.3.4", at=AT)
    file = dcmread(path)
    assert file.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (file.AccessionNumber, file.StudyInstanceUID, file.StudyDate) == ("CT20261123000001", "1.2.3.4", "20261123")
    assert str(file.PatientName) == "Synthetic^Demo"
    again = dcmread(write_dose_report(tmp_path / "again.dcm", accession="CT20261123000001", study="1.2.3.4", at=AT))
    assert again.SOPInstanceUID != file.SOPInstanceUID, "two reports are two objects"
