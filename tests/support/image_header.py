"""The header of a CT image as a scanner writes it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def a_header(**members: Any) -> Dataset:
    """A CT image of the chest of the patient `tests.support.ordering` knows, as it comes over the wire."""
    image = Dataset()
    given = {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": CT_IMAGE, "SOPInstanceUID": "1.2.7.1",
        "StudyInstanceUID": "1.2.7", "SeriesInstanceUID": "1.2.7.2", "SeriesNumber": "3", "Modality": "CT",
        "StudyDate": "20260303", "StudyTime": "013000", "PatientID": "A1", "PatientBirthDate": "19610715",
        "PatientSex": "M", "BodyPartExamined": "CHEST",
    } | members  # fmt: skip
    for name, value in given.items():
        if value is not None:
            setattr(image, name, value)
    return over_the_wire(image)


def over_the_wire(dataset: Dataset) -> Dataset:
    """Written and read again, so that character sets are really used."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return dcmread(BytesIO(buffer.getvalue()))
