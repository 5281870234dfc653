"""A named physician decides; a dry run stores nothing."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call
from slipring_order import resources
from slipring_order.handlers.justify import justified
from slipring_order.settings import OrderSettings

from tests.support.ordering import (
    a_desk,
    a_patient,
    a_request,
    decide,
    findings,
    received,
    the_exam,
)


async def test_a_named_radiologist_decides_and_the_whole_decision_is_on_record() -> None:
    desk = a_desk()
    await received(desk, a_request(requester={"reference": "Practitioner/o-rad"}))
    changes = await decide(desk, "justified")
    assert changes.answer and resources.state_of(changes.answer) == "justified"
    [record] = [s.resource for s in changes.save if s.resource["resourceType"] == "Provenance"]
    assert record["agent"][0]["who"] == {"reference": "Practitioner/o-rad"}
    assert record["agent"][0]["role"][0]["coding"][0]["code"] == "attending-physician"
    assert findings(desk) == set()
    assert (
        resources.state_of(await received(desk, a_request(requester={"reference": "Practitioner/o-rad"})))
        == "justified"
    )


@pytest.mark.parametrize(
    ("names", "status"),
    [({"who": None}, 422), ({"who": "o-doc"}, 403), ({"who": "o-nobody"}, 403), ({"reason": None}, 422)],
)
async def test_a_decision_without_a_qualified_person_or_a_reason_is_refused(names: dict[str, Any], status: int) -> None:
    desk = a_desk()
    await received(desk, a_request(requester={"reference": "Practitioner/o-rad"}))
    with pytest.raises(FhirError) as refused:
        await decide(desk, "justified", **names)
    assert refused.value.status == status


async def test_missing_items_are_not_decided_away_but_one_call_passes_them_in_an_emergency() -> None:
    desk = a_desk()
    await received(desk, a_request(note=None))
    with pytest.raises(FhirError) as refused:
        await decide(desk, "justified", "emergency")
    assert refused.value.issues[0].detail == "order.request-complete"
    desk = a_desk()
    await received(desk, a_request(note=None, priority="stat", reasonCode=None))
    await decide(desk, "justified", "emergency")
    assert resources.state_of(await the_exam(desk)) == "justified"
    [later] = await desk.search("Task?code=follow-up")
    passed = [entry["valueCodeableConcept"]["coding"][0]["code"] for entry in later.resource["input"]]
    assert passed[:2] == ["surgery-endoscopy", "pathology"] and passed[-1] == "J01"


async def test_justify_judges_a_bundle_and_stores_nothing() -> None:
    desk = a_desk(settings=OrderSettings())
    request = a_request(reasonCode=[{"text": "check"}], id=None, subject={"reference": "urn:uuid:1"})
    bundle = {
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": a_patient(id=None)}, {"fullUrl": "urn:uuid:2", "resource": request}],
    }  # fmt: skip
    call = Call({"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle}]})
    changes = await justified(call, desk)
    assert changes.save == () and changes.answer
    [outcome, issue] = changes.answer["parameter"]
    assert outcome["valueCode"] == "awaiting-information"
    assert rule_of(issue["resource"]) == "order.clinical-question"
    parts = {part["url"]: part for part in issue["resource"]["extension"][0]["extension"]}
    limit = {part["url"]: part for part in parts["limit"]["extension"]}
    assert issue["resource"]["severity"] == "high" and limit["confirmed"]["valueBoolean"] is False
