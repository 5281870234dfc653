"""Images arrive and are held against the order: identity, number, part, side; a difference waits for a named person."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.evidence import images_written
from slipring_order.handlers.mismatches import finding_written
from slipring_order.images.mismatch import is_mismatch
from slipring_order.images.reading import NotAnImage
from slipring_order.images.taking import take_image_header

from tests.support.desk import ADesk
from tests.support.image_header import a_header
from tests.support.ordering import a_desk, a_patient, a_person, a_request, decide, received

NAMED = a_patient(name=[{"family": "张", "given": ["三"]}, {"family": "Zhang", "given": ["San"]}])


async def the_department(**request: Any) -> tuple[ADesk, str]:
    """A desk with one justified exam; and its imaging number."""
    desk = a_desk(NAMED, *a_person("o-tech", "technologist", "technologist"))
    await received(desk, a_request(**request))
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    return desk, resources.number_of(stored.resource)


async def taken(desk: ADesk, **header: Any) -> Changes:
    changes = await take_image_header(a_header(**header), desk)
    desk.carry_out(changes)
    return changes


def differences(desk: ADesk) -> dict[str, Resource]:
    """The open findings on images by rule."""
    issues = [s.resource for s in desk.held.values() if s.resource["resourceType"] == "DetectedIssue"]
    return {rule_of(issue): issue for issue in issues if is_mismatch(issue)}


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.clause("5.4.6")
async def test_images_of_the_ordered_exam_go_on_record_without_a_finding() -> None:
    desk, number = await the_department()
    await taken(desk, AccessionNumber=number, PatientName="Zhang^San=张^三")
    await taken(desk, AccessionNumber=number, SOPInstanceUID="1.2.7.9")
    await taken(desk, AccessionNumber=number, SeriesInstanceUID="1.2.7.3", Laterality="L")
    [study] = await desk.search("ImagingStudy?identifier=urn:dicom:uid|urn:oid:1.2.7")
    assert study.resource["basedOn"] == [{"reference": "ServiceRequest/o-req"}]
    assert [series["uid"] for series in study.resource["series"]] == ["1.2.7.2", "1.2.7.3"]
    assert study.version == 2, "more images of a series change nothing"
    assert differences(desk) == {}


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"PatientID": "B2"}, "order.image-identity"),
        ({"PatientBirthDate": "19610716"}, "order.image-identity"),
        ({"PatientSex": "F"}, "order.image-identity"),
        ({"PatientName": "Li^Si=李^四"}, "order.image-identity"),
        ({"PatientName": "李^四", "SpecificCharacterSet": "GB18030"}, "order.image-identity"),
        ({"BodyPartExamined": "HEAD"}, "order.image-body-part"),
        ({"BodyPartExamined": None, "StudyDescription": "头颅平扫"}, "order.image-body-part"),
    ],
)
async def test_a_difference_is_a_finding_on_exam_and_study_once(header: dict[str, Any], rule: str) -> None:
    desk, number = await the_department()
    await taken(desk, AccessionNumber=number, **header)
    await taken(desk, AccessionNumber=number, SOPInstanceUID="1.2.7.9", SeriesInstanceUID="1.2.7.4", **header)
    found = [s.resource for s in desk.held.values() if s.resource["resourceType"] == "DetectedIssue"]
    [issue] = [each for each in found if is_mismatch(each)]
    assert rule_of(issue) == rule
    [study] = await desk.search("ImagingStudy?identifier=urn:dicom:uid|urn:oid:1.2.7")
    assert [each["reference"] for each in issue["implicated"]] == ["ServiceRequest/o-req", study.reference]
    assert issue["severity"] == ("moderate" if "StudyDescription" in header else "high")
    assert "李" not in str(issue) and "B2" not in str(issue), "the finding says what differs, not the values"


async def test_a_chinese_name_agrees_in_every_character_set() -> None:
    desk, number = await the_department()
    for charset in ("GB18030", "ISO_IR 192"):
        await taken(desk, AccessionNumber=number, PatientName="张^三", SpecificCharacterSet=charset)
    assert differences(desk) == {}


@pytest.mark.clause("5.6.2.3 images")
async def test_images_of_the_other_side_are_found() -> None:
    left = {"coding": [{"system": "http://snomed.info/sct", "code": "82169009"}], "text": "left knee"}
    desk, number = await the_department(code={"coding": [{"code": "36037-0"}]}, bodySite=[left])
    await taken(desk, AccessionNumber=number, BodyPartExamined="KNEE", Laterality="L")
    assert differences(desk) == {}
    await taken(desk, AccessionNumber=number, BodyPartExamined="KNEE", ImageLaterality="R", SeriesInstanceUID="1.2.7.8")
    assert set(differences(desk)) == {"order.image-laterality"}


@pytest.mark.clause("5.4.6")
async def test_another_number_under_a_study_on_record_is_found() -> None:
    desk, number = await the_department()
    await taken(desk, AccessionNumber=number)
    await taken(desk, AccessionNumber="CT20260303999999", SeriesInstanceUID="1.2.7.5")
    assert set(differences(desk)) == {"order.image-accession"}
    assert differences(desk)["order.image-accession"]["severity"] == "high"


@pytest.mark.clause("5.4.6")
async def test_images_of_no_known_exam_are_kept_with_a_finding() -> None:
    desk, _ = await the_department()
    await taken(desk, AccessionNumber="X-77", PatientID="A1")
    [study] = await desk.search("ImagingStudy?identifier=urn:dicom:uid|urn:oid:1.2.7")
    assert study.resource["subject"] == {"identifier": {"value": "A1"}}
    assert set(differences(desk)) == {"order.image-exam-known"}
    with pytest.raises(NotAnImage):
        await taken(desk, StudyInstanceUID=None)


@pytest.mark.clause("5.6.2.3 images")
async def test_a_study_entered_for_another_patient_is_found_like_a_header() -> None:
    desk, _ = await the_department()
    desk.hold(a_patient(id="o-other", identifier=[{"value": "B2"}]))
    study = {
        "resourceType": "ImagingStudy", "id": "o-s", "status": "available", "subject": {"reference": "Patient/o-other"},
        "basedOn": [{"reference": "ServiceRequest/o-req"}], "series": [{"uid": "1.2", "bodySite": {"code": "69536005"}}],
    }  # fmt: skip
    desk.carry_out(await images_written(Write("create", study), desk), study)
    assert set(differences(desk)) == {"order.image-identity", "order.image-body-part"}


async def test_a_decision_on_the_justification_settles_no_finding_on_images() -> None:
    desk, number = await the_department(priority="stat", note=None)
    await taken(desk, AccessionNumber=number, PatientID="B2")
    await decide(desk, "justified", "emergency")
    assert not differences(desk)["order.image-identity"].get("mitigation")


async def settled(desk: ADesk, author: str | None, **members: Any) -> Changes:
    issue = differences(desk)["order.image-identity"]
    done: Resource = {"action": {"text": "worklist entry of another patient chosen; images moved"}}
    if author:
        done["author"] = {"reference": author}
    stored = await desk.read(f"DetectedIssue/{issue['id']}")
    changed = {**issue, "mitigation": [done], **members}
    changes = await finding_written(Write("update", changed, stored), desk)
    desk.carry_out(changes, changed)
    return changes


@pytest.mark.clause("5.6.2.3 images")
async def test_a_named_person_settles_it_and_nobody_else() -> None:
    desk, number = await the_department()
    await taken(desk, AccessionNumber=number, PatientID="B2")
    for author, status in ((None, 422), ("Practitioner/o-doc", 403), ("Practitioner/o-nobody", 403)):
        with pytest.raises(FhirError) as refused:
            await settled(desk, author)
        assert refused.value.status == status
    await settled(desk, "Practitioner/o-rad")
    [done] = differences(desk)["order.image-identity"]["mitigation"]
    assert done["author"] == {"reference": "Practitioner/o-rad"} and done["date"].startswith("2026-03-02T17:30")
    await taken(desk, AccessionNumber=number, PatientID="B2", SeriesInstanceUID="1.2.7.6")
    assert differences(desk)["order.image-identity"]["mitigation"], "what was settled is not found anew"


@pytest.mark.parametrize("members", [{"severity": "low"}, {"status": "entered-in-error"}, {"implicated": []}])
async def test_a_finding_cannot_be_talked_away(members: dict[str, Any]) -> None:
    desk, number = await the_department()
    await taken(desk, AccessionNumber=number, PatientID="B2")
    with pytest.raises(FhirError) as refused:
        await settled(desk, "Practitioner/o-rad", **members)
    assert [issue.detail for issue in refused.value.issues] == ["order.finding-fixed"]
