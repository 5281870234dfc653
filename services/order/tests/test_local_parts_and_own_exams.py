"""A hospital maps its own codes to parts of the body, and to exams that the department has added to the catalogue."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring_order.catalogue import own_codes
from slipring_order.handlers.maps import map_written
from slipring_order.offer.activity import activity_definition
from slipring_order.offer.mapping import BODY_PARTS, EXAM_SYSTEM

from tests.support.ordering import NOW, a_desk, a_patient, a_request, findings, received

EXAMS, PARTS = "urn:his:exam", "urn:his:part"
OWN: Resource = deepcopy(activity_definition(own_codes()["ct-pelvis-plain"])) | {
    "id": "o-own", "identifier": [{"system": f"{CANONICAL}/sid/exam-code", "value": "ct-pelvimetry"}],
    "code": {"text": "骨盆测量CT"}, "status": "active",
}  # fmt: skip
WOMAN = a_patient(gender="female", birthDate="1996-01-01")
ANYWHERE = {"coding": [{"system": "http://loinc.org", "code": "25045-6"}]}


def a_map(source: str, target: str, **pairs: str) -> Resource:
    elements = [{"code": code, "target": [{"code": to, "equivalence": "equivalent"}]} for code, to in pairs.items()]
    return {
        "resourceType": "ConceptMap", "id": f"o-{source[-4:]}", "status": "active", "url": f"urn:map:{source}",
        "group": [{"source": source, "target": target, "element": elements}],
    }  # fmt: skip


def local(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


async def refused(concept_map: Resource, *held: Resource) -> list[tuple[str, str]]:
    try:
        await map_written(Write("create", concept_map | {"status": "draft"}), a_desk(*held))
    except FhirError as error:
        return [(issue.detail, issue.at) for issue in error.issues]
    return []


async def test_a_map_may_lead_to_an_exam_of_the_department_s_own_and_to_none_that_is_not_offered() -> None:
    mapped = a_map(EXAMS, EXAM_SYSTEM, P7="ct-pelvimetry")
    assert await refused(mapped, OWN) == []
    place = ("order.map-target", "ConceptMap.group[0].element[0].target[0].code")
    assert await refused(mapped) == [place] == await refused(mapped, OWN | {"status": "retired"})
    assert await refused(a_map(PARTS, BODY_PARTS, X1="pelvis")) == []
    assert await refused(a_map(PARTS, BODY_PARTS, X1="pelvic-floor")) == [place]


@pytest.mark.clause("5.4.1")
async def test_a_local_code_of_an_own_exam_is_judged_as_that_exam() -> None:
    desk = a_desk(OWN, a_map(EXAMS, EXAM_SYSTEM, P7="ct-pelvimetry"))
    desk.hold(WOMAN)
    exam = await received(desk, a_request(code=local(EXAMS, "P7")))
    assert findings(desk) >= {"order.pregnancy-asked"} and "order.exam-offered" not in findings(desk)
    [entry] = exam["input"]
    assert entry["valueCodeableConcept"]["coding"][0] == {"system": EXAM_SYSTEM, "code": "ct-pelvimetry"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("site", [local(PARTS, "X1"), local(BODY_PARTS, "pelvis")])
async def test_a_local_body_part_asks_what_its_region_asks(site: Any) -> None:
    desk = a_desk(a_map(PARTS, BODY_PARTS, X1="pelvis"))
    desk.hold(WOMAN)
    await received(desk, a_request(code=ANYWHERE, bodySite=[site]))
    assert "order.pregnancy-asked" in findings(desk)
    unmapped = a_desk()
    unmapped.hold(WOMAN)
    await received(unmapped, a_request(code=ANYWHERE, bodySite=[local(PARTS, "X9")]))
    assert "order.pregnancy-asked" in findings(unmapped), "where the region is not known the question is put"


async def test_an_earlier_exam_is_of_the_part_that_its_local_code_names() -> None:
    earlier: Resource = {
        "resourceType": "ImagingStudy", "id": "o-s", "status": "available", "subject": {"reference": "Patient/o-pat"},
        "started": NOW.isoformat(), "modality": [{"code": "CT"}],
        "series": [{"uid": "1.2", "modality": {"code": "CT"}, "bodySite": {"system": PARTS, "code": "X2"}}],
    }  # fmt: skip
    desk = a_desk(a_map(PARTS, BODY_PARTS, X2="lung"), earlier)
    await received(desk, a_request())
    assert "order.repeat-exam" in findings(desk)
