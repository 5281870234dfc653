"""The HIS writes over its order: what a change voids, what it only asks again, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Write
from slipring_order import resources
from slipring_order.handlers.requests import request_written
from slipring_order.life.material import changed

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_request, decide, moved, received, the_exam
from tests.support.rooms import a_booking_desk, schedule

HEAD = {"coding": [{"system": "http://loinc.org", "code": "24725-4"}]}
LEFT = [{"coding": [{"system": "http://snomed.info/sct", "code": "51185008"}], "text": "左"}]
AGENT = [{"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}]
LATERALITY = [{"url": f"{CANONICAL}/StructureDefinition/laterality", "valueCode": "left"}]


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("members", "kinds"),
    [
        ({"code": HEAD}, {"exam"}),
        ({"bodySite": LEFT}, {"exam"}),
        ({"orderDetail": AGENT}, {"exam"}),
        ({"extension": LATERALITY}, {"exam"}),
        ({"reasonCode": [{"text": "咳嗽三周"}]}, {"reason"}),
        ({"priority": "stat"}, {"priority"}),
        ({"priority": "routine"}, set()),
        ({"note": [{"text": "别的"}]}, set()),
        ({"occurrenceDateTime": "2026-03-04"}, set()),
    ],
)
def test_what_a_change_of_an_element_is(members: dict[str, Any], kinds: set[str]) -> None:
    assert set(changed(a_request(), a_request(**members)).values()) == kinds


@given(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, min_size=1), st.text(max_size=5), st.randoms())
def test_spelling_and_order_of_codings_are_no_change(codes: list[str], display: str, chance: Any) -> None:
    codings = [{"system": "urn:x", "code": code} for code in codes]
    shuffled = [{**coding, "display": display, "userSelected": True} for coding in codings]
    chance.shuffle(shuffled)
    before, after = a_request(code={"coding": codings}), a_request(code={"coding": shuffled, "text": display})
    assert changed(before, after) == changed(after, before) == {}
    assert changed(before, a_request(code={"coding": [*codings, {"system": "urn:x", "code": "d"}]}))


@pytest.mark.parametrize(("before", "after"), [("左膝", "右膝"), ("left knee", "knee"), ("膝", "双膝")])
def test_another_side_in_words_beside_the_same_code_is_another_examination(before: str, after: str) -> None:
    def knee(words: str) -> Any:
        return a_request(
            bodySite=[{"coding": [{"system": "http://snomed.info/sct", "code": "72696002"}], "text": words}]
        )

    assert changed(knee(before), knee(after)) == {"bodySite": "exam"}
    assert changed(knee(before), knee(before)) == {}


async def decided_by_the_radiologist(**members: Any) -> ADesk:
    desk = a_booking_desk()
    await received(desk, a_request(requester={"reference": "Practitioner/o-rad"}, **members))
    await decide(desk, "justified")
    await schedule(desk)
    await moved(desk, "arrived")
    return desk


async def test_another_examination_voids_the_decision_frees_the_slot_and_tells_who_decided() -> None:
    desk = await decided_by_the_radiologist()
    exam = await received(desk, a_request(requester={"reference": "Practitioner/o-rad"}, bodySite=LEFT))
    assert resources.state_of(exam) == "rejected", "the physician's word was about the other examination"
    [step] = await desk.search("Task?code=scheduled-step")
    assert step.resource["status"] == "cancelled" and "restriction" not in exam
    [notice] = await desk.search("Task?code=notice")
    assert notice.resource["owner"] == {"reference": "Practitioner/o-rad"}
    issues = [i.resource for i in desk.held.values() if i.resource["resourceType"] == "DetectedIssue"]
    assert "order.material-change" in {issue["code"]["coding"][0]["code"] for issue in issues}


async def test_the_same_order_sent_again_changes_nothing() -> None:
    desk = await decided_by_the_radiologist()
    held = len(desk.held)
    before = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    again = a_request(requester={"reference": "Practitioner/o-rad"})
    again["code"] = {"coding": [{**again["code"]["coding"][0], "display": "Chest CT"}]}
    exam = await received(desk, again)
    assert before and await desk.read(f"Task/{exam['id']}") == before
    assert len(desk.held) == held, "no new evidence either: what was passed stays passed"


async def test_a_change_of_priority_runs_the_rules_and_voids_nothing() -> None:
    study = {
        "resourceType": "ImagingStudy", "id": "o-old", "status": "available", "subject": {"reference": "Patient/o-pat"},
        "started": "2026-02-25T08:00:00+08:00",
        "series": [{"uid": "1.2", "modality": {"code": "CT"}, "bodySite": {"code": "51185008"}}],
    }  # fmt: skip
    desk = a_desk(study)
    await received(desk, a_request(priority="stat"))
    await moved(desk, "scheduled")
    exam = await received(desk, a_request(priority="routine"))
    assert (resources.state_of(exam), exam["priority"]) == ("scheduled", "routine")
    found = [i.resource for i in desk.held.values() if i.resource["resourceType"] == "DetectedIssue"]
    assert "moderate" in {issue["severity"] for issue in found}, "the rules ran again and say what they ask"


async def test_why_an_exam_was_rejected_stays_said_when_its_order_is_sent_again() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await decide(desk, "rejected")
    why = (await the_exam(desk))["statusReason"]
    before = await desk.read("ServiceRequest/o-req")
    assert before and why
    again = {**before.resource, "priority": "urgent"}
    desk.carry_out(await request_written(Write("update", again, before), desk), again)
    exam = await the_exam(desk)
    assert (resources.state_of(exam), exam["priority"], exam["statusReason"]) == ("rejected", "urgent", why)


async def test_the_notice_of_a_change_is_no_finding_to_be_answered() -> None:
    desk = await decided_by_the_radiologist()
    before = await desk.read("ServiceRequest/o-req")
    assert before
    other = {**before.resource, "code": HEAD}
    desk.carry_out(await request_written(Write("update", other, before), desk), other)
    for _ in range(2):
        standing = await desk.read("ServiceRequest/o-req")
        assert standing
        desk.carry_out(await request_written(Write("update", other, standing), desk), other)
    issues = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    notices = [issue for issue in issues if rule_of(issue) == "order.material-change"]
    assert notices and not any(one.get("mitigation") for one in notices)


async def test_a_worse_reason_lets_the_justification_fall() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled")
    assert resources.state_of(await received(desk, a_request(reasonCode=[{"text": "检查"}]))) == "awaiting-information"
