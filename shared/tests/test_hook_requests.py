"""The body of a CDS Hooks call and of its feedback, as unkind clients send them: every fault at its place."""

from __future__ import annotations

import uuid
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.front.hooks.asked import asked
from slipring.front.hooks.told import told

DRAFT = {"resourceType": "ServiceRequest", "id": "d1", "status": "draft", "subject": {"reference": "Patient/p1"}}
OTHER = {"resourceType": "MedicationRequest", "id": "m1", "status": "draft"}
NAMELESS = {"resourceType": "Bundle", "entry": [{"resource": OTHER}, {"resource": {**DRAFT, "id": 7}}]}
CARD = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-11-23T01:02:03+08:00"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def a_call(hook: str = "order-select", **context: Any) -> dict[str, Any]:
    said = {
        "userId": "Practitioner/u1", "patientId": "p1", "selections": ["ServiceRequest/d1"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": DRAFT}, {"resource": OTHER}]},
    }  # fmt: skip
    return deepcopy({"hook": hook, "hookInstance": str(uuid.uuid4()), "context": said | context})


def places(body: Any, hook: str = "order-select") -> list[str]:
    with pytest.raises(FhirError) as refused:
        asked(body, hook)
    assert refused.value.status == 400
    return [issue.at for issue in refused.value.issues]


def feedback(**members: Any) -> list[str]:
    try:
        told({"feedback": [CARD | members]}, "order-sign")
    except FhirError as refused:
        return [issue.at for issue in refused.issues]
    return []


def test_drafts_of_other_types_come_along_and_only_what_is_selected_is_judged() -> None:
    second = DRAFT | {"id": "d2"}
    drafts = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (DRAFT, second, OTHER)]}
    for named in ("ServiceRequest/d2", "https://his.example/fhir/ServiceRequest/d2", "ServiceRequest/d2/_history/3"):
        call = asked(a_call(draftOrders=drafts, selections=[named]), "order-select")
        assert [order["id"] for order in call.orders] == ["d2"] and [one["id"] for one in call.known] == ["m1"]
    assert asked(a_call(selections=["MedicationRequest/m1"]), "order-select").orders == ()
    assert len(asked(a_call("order-sign", draftOrders=drafts), "order-sign").orders) == 2


@pytest.mark.parametrize(
    ("context", "at"),
    [
        ({"selections": None}, "context.selections"),
        ({"selections": ["ServiceRequest/other"]}, "context.selections[0]"),
        ({"selections": ["ServiceRequest/d1", 7]}, "context.selections[1]"),
        ({"encounterId": 7}, "context.encounterId"),
        ({"patientId": None}, "context.patientId"),
        ({"draftOrders": NAMELESS, "selections": []}, "context.draftOrders.entry[1].resource.id"),
        ({"patientId": "p2"}, "context.draftOrders.entry[0].resource.subject"),
    ],
)  # fmt: skip
def test_a_context_is_refused_where_it_is_wrong(context: dict[str, Any], at: str) -> None:
    assert places(a_call(**context)) == [at]


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"fhirAuthorization": "secret", "fhirServer": "https://his.example/fhir"}, ["fhirAuthorization"]),
        ({"fhirAuthorization": {"access_token": "secret"}}, ["fhirServer"]),
        ({"fhirServer": 7}, ["fhirServer"]),
        ({"prefetch": {"patient": [7], "user": None}}, ["prefetch.patient"]),
        ({"context": []}, ["context.userId", "context.patientId", "context.draftOrders"]),
    ],
)
def test_the_rest_of_a_call_is_refused_where_it_is_wrong_and_never_repeats_a_secret(
    members: dict[str, Any], at: list[str]
) -> None:
    with pytest.raises(FhirError) as refused:
        asked(a_call() | members, "order-select")
    assert [issue.at for issue in refused.value.issues] == at and "secret" not in str(refused.value.issues)


def test_an_order_for_the_same_patient_at_another_address_is_his() -> None:
    for subject in ("https://his.example/fhir/Patient/p1", "Patient/p1/_history/2", "urn:uuid:1", "#p"):
        draft = DRAFT | {"subject": {"reference": subject}}
        drafts = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
        assert len(asked(a_call(draftOrders=drafts), "order-select").orders) == 1


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({}, []),
        ({"outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid.uuid4())}]}, []),
        ({"acceptedSuggestions": ["x"]}, ["feedback[0].acceptedSuggestions"]),
        ({"acceptedSuggestions": {"id": "x"}}, ["feedback[0].acceptedSuggestions"]),
        ({"outcomeTimestamp": "yesterday"}, ["feedback[0].outcomeTimestamp"]),
        ({"outcomeTimestamp": "2026-11-23T01:02:03"}, ["feedback[0].outcomeTimestamp"]),
        ({"overrideReason": {"reason": "because"}}, ["feedback[0].overrideReason.reason"]),
        ({"overrideReason": {"reason": {"display": "no code"}}}, ["feedback[0].overrideReason.reason"]),
        ({"overrideReason": {"userComment": 7}}, ["feedback[0].overrideReason.userComment"]),
        ({"overrideReason": "x"}, ["feedback[0].overrideReason"]),
        ({"overrideReason": {"userComment": "已与科室沟通"}}, []),
    ],
)
def test_feedback_is_refused_where_it_is_wrong(members: dict[str, Any], at: list[str]) -> None:
    assert feedback(**members) == at


@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_sent_is_read_or_refused(body: Any, drafts: Any, selections: Any) -> None:
    for one in (
        body,
        a_call(draftOrders=drafts, selections=selections),
        a_call() | {"prefetch": body, "context": drafts},
    ):
        for hook in ("order-select", "order-sign"):
            try:
                asked(one, hook)
            except FhirError as refused:
                assert refused.status in (400, 413)
    try:
        told({"feedback": [body, CARD | {"overrideReason": drafts, "acceptedSuggestions": selections}]}, "order-sign")
    except FhirError as refused:
        assert refused.status == 400
