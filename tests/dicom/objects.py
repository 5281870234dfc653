"""Made-up DICOM objects, so that no file of anybody has to lie here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, XRayRadiationDoseSRStorage, generate_uid


def an_image(**members: Any) -> Dataset:
    """A tiny CT image."""
    image = _object(CTImageStorage)
    image.Modality, image.SeriesInstanceUID, image.SeriesNumber = "CT", generate_uid(), 2
    image.BodyPartExamined, image.SeriesDescription = "CHEST", "Thorax"
    image.Rows = image.Columns = 4
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.SamplesPerPixel = 15, 0, 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = bytes(32)
    return _with(image, members)


def a_dose_report(total: str = "724.52", **members: Any) -> Dataset:
    """A dose report of one spiral."""
    report = _object(XRayRadiationDoseSRStorage)
    report.Modality, report.SeriesInstanceUID, report.Manufacturer = "SR", generate_uid(), "Example"
    report.ValueType = "CONTAINER"
    report.ConceptNameCodeSequence = [_code("113701", "X-Ray Radiation Dose Report")]
    accumulated = _container("113811", "CT Accumulated Dose Data")
    accumulated.ContentSequence = [
        _number("113812", "Total Number of Irradiation Events", "1", "1"),
        _number("113813", "CT Dose Length Product Total", total, "mGy.cm"),
    ]
    event, dose = _container("113819", "CT Acquisition"), _container("113829", "CT Dose")
    dose.ContentSequence = [
        _number("113830", "Mean CTDIvol", "15.2", "mGy"),
        _number("113838", "DLP", total, "mGy.cm"),
    ]
    kind = _item("CODE", "113820", "CT Acquisition Type")
    kind.ConceptCodeSequence = [_code("113804", "Sequenced Acquisition")]
    event.ContentSequence = [kind, dose]
    report.ContentSequence = [accumulated, event]
    return _with(report, members)


def written(dataset: Dataset, folder: Path) -> Path:
    """The object as a file."""
    path = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def _object(kind: str) -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = kind, generate_uid()
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = kind, made.SOPInstanceUID
    made.StudyInstanceUID, made.StudyDate, made.StudyTime = generate_uid(), "20261126", "101500"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = "章^虚构", "S-0", "19580412", "M"
    made.AccessionNumber = ""
    return made


def _with(made: Dataset, members: dict[str, Any]) -> Dataset:
    for keyword, value in members.items():
        setattr(made, keyword, value)
    return made


def _code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _item(kind: str, code: str, meaning: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", kind
    item.ConceptNameCodeSequence = [_code(code, meaning)]
    return item


def _container(code: str, meaning: str) -> Dataset:
    return _item("CONTAINER", code, meaning)


def _number(code: str, meaning: str, value: str, unit: str) -> Dataset:
    item, measured = _item("NUM", code, meaning), Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [_code(unit, unit, "UCUM")]
    item.MeasuredValueSequence = [measured]
    return item
