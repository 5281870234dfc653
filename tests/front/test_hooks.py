"""CDS Hooks at the front: advice while an order is written, by the rules that judge it when it arrives."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from joserfc import jwt
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL as C
from slipring.identity.client import read_key_file
from slipring.identity.keys import key_file
from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam

Tree = dict[str, Any]
SIGN = "/cds-services/order-sign"


@pytest.fixture(scope="module")
async def story(department: Department) -> OneExam:
    """A department with its people, and a young woman."""
    story = await one_exam(department)
    woman = {"resourceType": "Patient", "identifier": [{"system": "urn:hospital", "value": "H1"}]}
    story.cast.patient = await story.made(woman | {"gender": "female", "birthDate": "1995-05-05"})
    return story


def a_draft(story: OneExam, id: str = "d1", **members: Any) -> Tree:
    return {
        "resourceType": "ServiceRequest", "id": id, "status": "draft", "intent": "order",
        "code": {"coding": [{"system": "http://loinc.org", "code": "24865-8"}]},
        "subject": story.cast.subject,
    } | members  # fmt: skip


def a_call(story: OneExam, *drafts: Tree, hook: str = "order-sign", prefetch: Any = None, **context: Any) -> Tree:
    said = {
        "userId": story.cast.person("requester")["reference"],
        "patientId": story.cast.subject["reference"].partition("/")[2],
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": d} for d in drafts]},
    } | context
    call = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": said}
    return call | ({"prefetch": prefetch} if prefetch is not None else {})


def rules(answer: httpx.Response) -> dict[str, Tree]:
    assert answer.status_code == 200, answer.text
    return {card["source"]["topic"]["code"]: card for card in answer.json()["cards"]}


async def test_discovery_lists_the_services_with_their_prefetch_and_needs_no_token(department: Department) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=department.house), base_url="http://127.0.0.1:8100"
    ) as stranger:
        listed = (await stranger.get("/cds-services")).json()["services"]
        assert {(one["id"], one["hook"]) for one in listed} == {("order-select",) * 2, ("order-sign",) * 2}
        assert all(one["description"] and one["prefetch"]["patient"] for one in listed)
        assert (await stranger.post(SIGN, json={})).status_code == 401


async def test_cards_say_what_the_rules_will_say_when_the_order_is_placed(story: OneExam) -> None:
    draft = a_draft(story)
    found = rules(await story.department.his.post(SIGN, json=a_call(story, draft)))
    placed = await story.made(
        {name: value for name, value in draft.items() if name != "id"}
        | {"status": "active", "requester": story.cast.person("requester")}
    )
    issues = await story.department.found(f"DetectedIssue?implicated=ServiceRequest/{placed['id']}")
    assert found.keys() == {rule_of(issue) for issue in issues} >= {"order.pregnancy-asked", "order.clinical-question"}
    weights = {"high": "critical", "moderate": "warning", "low": "info"}
    assert {rule: card["indicator"] for rule, card in found.items()} == {
        rule_of(issue): weights[issue["severity"]] for issue in issues
    }


async def test_a_card_is_short_coded_and_can_be_answered(story: OneExam) -> None:
    found = rules(
        await story.department.his.post(SIGN, json=a_call(story, a_draft(story)), headers={"Accept-Language": "en"})
    )
    for card in found.values():
        assert 0 < len(card["summary"]) < 140 and card["source"]["label"] and uuid.UUID(card["uuid"]).version == 8
    asked = found["order.pregnancy-asked"]
    assert asked["summary"] == "Pregnancy status is not recorded for this request."
    assert {reason["code"] for reason in asked["overrideReasons"]} >= {
        "emergency",
        "benefit-outweighs",
        "finding-wrong",
    }
    assert asked["selectionBehavior"] == "at-most-one"
    action = asked["suggestions"][0]["actions"][0]
    assert action["type"] == "create" and action["resource"]["basedOn"] == [{"reference": "ServiceRequest/d1"}]


async def test_several_orders_are_judged_each_and_only_cts(story: OneExam) -> None:
    blood = a_draft(story, "d2", code={"coding": [{"system": "http://loinc.org", "code": "718-7"}]})
    pills = {"resourceType": "MedicationRequest", "id": "m", "status": "draft", "intent": "order",
             "medicationCodeableConcept": {"text": "x"}, "subject": story.cast.subject}  # fmt: skip
    head = a_draft(story, "d3", code={"coding": [{"system": "http://loinc.org", "code": "24725-4"}]})
    answer = await story.department.his.post(SIGN, json=a_call(story, a_draft(story), blood, pills, head))
    details = [card["detail"] for card in answer.json()["cards"]]
    assert {name for name in ("d1", "d2", "d3") if any(f"ServiceRequest/{name}" in text for text in details)} == {
        "d1",
        "d3",
    }
    asked = [card for card in answer.json()["cards"] if card["source"]["topic"]["code"] == "order.pregnancy-asked"]
    assert len(asked) == 1 and "ServiceRequest/d1" in asked[0]["detail"], "a head is no lower trunk"
    graveness = [("critical", "warning", "info").index(card["indicator"]) for card in answer.json()["cards"]]
    assert graveness == sorted(graveness)


async def test_order_select_judges_what_is_selected(story: OneExam) -> None:
    call = a_call(story, a_draft(story), a_draft(story, "d4"), hook="order-select", selections=["ServiceRequest/d4"])
    answer = await story.department.his.post("/cds-services/order-select", json=call)
    assert answer.json()["cards"] and all("ServiceRequest/d4" in card["detail"] for card in answer.json()["cards"])
    call["context"]["selections"] = []
    assert (await story.department.his.post("/cds-services/order-select", json=call)).json() == {"cards": []}


async def test_what_is_prefetched_answers(story: OneExam) -> None:
    status = {
        "resourceType": "Observation", "id": "p1", "status": "final", "subject": story.cast.subject,
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "effectiveDateTime": "2026-11-22", "basedOn": [{"reference": "ServiceRequest/d1"}],
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA26683-5"}]},
    }  # fmt: skip
    prefetch = {
        "pregnancy": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": status}]},
        "encounter": None,
        "studies": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]},
    }
    found = rules(await story.department.his.post(SIGN, json=a_call(story, a_draft(story), prefetch=prefetch)))
    assert "order.pregnancy-asked" not in found and "order.clinical-question" in found


@pytest.mark.parametrize(
    ("change", "status", "at"),
    [
        ({"hook": "patient-view"}, 400, "hook"),
        ({"hookInstance": "7"}, 400, "hookInstance"),
        ({"context": {}}, 400, "context.userId"),
        ({"prefetch": []}, 400, "prefetch"),
    ],
)
async def test_a_call_of_another_shape_is_refused_at_its_place(
    story: OneExam, change: Tree, status: int, at: str
) -> None:
    answer = await story.department.his.post(SIGN, json=a_call(story, a_draft(story)) | change)
    assert answer.status_code == status and at in [issue["expression"][0] for issue in answer.json()["issue"]]


@pytest.mark.parametrize("name", ["Patient/a b", "a\nb", "a?gender=male", "x/"])
async def test_a_patient_that_is_no_id_is_refused_and_asked_of_nobody(story: OneExam, name: str) -> None:
    answer = await story.department.his.post(SIGN, json=a_call(story, a_draft(story), patientId=name))
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.json()["issue"]] == [["context.patientId"]]


@pytest.mark.parametrize("entry", [5, "x", {"resource": {}}, [5, None, {"resource": 7}]])
async def test_a_bundle_whose_entries_are_none_offers_nothing(story: OneExam, entry: Any) -> None:
    call = a_call(story, a_draft(story))
    call["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": entry}
    answer = await story.department.his.post(SIGN, json=call)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


async def test_without_the_patient_nothing_can_be_said(story: OneExam) -> None:
    stranger = a_draft(story, subject={"reference": "Patient/nobody"})
    answer = await story.department.his.post(SIGN, json=a_call(story, stranger, patientId="nobody"))
    assert answer.status_code == 412
    assert (await story.department.his.post("/cds-services/other", json={})).status_code == 404
    assert (await story.department.his.post(SIGN, content=b"{")).status_code == 400


async def test_feedback_is_kept_with_its_reason_and_counts_a_card_once(story: OneExam) -> None:
    card = rules(await story.department.his.post(SIGN, json=a_call(story, a_draft(story))))["order.pregnancy-asked"]
    told = {
        "card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T01:02:03Z",
        "overrideReason": {"reason": {"system": f"{C}/CodeSystem/request-override-reason", "code": "emergency"}},
    }  # fmt: skip
    for _ in range(2):
        answer = await story.department.his.post(f"{SIGN}/feedback", json={"feedback": [told]})
        assert answer.status_code == 200, answer.text
    [kept] = await story.department.found(f"DetectedIssue?identifier={C}/sid/advice-card|{card['uuid']}")
    [done] = kept["mitigation"]
    assert rule_of(kept) == "order.pregnancy-asked"
    assert [coding["code"] for coding in done["action"]["coding"]] == ["overridden", "emergency"]


async def test_feedback_that_cannot_be_used_is_kept_in_no_part(story: OneExam) -> None:
    card = rules(await story.department.his.post(SIGN, json=a_call(story, a_draft(story))))["order.clinical-question"]
    good = {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": "2026-11-23T01:02:03Z"}
    for bad, status in [
        ({**good, "card": str(uuid.uuid4())}, 422),
        ({**good, "outcome": "ignored"}, 400),
        ({"card": card["uuid"]}, 400),
        ("x", 400),
    ]:
        answer = await story.department.his.post(f"{SIGN}/feedback", json={"feedback": [good, bad]})
        assert answer.status_code == status, answer.text
    assert (await story.department.his.post(f"{SIGN}/feedback", json={"feedback": []})).status_code == 400
    assert await story.department.found(f"DetectedIssue?identifier={C}/sid/advice-card|{card['uuid']}") == []


async def test_a_hook_client_may_sign_its_own_jwt_for_the_address_called(story: OneExam) -> None:
    department = story.department
    key = read_key_file(key_file(department.data_dir, "demo-his"))
    now = int(department.clock.now().timestamp())

    def signed(**claims: Any) -> dict[str, str]:
        said = {
            "iss": "demo-his", "aud": f"http://127.0.0.1:8100{SIGN}", "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex
        } | claims  # fmt: skip
        algorithm = str(key.alg or "ES384")
        return {
            "Authorization": f"Bearer {jwt.encode({'alg': algorithm, 'kid': key.kid, 'typ': 'JWT'}, said, key, algorithms=[algorithm])}"
        }

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=department.house), base_url="http://127.0.0.1:8100"
    ) as his:
        call, once = a_call(story, a_draft(story)), signed()
        assert "order.pregnancy-asked" in rules(await his.post(SIGN, json=call, headers=once))
        assert (await his.post(SIGN, json=call, headers=once)).status_code == 401, "it holds once"
        for wrong in ({"aud": "http://127.0.0.1:8100/cds-services/order-select"}, {"iss": "nobody"}, {"exp": now - 60}):
            assert (await his.post(SIGN, json=call, headers=signed(**wrong))).status_code == 401, wrong
        assert (await his.post(SIGN, json=call, headers={"Authorization": "Bearer x.y.z"})).status_code == 401


@pytest.mark.clause("4.14.2")
async def test_what_was_told_back_stands_in_the_review_of_the_period(story: OneExam) -> None:
    card = rules(await story.department.his.post(SIGN, json=a_call(story, a_draft(story))))["order.request-complete"]
    told = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T02:00:00Z"}
    assert (await story.department.his.post(f"{SIGN}/feedback", json={"feedback": [told]})).status_code == 200
    period = parameters(periodStart=("Date", "2026-11-23"), periodEnd=("Date", "2026-11-30"))
    answer = await story.department.post("ServiceRequest/$indication-review", period)
    assert answer.status_code == 200, answer.text
    whole = answer.json()["parameter"][0]["resource"]
    kept = await story.department.get(f"MeasureReport/{whole['id']}")
    group = next(one for one in kept["group"] if one["code"]["coding"][0]["code"] == "advice-overridden")
    assert {p["code"]["coding"][0]["code"]: p["count"] for p in group["population"]}["numerator"] >= 1
    said = await story.department.post("MeasureReport/$validate", kept)
    assert [i for i in said.json()["issue"] if i["severity"] in ("error", "fatal")] == []
    again = await story.department.post("ServiceRequest/$indication-review", period)
    assert again.json()["parameter"][0]["resource"]["id"] == whole["id"]
