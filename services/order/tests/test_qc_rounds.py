"""A round of tests is entered by one person and settled by another; a failure counts at once, a pass when approved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order.equipment.round import state_of
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.scanner_tests import asked_fitness
from slipring_order.handlers.tasks import guarded

from tests.support.desk import ADesk
from tests.support.ordering import NOW, findings
from tests.support.qc_rounds import APPROVER, TESTER, a_qc_desk, approved, enter, round_of, settle, value
from tests.support.rooms import call, out

pytestmark = pytest.mark.clause("5.6.2.3")


async def fit(desk: ADesk) -> bool:
    [said] = out(await asked_fitness(call(await desk.read("Device/o-ct1")), desk), "fit")
    return bool(said)


async def statuses(desk: ADesk) -> list[str]:
    found = await desk.search("Observation?subject=Device/o-ct1")
    return sorted(str(one.resource["status"]) for one in found)


async def due(desk: ADesk, test: str) -> str:
    answer = await asked_fitness(call(await desk.read("Device/o-ct1")), desk)
    parts = [{one["name"]: one for one in said} for said in out(answer, "test")]
    return next(str(said["due"]["valueDate"]) for said in parts if said["test"]["valueCode"] == test)


async def test_what_passes_counts_when_a_second_person_approved_it() -> None:
    desk = a_qc_desk()
    await approved(desk, value("water", 0.5), kind="acceptance", at=NOW - timedelta(days=40))
    before = await due(desk, "water")
    made = round_of(await enter(desk, value("water", 1.5), value("couch", 0.4)))
    assert state_of(made) == "entered" and made["owner"] == {"reference": TESTER}
    assert await due(desk, "water") == before, "nobody has approved it"
    done = round_of(await settle(desk, made, "approved"))
    assert state_of(done) == "approved" and done["status"] == "completed"
    assert await due(desk, "water") > before
    assert [one["valueReference"]["reference"] for one in done["output"]][-1] == APPROVER
    assert set(await statuses(desk)) == {"final"}


async def test_each_value_keeps_the_limit_and_baseline_it_was_held_against() -> None:
    desk = a_qc_desk()
    await approved(desk, value("water", 0.5), kind="acceptance", at=NOW - timedelta(days=40))
    changes = await enter(desk, value("water", 4.5), value("uniformity", 1.0))
    [water, uniformity] = [
        {part["name"]: next(v for n, v in part.items() if n != "name") for part in one}
        for one in out(changes, "result")
    ]
    assert water["passes"] is True and water["limit"].startswith("ws519-2019.water.constancy|")
    assert "passes" not in uniformity, "it has no baseline yet"
    kept = await desk.read(water["observation"]["reference"])
    assert kept is not None
    [applied] = kept.resource["referenceRange"]
    assert (float(applied["low"]["value"]), float(applied["high"]["value"])) == (-3.5, 4.5)


async def test_a_failure_takes_the_scanner_away_before_anybody_approved_it_and_opens_a_nonconformity() -> None:
    desk = a_qc_desk()
    await approved(desk, value("water", 0.5), kind="acceptance", at=NOW - timedelta(days=5))
    assert await fit(desk)
    made = round_of(await enter(desk, value("water", 7.5), value("couch", 0.1)))
    assert not await fit(desk)
    assert len(await desk.search("Task?focus=Device/o-ct1&code=nonconformity")) == 1
    assert "order.scanner-within-limits" in findings(desk)
    back = round_of(await settle(desk, made, "repeat", note="phantom off centre"))
    assert state_of(back) == "to-repeat" and await statuses(desk) == ["cancelled", "final", "preliminary"]
    assert not await fit(desk), "what failed stands until the repeat passes"
    desk.now += timedelta(hours=1)
    again = round_of(await enter(desk, value("water", 0.9), repeats=("Reference", {"reference": f"Task/{back['id']}"})))
    assert not await fit(desk)
    await settle(desk, again, "approved")
    assert await fit(desk)
    repeated = await desk.read(f"Task/{back['id']}")
    assert repeated is not None and state_of(repeated.resource) == "repeated"
    [task] = await desk.search("Task?focus=Device/o-ct1&code=nonconformity")
    assert "Passed again" in task.resource["note"][0]["text"] and task.resource["status"] == "requested"


async def test_a_repeat_that_is_repeated_itself_settles_every_round_before_it() -> None:
    desk = a_qc_desk()
    await approved(desk, value("water", 0.5), kind="acceptance", at=NOW - timedelta(days=5))
    sent_back: list[Resource] = []
    for _ in range(2):
        again = {"repeats": ("Reference", {"reference": f"Task/{sent_back[-1]['id']}"})} if sent_back else {}
        made = round_of(await enter(desk, value("water", 7.5), **again))
        sent_back.append(round_of(await settle(desk, made, "repeat", note="phantom off centre")))
        desk.now += timedelta(hours=1)
    repeats = ("Reference", {"reference": f"Task/{sent_back[-1]['id']}"})
    twice = [round_of(await enter(desk, value("water", 0.9), repeats=repeats)) for _ in range(2)]
    for one in twice:  # two people entered the repeat
        assert state_of(round_of(await settle(desk, one, "approved"))) == "approved"
    found = [await desk.read(f"Task/{one['id']}") for one in sent_back]
    assert [state_of(one.resource) for one in found if one] == ["repeated", "repeated"]


async def test_a_slip_of_the_pen_is_marked_as_such_by_the_second_person_and_counts_for_nothing() -> None:
    desk = a_qc_desk()
    await approved(desk, value("couch", 0.5), kind="acceptance", at=NOW - timedelta(days=5))
    made = round_of(await enter(desk, value("couch", 15)))
    assert not await fit(desk)
    with pytest.raises(FhirError) as refused:
        await settle(desk, made, "rejected")
    assert refused.value.issues[0].detail == "order.qc-round-reason"
    await settle(desk, made, "rejected", note="1.5 mm, written as 15")
    assert await fit(desk) and "entered-in-error" in await statuses(desk)


@pytest.mark.parametrize(("who", "detail"), [(TESTER, "order.qc-round-second"), ("Practitioner/o-clerk", "staff.role")])
async def test_nobody_settles_his_own_round_and_only_who_may_settles_any(who: str, detail: str) -> None:
    tester = a_qc_desk()
    for role in await tester.search(f"PractitionerRole?practitioner={TESTER}"):  # he could, had he not entered it
        also = {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/staff-role", "code": "technical-lead"}]}
        tester.hold({**role.resource, "code": [*role.resource["code"], also]})
    made = round_of(await enter(tester, value("water", 0.5), kind="acceptance"))
    with pytest.raises(FhirError) as refused:
        await settle(tester, made, "approved", who=who)
    assert refused.value.issues[0].detail == detail
    assert await statuses(tester) == ["preliminary"]


async def test_a_round_that_was_settled_is_not_settled_again() -> None:
    desk = a_qc_desk()
    done = await approved(desk, value("water", 0.5), kind="acceptance")
    with pytest.raises(FhirError) as refused:
        await settle(desk, done, "rejected", note="too late")
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.qc-round-state")


WATER = value("water", 0.5)


@pytest.mark.parametrize(
    ("given", "detail", "at"),
    [
        ([value("water", 1.0), value("water", 2.0)], "twice", "Parameters.parameter[1]"),
        ([{"name": "value", "part": [{"name": "test", "valueCode": "smell"}]}], "test", "Parameters.parameter[0].part"),
        ([{"name": "value", "part": WATER["part"][:1]}], "value", "Parameters.parameter[0].part"),
        ([value("water", 1.0, nominal=5)], "nominal", "Parameters.parameter[0].part"),
        ([WATER, value("couch", 1e30)], "size", "Parameters.parameter[1].part"),
        ([value("slice-thickness", 0.1, nominal=1e300)], "size", "Parameters.parameter[0].part"),
        (
            [
                {
                    "name": "value",
                    "part": [WATER["part"][0], {"name": "quantity", "valueQuantity": {"value": 1, "code": "kg"}}],
                }
            ],
            "unit",
            "Parameters.parameter[0].part",
        ),
    ],
)
async def test_values_that_cannot_be_taken_are_refused_at_their_place_and_nothing_is_kept(
    given: list[Resource], detail: str, at: str
) -> None:
    desk = a_qc_desk()
    with pytest.raises(FhirError) as refused:
        await enter(desk, *given)
    assert refused.value.status == 422
    assert [(one.detail, one.at) for one in refused.value.issues] == [(f"order.qc-value-{detail}", at)]
    assert await statuses(desk) == []


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ({"at": "2026-03-09T00:00:00Z"}, "at"),
        ({"at": "2026"}, "at"),
        ({"kind": "daily"}, "kind"),
        ({"phantom": ("Reference", {"reference": "Device/o-none"})}, "phantom"),
        ({"repeats": ("Reference", {"reference": "Task/o-none"})}, "round"),
    ],
)
async def test_a_round_that_says_what_cannot_be_is_refused(values: dict[str, Any], detail: str) -> None:
    desk = a_qc_desk()
    with pytest.raises(FhirError) as refused:
        await enter(desk, WATER, **values)
    assert refused.value.issues[0].detail == f"order.qc-round-{detail}"
    with pytest.raises(FhirError) as refused:
        await enter(desk)
    assert refused.value.issues[0].detail == "order.qc-round-empty"


async def test_a_number_of_no_scanner_is_refused_however_it_comes_and_one_that_was_imported_stops_no_judgement() -> (
    None
):
    desk = a_qc_desk()
    made = round_of(await enter(desk, WATER, kind="acceptance"))
    [stored] = await desk.search(f"Observation?identifier={made['id']}")
    quantity = {**stored.resource["valueQuantity"], "value": Decimal("1E+300")}
    alone = {**stored.resource, "id": "o-alone", "identifier": [], "valueQuantity": quantity, "status": "final"}
    with pytest.raises(FhirError) as refused:
        await observation_written(Write("create", alone, None), desk)
    [issue] = refused.value.issues
    assert (issue.detail, issue.at) == ("order.qc-value-size", "Observation.valueQuantity.value")
    desk.hold(alone)
    assert await fit(desk), "there is nothing that it could be compared with"


async def test_what_does_not_apply_to_a_scanner_fails_nothing() -> None:
    desk = a_qc_desk()
    tilt = {
        "name": "value",
        "part": [{"name": "test", "valueCode": "tilt"}, {"name": "notApplicable", "valueBoolean": True}],
    }
    await approved(desk, tilt, value("couch", 0.2), kind="acceptance")
    assert await fit(desk)
    [kept] = [one.resource for one in await desk.search("Observation?code=tilt")]
    assert kept["dataAbsentReason"]["coding"][0]["code"] == "not-applicable" and "valueQuantity" not in kept


async def test_rounds_and_their_values_are_written_by_no_other_way() -> None:
    desk = a_qc_desk()
    made = round_of(await enter(desk, value("water", 7.5), kind="acceptance"))
    before = await desk.read(f"Task/{made['id']}")
    assert before is not None
    with pytest.raises(FhirError) as refused:
        await guarded(Write("update", {**before.resource, "status": "completed"}, before), desk)
    assert refused.value.issues[0].detail == "order.qc-round-by-operation"
    [stored] = await desk.search("Observation?code=water")
    for method in ("update", "delete"):
        with pytest.raises(FhirError) as refused:
            await observation_written(Write(method, {**stored.resource, "status": "final"}, stored), desk)  # type: ignore[arg-type]
        assert refused.value.issues[0].detail == "order.qc-value-by-round"
