"""A CT dose report (DICOM X-Ray Radiation Dose SR, TID 10011) written by this project for its own demo."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

_DOSE_SR = UID("1.2.840.10008.5.1.4.1.1.88.67")


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A coded entry."""
    entry = Dataset()
    entry.CodeValue, entry.CodingSchemeDesignator, entry.CodeMeaning = value, scheme, meaning
    return entry


def _item(kind: str, name: Dataset, relation: str = "CONTAINS") -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = Sequence([name])
    return item


def _number(name: Dataset, value: Decimal, unit: Dataset) -> Dataset:
    item = _item("NUM", name)
    measured = Dataset()
    measured.NumericValue = str(value)
    measured.MeasurementUnitsCodeSequence = Sequence([unit])
    item.MeasuredValueSequence = Sequence([measured])
    return item


def _container(name: Dataset, *content: Dataset) -> Dataset:
    item = _item("CONTAINER", name)
    item.ContinuityOfContent = "SEPARATE"
    item.ContentSequence = Sequence(content)
    return item


def _coded(name: Dataset, value: Dataset) -> Dataset:
    item = _item("CODE", name)
    item.ConceptCodeSequence = Sequence([value])
    return item


_MGY = code("mGy", "UCUM", "mGy")
_MGY_CM = code("mGy.cm", "UCUM", "mGy.cm")
_EVENTS = (  # protocol, CTDIvol mGy, DLP mGy.cm: made-up figures of a plausible contrast chest exam
    ("Chest plain", Decimal("6.10"), Decimal("213.50")),
    ("Pulmonary arteries", Decimal("7.40"), Decimal("251.60")),
)


def write_dose_report(path: Path, *, accession: str, study: str, at: datetime) -> Path:
    """Write the report of two irradiation events to a file."""
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = _DOSE_SR, generate_uid()
    report.StudyInstanceUID, report.SeriesInstanceUID = study, generate_uid()
    report.Modality, report.Manufacturer, report.ManufacturerModelName = "SR", "slipring demo", "Synthetic CT"
    report.DeviceSerialNumber = "DEMO-1"
    report.SpecificCharacterSet = "ISO_IR 192"
    report.PatientName, report.PatientID = "Synthetic^Demo", "DEMO-0001"
    report.AccessionNumber = accession
    report.StudyDate = report.ContentDate = at.strftime("%Y%m%d")
    report.StudyTime = report.ContentTime = at.strftime("%H%M%S")
    report.InstanceNumber, report.SeriesNumber = "1", "99"
    report.CompletionFlag, report.VerificationFlag = "COMPLETE", "UNVERIFIED"
    report.ValueType, report.ContinuityOfContent = "CONTAINER", "SEPARATE"
    report.ConceptNameCodeSequence = Sequence([code("113701", "DCM", "X-Ray Radiation Dose Report")])
    total = sum((dlp for _, _, dlp in _EVENTS), Decimal(0))
    accumulated = _container(
        code("113811", "DCM", "CT Accumulated Dose Data"),
        _number(
            code("113812", "DCM", "Total Number of Irradiation Events"),
            Decimal(len(_EVENTS)),
            code("{events}", "UCUM", "events"),
        ),
        _number(code("113813", "DCM", "CT Dose Length Product Total"), total, _MGY_CM),
    )
    report.ContentSequence = Sequence([accumulated, *(_event(*event) for event in _EVENTS)])
    report.file_meta = FileMetaDataset()
    report.file_meta.MediaStorageSOPClassUID = _DOSE_SR
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.save_as(path, enforce_file_format=True)
    return path


def _event(protocol: str, ctdivol: Decimal, dlp: Decimal) -> Dataset:
    text = _item("TEXT", code("125203", "DCM", "Acquisition Protocol"))
    text.TextValue = protocol
    uid = _item("UIDREF", code("113769", "DCM", "Irradiation Event UID"))
    uid.UID = generate_uid()
    return _container(
        code("113819", "DCM", "CT Acquisition"),
        text,
        _coded(code("123014", "DCM", "Target Region"), code("816094009", "SCT", "Chest")),
        _coded(code("113820", "DCM", "CT Acquisition Type"), code("116152004", "SCT", "Spiral Acquisition")),
        uid,
        _container(
            code("113829", "DCM", "CT Dose"),
            _number(code("113830", "DCM", "Mean CTDIvol"), ctdivol, _MGY),
            _coded(code("113835", "DCM", "CTDIw Phantom Type"), code("113691", "DCM", "IEC Body Dosimetry Phantom")),
            _number(code("113838", "DCM", "DLP"), dlp, _MGY_CM),
        ),
    )
