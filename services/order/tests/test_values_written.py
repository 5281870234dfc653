"""A value of a scanner's test that nobody could judge is taken by no road: not entered, not written; as history it counts for nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.scanner_tests import asked_fitness
from slipring_order.rooms import scanner_standard
from slipring_order.rooms.measured import ABSENT, KIND_SYSTEM, TEST_SYSTEM, UCUM, amount_in
from slipring_order.rooms.scanner import SCANNER_PROPERTY

from tests.support.desk import ADesk
from tests.support.ordering import NOW
from tests.support.qc_rounds import a_qc_desk, enter, round_of
from tests.support.rooms import call, out

pytestmark = pytest.mark.clause("5.6.2.3")
NOMINAL = {"system": SCANNER_PROPERTY, "code": "nominal-slice-thickness"}
SOON = timedelta(minutes=4)  # by the clock of another machine


def quantity(value: Any, code: str, **more: Any) -> Resource:
    return {"value": value, "system": UCUM, "code": code, **more}


def a_value(test: str, said: Resource | None, nominal: Resource | None = None, **more: Any) -> Resource:
    tree: Resource = {
        "resourceType": "Observation", "id": "o-alone", "status": "final", "subject": {"reference": "Device/o-ct1"},
        "code": {"coding": [{"system": TEST_SYSTEM, "code": test}]}, "effectiveDateTime": NOW.isoformat(),
        "method": {"coding": [{"system": KIND_SYSTEM, "code": "acceptance"}]}, "valueQuantity": said,
        "component": nominal and [{"code": {"text": "kVp"}}, {"code": {"coding": [NOMINAL]}, "valueQuantity": nominal}],
    }  # fmt: skip
    return {name: member for name, member in (tree | more).items() if member is not None}


IN_HU, IN_KG = quantity(0.5, "[hnsf'U]"), quantity(0.5, "kg")
VALUE, SIZE = "Observation.valueQuantity", "Observation.valueQuantity.value"
# What `$enter-qc` and a write refuse alike: test, quantity, nominal quantity; what is wrong, and where a write says it.
NUMBERS = [
    ("water", IN_KG, None, "unit", VALUE),
    ("water", quantity(0.5, "kg", unit="HU"), None, "unit", VALUE),  # the code counts
    ("water", quantity(0.5, "HU", system="urn:units"), None, "unit", VALUE),
    ("water", IN_HU | {"comparator": "<"}, None, "unit", VALUE),
    ("water", None, None, "value", VALUE),
    ("water", quantity(-1025, "HU"), None, "size", SIZE),
    ("water", quantity(float("nan"), "HU"), None, "size", SIZE),
    ("couch", quantity(1e300, "cm"), None, "size", SIZE),
    ("noise", quantity(0.004, "%"), None, "size", SIZE),  # no scan is without any
    ("noise", quantity(-0.3, "%"), None, "size", SIZE),
    ("slice-thickness", quantity(-1, "mm"), quantity(0.1, "cm"), "size", "Observation.component[1].valueQuantity.value"),
    ("slice-thickness", quantity(0.1, "mm"), quantity(5, "s"), "unit", "Observation.component[1].valueQuantity"),
    ("slice-thickness", quantity(0.1, "mm"), quantity(0, "mm"), "size", "Observation.component[1].valueQuantity.value"),
    ("water", IN_HU, quantity(5, "mm"), "nominal", "Observation.component[1].valueQuantity"),
    ("smell", IN_HU, None, "test", "Observation.code"),
]  # fmt: skip


async def write(desk: ADesk, tree: Resource, *, imported: bool = False) -> None:
    before = await desk.read("Observation/o-alone")
    found = Write("update" if before else "create", tree, before, imported=imported)
    desk.carry_out(await observation_written(found, desk), tree)


async def refused(desk: ADesk, tree: Resource) -> list[tuple[str | None, str | None]]:
    with pytest.raises(FhirError) as found:
        await write(desk, tree)
    assert found.value.status == 422
    assert all(issue.zh and issue.en for issue in found.value.issues)
    return [(issue.detail, issue.at) for issue in found.value.issues]


async def fitness(desk: ADesk) -> tuple[bool, dict[str, Any]]:
    """Whether the scanner is fit, and the tests that a result stands for, with what came of it."""
    answer = await asked_fitness(call(await desk.read("Device/o-ct1")), desk)
    told = [{one["name"]: one for one in test} for test in out(answer, "test")]
    found = {one["test"]["valueCode"]: one.get("passes", {}).get("valueBoolean") for one in told if "result" in one}
    return bool(out(answer, "fit")[0]), found


@pytest.mark.parametrize(("test", "said", "nominal", "detail", "at"), NUMBERS)
async def test_a_number_that_cannot_be_judged_is_refused_entered_or_written_and_counts_for_nothing_as_history(
    test: str, said: Resource | None, nominal: Resource | None, detail: str, at: str
) -> None:
    desk, written = a_qc_desk(), a_value(test, said, nominal)
    assert await refused(desk, written) == [(f"order.qc-value-{detail}", at)]
    parts: list[Resource] = [{"name": "test", "valueCode": test}]
    parts += [{"name": n, "valueQuantity": one} for n, one in (("quantity", said), ("nominal", nominal)) if one]
    with pytest.raises(FhirError) as entered:
        await enter(desk, {"name": "value", "part": parts})
    assert [issue.detail for issue in entered.value.issues] == [f"order.qc-value-{detail}"]
    assert not await desk.search("Observation?subject=Device/o-ct1")
    if detail != "nominal":  # of a test that has none, it changes nothing
        await write(desk, written, imported=True)
        assert await fitness(desk) == (True, {}), "no test was done by it"


@pytest.mark.parametrize(
    ("more", "faults"),
    [
        ({"effectiveDateTime": (NOW + timedelta(minutes=6)).isoformat()}, [("qc-value-at", "effectiveDateTime")]),
        ({"effectiveDateTime": "2026-03"}, [("qc-value-at", "effectiveDateTime")]),
        ({"effectiveDateTime": None, "issued": NOW.isoformat()}, [("qc-value-at", "effective")]),
        ({"method": {"coding": [{"system": KIND_SYSTEM, "code": "daily"}]}}, [("qc-value-kind", "method")]),
        ({"method": {"text": "by eye"}}, [("qc-value-kind", "method")]),
        ({"method": {"coding": [{"code": "status"}, {"code": "acceptance"}]}}, [("qc-value-kind", "method")]),
        (
            {"method": {"coding": [{"system": KIND_SYSTEM, "code": "daily"}, {"code": "status"}]}},
            [("qc-value-kind", "method")],
        ),
        (
            {"code": {"coding": [{"system": TEST_SYSTEM, "code": one} for one in ("water", "noise")]}},
            [("qc-value-test", "code")],
        ),
        (
            a_value("slice-thickness", quantity(0.1, "mm"), quantity(5, "mm"))
            | {
                "component": [{"code": {"coding": [NOMINAL]}, "valueQuantity": quantity(size, "mm")} for size in (1, 5)]
            },
            [("qc-value-twice", "component")],
        ),
        ({"subject": {"reference": "Device/o-none"}}, [("scanner-unknown", "subject")]),
        ({"subject": {"reference": "Patient/o-pat"}}, [("scanner-unknown", "subject")]),
        ({"subject": None}, [("scanner-unknown", "subject")]),
        (
            {"valueQuantity": IN_KG, "method": {"coding": [{"code": "daily"}]}, "effectiveDateTime": "2027-01-01"},
            [("qc-value-unit", "valueQuantity"), ("qc-value-kind", "method"), ("qc-value-at", "effectiveDateTime")],
        ),
    ],
)
async def test_a_value_says_of_which_scanner_it_is_how_and_when_it_was_measured(
    more: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    desk = a_qc_desk()
    wanted = [(f"order.{detail}", f"Observation.{at}") for detail, at in faults]
    assert await refused(desk, a_value("water", IN_HU, **more)) == wanted
    await write(desk, a_value("water", IN_HU))
    assert await refused(desk, a_value("water", IN_HU, **more)) == wanted, "a correction is held to the same"
    await write(desk, a_value("water", IN_KG, status="entered-in-error"))
    assert await fitness(desk) == (True, {})


@pytest.mark.parametrize(
    ("test", "said", "nominal", "passes"),
    [
        ("couch", quantity(0.2, "cm"), None, True),
        ("couch", quantity(0.21, "cm"), None, False),
        ("noise", quantity(0.0034, "1"), None, True),
        ("noise", quantity(0.0035, "1"), None, False),
        ("spatial-resolution", {"value": 0.65, "unit": "lp/mm"}, None, True),
        ("water", {"value": 4.1, "unit": "HU"}, None, False),
        ("slice-thickness", quantity(0.06, "cm"), quantity(0.1, "cm"), False),
        ("slice-thickness", quantity(0.06, "cm"), quantity(0.5, "cm"), True),
    ],
)
async def test_another_unit_of_the_same_kind_is_converted_where_it_is_judged(
    test: str, said: Resource, nominal: Resource | None, passes: bool
) -> None:
    desk = a_qc_desk()
    await write(desk, a_value(test, said, nominal, effectiveDateTime=(NOW + SOON).isoformat()))
    assert (await fitness(desk))[1] == {test: passes}
    opened = await desk.search("Task?focus=Device/o-ct1&code=nonconformity")
    assert len(opened) == (not passes), "a clock that goes before ours hides no failure"
    other = a_qc_desk()
    named = [("quantity", said), ("nominal", nominal)]
    parts: list[Resource] = [{"name": "test", "valueCode": test}]
    parts += [{"name": name, "valueQuantity": one} for name, one in named if one]
    made = await enter(other, {"name": "value", "part": parts}, kind="acceptance", at=NOW + SOON)
    assert round_of(made) and out(made, "result")[0][2] == {"name": "passes", "valueBoolean": passes}


async def test_a_test_that_does_not_apply_is_one_that_was_looked_at() -> None:
    desk = a_qc_desk()
    absent = {"coding": [{"system": ABSENT, "code": "not-applicable"}]}
    await write(desk, a_value("tilt", None, dataAbsentReason=absent))
    assert await fitness(desk) == (True, {"tilt": None})
    absent["coding"][0]["code"] = "not-performed"
    assert await refused(desk, a_value("tilt", None, dataAbsentReason=absent)) == [("order.qc-value-value", VALUE)]


async def test_history_of_a_day_to_come_counts_for_nothing_when_the_day_has_come() -> None:
    desk = a_qc_desk()
    await write(desk, a_value("water", quantity(99, "HU"), effectiveDateTime=(NOW + SOON).isoformat()), imported=True)
    assert await fitness(desk) == (False, {"water": False})
    later = (NOW + timedelta(days=1)).isoformat()
    for value in (0, 99):
        await write(desk, a_value("water", quantity(value, "HU"), effectiveDateTime=later), imported=True)
        for days in (0, 2):
            desk.now = NOW + timedelta(days=days)
            assert await fitness(desk) == (True, {})
        desk.now = NOW


def test_every_test_says_what_can_be_measured() -> None:
    every = scanner_standard.tests()
    rows = [scanner_standard.bands(test) for test in every]
    for what in [*every, *(row["component"] for row in rows if row)]:
        bounds = scanner_standard.possible(what)
        assert bounds.get("above", bounds.get("from")) < bounds["to"]
    assert all(amount_in({"value": 1, "unit": unit}, test) == 1 for test in every for unit in every[test]["units"])
