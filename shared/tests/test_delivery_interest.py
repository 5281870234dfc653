"""Lanes laid out by what they wait for tell of exactly what asking each of them one by one would tell of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.delivery.interest import Interests, criteria_of
from slipring.fhir.topics.hearing import Change, OfCopies, OfCriteria, Version

_NOW = datetime(2026, 11, 26, tzinfo=UTC)
_CRITERIA = (
    "Task",
    "Task?status=requested",
    "Task?status=requested,completed",
    "Task?status:not=completed",
    "Task?owner=Practitioner/1",
    "Task?owner=Practitioner/2&status=completed",
    "Task?code=http://c.example|exam",
    "Task?code=exam",
    "Task?code=http://c.example|",
    "Task?owner:missing=true",
    "Task?_id=t1",
    "Task?_tag=urgent",
    "Task?modified=ge2026-01-01&status=requested",
    "Patient?gender=female",
)

tasks = st.fixed_dictionaries(
    {
        "resourceType": st.just("Task"),
        "id": st.sampled_from(["t1", "t2"]),
        "intent": st.just("order"),
        "status": st.sampled_from(["requested", "completed", "draft"]),
    },
    optional={
        "owner": st.sampled_from([{"reference": "Practitioner/1"}, {"reference": "Practitioner/2"}]),
        "code": st.sampled_from([{"coding": [{"system": "http://c.example", "code": c}]} for c in ("exam", "other")]),
        "meta": st.just({"tag": [{"code": "urgent"}]}),
        "lastModified": st.sampled_from(["2025-05-05", "2026-05-05"]),
    },
)
lanes = st.lists(st.tuples(st.sampled_from(_CRITERIA), st.booleans()), max_size=25)


def a_lane(number: int, criteria: str, *, internal: bool) -> dict[str, Any]:
    rights = {"client": "", "scopes": [], "practitioner": "", "patient": ""}
    return {"id": str(number), "criteria": criteria, "internal": internal, "topic": "", "ends_at": None, **rights}


@given(lanes, st.none() | tasks, st.none() | tasks)
def test_what_is_laid_out_equals_asking_one_by_one(
    asked: list[tuple[str, bool]], before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    if before is None and after is None:
        return
    method = "DELETE" if after is None else "POST" if before is None else "PUT"
    versions = [Version(json.dumps(tree), UTC) if tree else None for tree in (before, after)]
    change = Change(method, *versions)
    listed = [a_lane(number, criteria, internal=internal) for number, (criteria, internal) in enumerate(asked)]
    expected = []
    for lane in listed:
        (criteria,) = criteria_of(lane["criteria"], UTC)
        hearer = OfCopies(criteria) if lane["internal"] else OfCriteria(criteria)
        if hearer.type == "Task" and hearer.hears(change):
            expected.append(lane["id"])
    assert sorted(Interests(listed, {}, UTC).hit("Task", change, _NOW)) == sorted(expected)


def test_a_lane_hears_of_nothing_from_its_end_on() -> None:
    lane = {**a_lane(1, "Task", internal=False), "ends_at": _NOW}
    change = Change("POST", None, Version('{"resourceType":"Task","id":"t","status":"draft","intent":"order"}', UTC))
    interests = Interests([lane], {}, UTC)
    assert list(interests.hit("Task", change, _NOW.replace(year=2025))) == ["1"]
    assert list(interests.hit("Task", change, _NOW)) == []
