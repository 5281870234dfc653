"""The periodic review whether indications were met, told back to the requesters with its cases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from secrets import token_bytes
from typing import Any

import pytest
from slipring.fhir.cards import card_id
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource, Write
from slipring_order.handlers.feedback import feedback_given
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.review import indications_reviewed
from slipring_order.review.figures import Figure, Reviewed
from slipring_order.review.report import reports

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_person, a_request, decide, received

DAY = date(2026, 3, 1)


def asked(start: str, end: str) -> Call:
    given = [{"name": "periodStart", "valueDate": start}, {"name": "periodEnd", "valueDate": end}]
    return Call({"resourceType": "Parameters", "parameter": given})


async def review(desk: ADesk, start: str = "2026-03-01", end: str = "2026-03-31") -> list[Resource]:
    changes = await indications_reviewed(asked(start, end), desk)
    desk.carry_out(changes)
    assert changes.answer
    return [parameter["resource"] for parameter in changes.answer["parameter"]]


def counts(report: Resource, figure: str) -> tuple[int, int]:
    group = next(group for group in report["group"] if group["id"] == figure)
    found = {p["code"]["coding"][0]["code"]: p["count"] for p in group["population"]}
    return found["numerator"], found["denominator"]


def numbered(id: str, who: str, **members: Any) -> Resource:
    place = [{"type": {"coding": [{"code": "PLAC"}]}, "system": "urn:his", "value": id}]
    return a_request(id=id, identifier=place, requester={"reference": f"Practitioner/{who}"}, **members)


@pytest.mark.clause("4.14.2")
async def test_each_requester_is_told_which_requests_met_their_indication() -> None:
    desk = a_desk(*a_person("o-eve", "attending-physician", "requester"))
    role = desk.held["PractitionerRole/o-eve-role"].resource
    desk.hold(role | {"organization": {"reference": "Organization/o-ward"}})
    for request in (
        numbered("o-r1", "o-doc"),
        numbered("o-r2", "o-eve", reasonCode=[{"text": "check"}]),
        numbered("o-r3", "o-eve"),
    ):
        desk.carry_out(await request_written(Write("create", request), desk), request)
    whole, doc, eve = await review(desk)
    assert counts(whole, "indications-met") == (2, 3) and counts(doc, "indications-met") == (1, 1)
    assert counts(eve, "indications-met") == (1, 2) and counts(eve, "order.clinical-question") == (1, 2)
    assert (eve["subject"], "subject" in whole) == ({"reference": "Practitioner/o-eve"}, False)
    members = {one["reference"]: [e["valueString"] for e in one["extension"]] for one in eve["evaluatedResource"]}
    assert members == {"ServiceRequest/o-r2": ["order.clinical-question"], "ServiceRequest/o-r3": ["indications-met"]}
    strata = {s["code"][0]["text"]: s["stratum"] for s in whole["group"][0]["stratifier"]}
    assert [stratum["value"]["text"] for stratum in strata["申请科室"]] == ["Organization/o-ward"]
    assert len(await review(desk)) == 3 and len(await desk.search("MeasureReport?status=complete")) == 3


@pytest.mark.clause("4.14.2")
async def test_passes_in_an_emergency_and_what_is_owed_after_are_counted() -> None:
    desk = a_desk()
    await received(desk, a_request(note=None, priority="stat", reasonCode=None))
    await decide(desk, "justified", "emergency")
    [whole, _] = await review(desk)
    for figure in ("stat", "emergency-passed", "late-answers", "overridden"):
        assert counts(whole, figure) == (1, 1), figure
    [owed] = await desk.search("Task?code=follow-up")
    desk.hold(owed.resource | {"status": "completed"})
    assert counts((await review(desk))[0], "late-answers") == (0, 1)


async def test_advice_that_was_overridden_counts_with_its_cards() -> None:
    desk = a_desk()
    for outcome in ("overridden", "accepted"):
        parts = [
            {"name": "card", "valueUuid": f"urn:uuid:{card_id('order.repeat-exam', token_bytes(12))}"},
            {"name": "service", "valueCode": "order-sign"},
            {"name": "outcome", "valueCode": outcome},
            {"name": "at", "valueInstant": "2026-03-02T10:00:00Z"},
        ]
        told = {"resourceType": "Parameters", "parameter": [{"name": "feedback", "part": parts}]}
        desk.carry_out(await feedback_given(Call(told), desk))
    [whole] = await review(desk)
    assert counts(whole, "advice-overridden") == (1, 2)
    [member] = whole["evaluatedResource"]
    assert member["extension"][0]["valueString"] == "advice-overridden"


async def test_a_year_of_more_requests_than_one_search_may_find_is_reviewed_in_shorter_spans() -> None:
    desk = a_desk()
    for day in range(1, 13):
        desk.now = datetime(2026, 3, day, 4, tzinfo=UTC)
        request = numbered(f"o-r{day}", "o-doc")
        desk.carry_out(await request_written(Write("create", request), desk), request)
    desk.limit_searches(of="Task", to=10)
    with pytest.raises(FhirError):
        await desk.search("Task?code=exam")
    [whole, _] = await review(desk, "2026-01-01", "2026-12-31")
    assert counts(whole, "indications-met") == (12, 12) and len(whole["evaluatedResource"]) == 12


def test_the_figures_of_many_requests_by_as_many_people_are_reckoned_once_each() -> None:
    cases = [
        Reviewed(f"ServiceRequest/o-{n}", f"Practitioner/o-{n % 300}", "", False, "justified", frozenset(), False, False, False)
        for n in range(6000)
    ]  # fmt: skip
    reckoned = list(
        reports(cases, Figure("advice-overridden", "", "", (), 0), DAY, DAY, datetime(2026, 3, 1, tzinfo=UTC))
    )
    assert len(reckoned) == 301
    assert [one["population"][1]["count"] for one in strata(reckoned[0][1], "申请医生")] == [20] * 300


def strata(report: Resource, title: str) -> list[Resource]:
    return [s for one in report["group"][0]["stratifier"] if one["code"][0]["text"] == title for s in one["stratum"]]


async def test_a_period_without_requests_has_figures_of_nothing() -> None:
    [whole] = await review(a_desk(), "2025-01-01", "2025-01-31")
    assert counts(whole, "indications-met") == (0, 0) and "measureScore" not in whole["group"][0]


@pytest.mark.parametrize(
    ("start", "end"), [("2026-03", "2026-03-31"), ("2026-03-02", "2026-03-01"), ("2020-01-01", "2026-01-01")]
)
async def test_a_period_that_is_none_is_refused(start: str, end: str) -> None:
    with pytest.raises(FhirError) as refused:
        await indications_reviewed(asked(start, end), a_desk())
    assert refused.value.status == 422
