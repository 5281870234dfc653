"""The department's own targets of indicators: drafted by one, approved by another, in force from a moment on (4.14.7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring.measuring.asking import Question
from slipring.measuring.targets import with_targets
from slipring.qc.indicators.definition import Target, definitions
from slipring_order.measuring import INDICATORS

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_desk, a_person
from tests.support.rooms import call

RATE = definitions("order")["error-rate"]


def a_department() -> ADesk:
    heads = [
        *a_person("o-head", "chief-physician", "ct-head"),
        *a_person("o-lead", "chief-physician", "quality-manager"),
    ]
    desk = a_desk(*heads)
    for measure in INDICATORS.shipped:
        desk.hold(measure)
    return desk


async def asked(desk: ADesk, name: str, who: str, **given: tuple[str, Any]) -> Resource:
    desk.caller = Caller("pages", frozenset({"user/*.cruds"}), practitioner=f"Practitioner/{who}" if who else None)
    target = await desk.read("Measure/o-error-rate-1")
    act = {"propose": INDICATORS.propose, "approve": INDICATORS.approve, "withdraw": INDICATORS.withdraw}[name]
    changes = await act(call(target, **given), desk)
    desk.carry_out(changes)
    assert changes.answer is not None
    return changes.answer


async def drafted(desk: ADesk, value: float, who: str = "o-head", start: date | None = None) -> Resource:
    given = {"value": ("Decimal", value), "at": ("Code", "most"), "reason": ("String", "meeting of January")}
    day = {"start": ("Date", start.isoformat())} if start else {}
    return await asked(desk, "propose", who, **given, **day)


async def refused(desk: ADesk, name: str, who: str, **given: tuple[str, Any]) -> tuple[int, str, str]:
    with pytest.raises(FhirError) as error:
        await asked(desk, name, who, **given)
    return error.value.status, error.value.issues[0].detail, error.value.issues[0].at


def named(measure: Resource) -> tuple[str, Any]:
    return "Reference", {"reference": f"Measure/{measure['id']}"}


async def in_force(desk: ADesk, last: date) -> Target | None:
    question = Question(last - timedelta(days=30), last, (), None, desk.now, desk.settings.zone)
    [found] = await with_targets([RATE], question, desk)
    assert (found.id, found.version, found.numerator) == (RATE.id, RATE.version, RATE.numerator)
    return found.target


@pytest.mark.clause("4.14.7")
async def test_a_target_is_in_force_from_the_approval_of_a_second_qualified_person_on_till_the_next_one_is() -> None:
    desk = a_department()
    today = NOW.astimezone(desk.settings.zone).date()
    draft = await drafted(desk, 0.002)
    assert draft["status"] == "draft" and await in_force(desk, today) == RATE.target
    assert (await refused(desk, "approve", "o-head", draft=named(draft)))[:2] == (
        403,
        "measuring.target-second-person",
    )
    assert (await refused(desk, "approve", "o-doc", draft=named(draft)))[:2] == (403, "staff.role")
    assert (await refused(desk, "approve", "", draft=named(draft)))[:2] == (403, "measuring.target-person")
    await asked(desk, "approve", "o-lead", draft=named(draft))
    assert await in_force(desk, today) == Target(0.002, "most", "meeting of January", "A")
    assert await in_force(desk, today - timedelta(days=1)) == RATE.target, (
        "yesterday's figure keeps what it was held against"
    )
    desk.now += timedelta(days=40)
    later = await drafted(desk, 0.0005, "o-lead")
    await asked(desk, "approve", "o-head", draft=named(later))
    ended, begun = [await desk.read(f"Measure/{one['id']}") for one in (draft, later)]
    assert ended and begun and (ended.resource["status"], begun.resource["status"]) == ("retired", "active")
    assert (await in_force(desk, today + timedelta(days=40))) == Target(0.0005, "most", "meeting of January", "A")
    assert (await in_force(desk, today + timedelta(days=20))) == Target(0.002, "most", "meeting of January", "A")


@pytest.mark.clause("4.14.7")
async def test_a_draft_is_withdrawn_by_its_drafter_or_who_could_approve_it_and_not_once_it_is_approved() -> None:
    desk = a_department()
    today = NOW.astimezone(desk.settings.zone).date()
    mine, another, kept = [await drafted(desk, value) for value in (0.1, 0.2, 0.3)]
    assert (await refused(desk, "withdraw", "o-doc", draft=named(mine)))[:2] == (403, "staff.role")
    assert (await refused(desk, "withdraw", "", draft=named(mine)))[:2] == (403, "measuring.target-person")
    await asked(desk, "withdraw", "o-head", draft=named(mine))
    await asked(desk, "withdraw", "o-lead", draft=named(another))
    for gone in (mine, another):
        assert await desk.read(f"Measure/{gone['id']}") is None
        assert (await refused(desk, "approve", "o-lead", draft=named(gone)))[:2] == (422, "measuring.target")
    await asked(desk, "approve", "o-lead", draft=named(kept))
    assert (await refused(desk, "withdraw", "o-head", draft=named(kept)))[:2] == (422, "measuring.target")
    assert await in_force(desk, today) == Target(0.3, "most", "meeting of January", "A")


@pytest.mark.clause("4.14.7")
async def test_a_target_begins_on_its_day_and_one_that_is_replaced_before_its_day_never_does() -> None:
    desk = a_department()
    today = NOW.astimezone(desk.settings.zone).date()
    first = await drafted(desk, 0.002)
    await asked(desk, "approve", "o-lead", draft=named(first))
    in_ten = await drafted(desk, 0.1, start=today + timedelta(days=10))
    in_five = await drafted(desk, 0.2, start=today + timedelta(days=5))
    for one in (in_ten, in_five):
        await asked(desk, "approve", "o-lead", draft=named(one))
    desk.now += timedelta(days=40)
    values = [target.value for n in (4, 5, 20) if (target := await in_force(desk, today + timedelta(days=n)))]
    assert values == [0.002, 0.2, 0.2]
    late = await drafted(desk, 0.3, start=today + timedelta(days=41))
    desk.now += timedelta(days=5)
    await asked(desk, "approve", "o-lead", draft=named(late))
    assert [t.value for n in (44, 45) if (t := await in_force(desk, today + timedelta(days=n)))] == [0.2, 0.3], (
        "a draft that was approved after its day judges nothing of before"
    )


@pytest.mark.clause("4.14.7")
async def test_what_is_no_target_is_refused_at_its_place_and_nothing_is_written_past_the_two() -> None:
    desk = a_department()
    good: dict[str, tuple[str, Any]] = {"value": ("Decimal", 0.5), "at": ("Code", "least"), "reason": ("String", "why")}
    for wrong in (
        {"value": ("Decimal", 1.5)},
        {"value": ("Decimal", -0.1)},
        {"at": ("Code", "about")},
        {"reason": ("String", "  ")},
        {"reason": ("String", "x" * 501)},
        {"start": ("Date", (NOW.astimezone(desk.settings.zone).date() - timedelta(days=1)).isoformat())},
        {"start": ("Date", "2026-13")},
    ):
        given: dict[str, tuple[str, Any]] = {**good, **wrong}
        place = f"Parameters.parameter[{list(given).index(next(iter(wrong)))}]"
        assert await refused(desk, "propose", "o-head", **given) == (422, "measuring.target", place)
    assert (await refused(desk, "approve", "o-lead", draft=("Reference", {"reference": "Measure/o-error-rate-1"})))[
        0
    ] == 422
    draft = await drafted(desk, 0.002)
    [keeps, _] = INDICATORS.keeps
    assert keeps.on_write is not None
    for forged in (draft | {"status": "active"}, {**draft, "id": "o-other"}):
        with pytest.raises(FhirError) as error:
            await keeps.on_write(Write("update", forged, await desk.read(f"Measure/{draft['id']}")), desk)
        assert (error.value.status, error.value.issues[0].detail) == (409, "measuring.target-by-operation")
