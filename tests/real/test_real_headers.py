"""Headers of real CT images held against an order, where the data folder is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Resource
from slipring_order import resources
from slipring_order.images.mismatch import is_mismatch
from slipring_order.images.reading import header_of
from slipring_order.images.taking import take_image_header

from tests.support.ordering import a_desk, a_patient, a_request, received

FOLDER = Path(os.environ.get("SLIPRING_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "ct-slices"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real CT slices are not at hand")
LUNG, PERFUSION = "LCTSC-Test-S1-101-CT01.dcm", "eCT_Supplemental.dcm"


def the_header(name: str) -> Dataset:
    return dcmread(FOLDER / name, stop_before_pixels=True)


async def the_differences(image: Dataset, patient: Resource, number: bool = True) -> set[str]:
    desk = a_desk(patient)
    await received(desk, a_request())
    request = await desk.read("ServiceRequest/o-req")
    assert request
    if number:
        image.AccessionNumber = resources.number_of(request.resource)
    desk.carry_out(await take_image_header(image, desk))
    assert await desk.search(f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{image.StudyInstanceUID}")
    issues = [s.resource for s in desk.held.values() if s.resource["resourceType"] == "DetectedIssue"]
    return {rule_of(issue) for issue in issues if is_mismatch(issue)}


@pytest.mark.clause("5.6.2.3 images")
async def test_a_lung_slice_of_the_ordered_patient_agrees_and_of_another_does_not() -> None:
    own = a_patient(identifier=[{"value": "LCTSC-Test-S1-101"}], name=[{"text": "LCTSC-Test-S1-101"}], gender="male")
    assert await the_differences(the_header(LUNG), own) == set()
    assert await the_differences(the_header(LUNG), a_patient()) == {"order.image-identity"}
    assert await the_differences(the_header(LUNG), own, number=False) == {"order.image-exam-known"}


@pytest.mark.clause("5.6.2.3 images")
async def test_the_enhanced_perfusion_scan_belongs_to_nobody_else() -> None:
    own = a_patient(
        identifier=[{"value": "0010"}], name=[{"family": "Perfusion", "given": ["MCA Stroke"]}], birthDate="1950-07-04"
    )
    assert await the_differences(the_header(PERFUSION), own) <= {"order.image-body-part"}
    assert "order.image-identity" in await the_differences(the_header(PERFUSION), own | {"birthDate": "1950-07-05"})


@pytest.mark.parametrize("name", [LUNG, PERFUSION, "CT_small.dcm", "SignedCT-GE-BrightSpeed-lung.dcm"])
def test_every_real_header_is_read(name: str) -> None:
    header = header_of(the_header(name))
    assert header.study_uid and header.identity.numbers
