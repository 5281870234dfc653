"""CT dose reports built item by item (DICOM TID 10011), in any dialect a test asks for."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

DOSE_SR = UID("1.2.840.10008.5.1.4.1.1.88.67")
ENHANCED_SR = UID("1.2.840.10008.5.1.4.1.1.88.22")


def a_code(code: str, meaning: str = "-") -> Dataset:
    coded = Dataset()
    coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = code, "DCM", meaning
    return coded


def an_item(code: str, *children: Dataset, text: str = "", value: Dataset | None = None) -> Dataset:
    item = Dataset()
    item.ConceptNameCodeSequence = [a_code(code)]
    if children:
        item.ContentSequence = list(children)
    if text:
        item.TextValue = text
    if value is not None:
        item.ConceptCodeSequence = [value]
    return item


def a_number(code: str, value: str | None, unit: str | None) -> Dataset:
    item = an_item(code)
    measured = Dataset()
    if value is not None:
        measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [a_code(unit)] if unit else []
    item.MeasuredValueSequence = [measured] if value is not None else []
    return item


def an_event(
    ctdi: str | None = "5.0", dlp: str | None = "100.0", unit: str | None = "mGy.cm", *, uid: str = "", region: str = ""
) -> Dataset:
    """An irradiation event; without a dose it is a localizer."""
    numbers = []
    if ctdi is not None:
        numbers.append(a_number("113830", ctdi, "mGy"))
    if dlp is not None:
        numbers.append(a_number("113838", dlp, unit))
    dose = [an_item("113829", *numbers)] if numbers else []
    event = an_item("113819", an_item("125203", text="腹部 平扫"), *dose)
    if uid:
        named = an_item("113769")
        named.UID = uid
        event.ContentSequence.append(named)
    if region:
        event.ContentSequence.append(an_item("123014", value=a_code(region)))
    return event


def a_report(
    *events: Dataset, total: str | None = "100.0", unit: str | None = "mGy.cm", uid: str = "1.2.3.4"
) -> Dataset:
    """A report of one study, 1.2.9; it declares UTF-8."""
    report = an_item(
        "113701",
        an_item("113811", a_number("113812", str(len(events)), "{events}"), a_number("113813", total, unit)),
        *events,
    )
    report.SpecificCharacterSet = "ISO_IR 192"
    report.SOPClassUID, report.SOPInstanceUID = DOSE_SR, uid
    report.StudyInstanceUID, report.SeriesInstanceUID = "1.2.9", f"{uid}.1"
    report.AccessionNumber = "CT20260303000001"
    report.Manufacturer, report.ManufacturerModelName = "ACME", "One"
    return report


def written(report: Dataset, path: Path) -> Path:
    """The report as a DICOM file."""
    report.ValueType = "CONTAINER"
    report.file_meta = FileMetaDataset()
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.save_as(path, enforce_file_format=True)
    return path
