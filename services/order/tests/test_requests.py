"""Requests arrive, change, and are judged anew."""

from __future__ import annotations

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Changes, Write
from slipring_order import resources
from slipring_order.handlers.evidence import evidence_written, observation_written
from slipring_order.handlers.requests import request_written
from slipring_order.reading import identifier_of
from slipring_order.settings import OrderSettings

from tests.support.ordering import (
    a_desk,
    a_patient,
    a_request,
    findings,
    moved,
    received,
    the_exam,
)


async def test_a_whole_request_is_justified_and_gets_its_numbers() -> None:
    desk = a_desk()
    exam = await received(desk, a_request())
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    number = identifier_of(stored.resource, "ACSN")
    assert number and number["value"] == "CT20260303000001"
    assert identifier_of(stored.resource, "FILL")
    assert stored.resource["status"] == "active"
    assert (resources.state_of(exam), exam["status"]) == ("justified", "accepted")
    [guidance] = await desk.search("GuidanceResponse?request=CT20260303000001")
    assert (guidance.resource["status"], resources.outcome_in(guidance.resource)) == ("success", "justified")
    assert findings(desk) == set()


async def test_a_missing_item_holds_the_exam_with_a_coded_list_and_completing_it_moves_on() -> None:
    desk = a_desk()
    exam = await received(desk, a_request(note=None))
    assert (resources.state_of(exam), exam["status"]) == ("awaiting-information", "on-hold")
    listed = [coding["code"] for coding in exam["statusReason"]["coding"]]
    assert listed == [
        "surgery-endoscopy",
        "pathology",
        "laboratory",
        "earlier-imaging",
        "precautions",
        "consent-information",
    ]
    assert "pathology" in exam["statusReason"]["_text"]["extension"][0]["extension"][1]["valueString"]
    assert findings(desk) == {"order.request-complete"}
    exam = await received(desk, a_request())
    assert resources.state_of(exam) == "justified"
    assert "statusReason" not in exam
    assert findings(desk) == set()


async def test_an_unauthorised_requester_is_rejected_and_an_unconfirmed_list_asks_a_physician() -> None:
    request = a_request(requester={"reference": "Practitioner/o-rad"})
    assert resources.state_of(await received(a_desk(), request)) == "rejected"
    assert resources.state_of(await received(a_desk(settings=OrderSettings()), request)) == "awaiting-justification"


async def test_imported_requests_proposals_and_other_categories_are_no_work() -> None:
    desk = a_desk()
    lab = a_request(category=[{"coding": [{"code": "108252007"}]}])
    for write in (
        Write("create", a_request(), imported=True),
        Write("create", a_request(intent="proposal")),
        Write("create", a_request(status="draft")),
        Write("create", lab),
    ):
        assert await request_written(write, desk) == Changes.none()


async def test_pregnancy_recorded_later_for_this_request_moves_it_on() -> None:
    desk = a_desk()
    desk.hold(a_patient(gender="female", birthDate="1996-01-01"))
    abdomen = {"coding": [{"system": "http://loinc.org", "code": "36424-0"}]}
    exam = await received(desk, a_request(code=abdomen))
    assert (resources.state_of(exam), findings(desk)) == ("awaiting-information", {"order.pregnancy-asked"})
    answer = {
        "resourceType": "Observation", "id": "o-obs", "status": "final", "subject": {"reference": "Patient/o-pat"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "basedOn": [{"reference": "ServiceRequest/o-req"}], "effectiveDateTime": "2026-03-02",
        "valueCodeableConcept": {"coding": [{"code": "LA26683-5"}]},
    }  # fmt: skip
    desk.hold(answer)
    desk.carry_out(await observation_written(Write("create", answer), desk))
    assert resources.state_of(await the_exam(desk)) == "justified"
    pregnant = {**answer, "id": "o-obs2", "effectiveDateTime": "2026-03-03"}
    pregnant["valueCodeableConcept"] = {"coding": [{"code": "LA15173-0"}]}
    desk.hold(pregnant)
    desk.carry_out(await observation_written(Write("create", pregnant), desk))
    assert resources.state_of(await the_exam(desk)) == "awaiting-justification"


async def test_a_completed_patient_record_moves_waiting_requests_on() -> None:
    desk = a_desk()
    desk.hold({name: value for name, value in a_patient().items() if name != "gender"})
    assert resources.state_of(await received(desk, a_request())) == "awaiting-information"
    desk.hold(a_patient())
    desk.carry_out(await evidence_written(Write("update", a_patient()), desk))
    assert resources.state_of(await the_exam(desk)) == "justified"


async def test_a_recent_scan_of_the_same_region_asks_and_the_answer_on_the_request_settles_it() -> None:
    study = {
        "resourceType": "ImagingStudy", "id": "o-old", "status": "available", "subject": {"reference": "Patient/o-pat"},
        "started": "2026-02-25T08:00:00+08:00",
        "series": [{"uid": "1.2", "modality": {"code": "CT"}, "bodySite": {"code": "51185008"}}],
    }  # fmt: skip
    desk = a_desk(study)
    assert resources.state_of(await received(desk, a_request())) == "awaiting-information"
    answer = {
        "url": f"{CANONICAL}/StructureDefinition/rule-answer",
        "extension": [{"url": "rule", "valueCode": "J08"}, {"url": "answer", "valueString": "新发热"}],
    }
    assert resources.state_of(await received(desk, a_request(extension=[answer]))) == "justified"


async def test_the_patient_of_a_request_never_changes() -> None:
    desk = a_desk(a_patient(id="o-other"))
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await received(desk, a_request(subject={"reference": "Patient/o-other"}))
    assert (refused.value.status, refused.value.issues[0].at) == (422, "ServiceRequest.subject")


async def test_another_examination_voids_the_justification_and_a_better_reason_does_not() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived")
    assert resources.state_of(await received(desk, a_request(reasonCode=[{"text": "咳嗽三周"}]))) == "arrived"
    head = {"coding": [{"system": "http://loinc.org", "code": "24725-4"}]}
    assert resources.state_of(await received(desk, a_request(code=head))) == "justified"
    assert (
        resources.state_of(await received(desk, a_request(code=head, reasonCode=[{"text": "检查"}])))
        == "awaiting-information"
    )


async def test_a_request_taken_back_cancels_the_exam_before_the_scan_only() -> None:
    desk = a_desk()
    await received(desk, a_request())
    assert resources.state_of(await received(desk, a_request(status="revoked"))) == "cancelled"
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready", "in-progress")
    assert resources.state_of(await received(desk, a_request(status="revoked"))) == "in-progress"
