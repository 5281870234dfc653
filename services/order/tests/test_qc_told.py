"""What the programme of a scanner tells: state, both intervals, both editions, baseline and approver, chart, comparison."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Write
from slipring.runtime.settings import BadSettings
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.qc_told import chart_told, programme_told, scanners_compared
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk
from tests.support.ordering import NOW
from tests.support.qc_rounds import APPROVER, TESTER, a_call, a_qc_desk, approved, enter, value
from tests.support.rooms import a_scanner, out

SCANNER = "Device/o-ct1"


def flat(parts: Any) -> dict[str, Any]:
    """Parts by name: the value of each, its parts where it has any, a list where there are several."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        value = (
            flat(part["part"]) if "part" in part else next(v for name, v in part.items() if name.startswith("value"))
        )
        found.setdefault(part["name"], []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


async def programme(desk: ADesk) -> dict[str, dict[str, Any]]:
    answer = await programme_told(a_call(await desk.read(SCANNER)), desk)
    return {one["test"]: one for one in map(flat, out(answer, "test"))}


async def chart(desk: ADesk, test: str) -> Changes:
    return await chart_told(a_call(await desk.read(SCANNER), test=("Code", test)), desk)


@pytest.mark.clause("5.6.2.3", "5.3.1.2")
async def test_each_test_tells_its_state_both_intervals_and_the_baseline_with_who_stands_for_it() -> None:
    desk = a_qc_desk()
    assert {one["state"] for one in (await programme(desk)).values()} == {"missing", "on-occasion"}
    await approved(desk, value("water", 0.5), value("noise", 0.3), kind="acceptance", at=NOW - timedelta(days=25))
    await approved(desk, value("couch", 0.4), at=NOW - timedelta(days=40))
    await enter(desk, value("uniformity", 9), kind="status")
    told = await programme(desk)
    states = {test: told[test]["state"] for test in ("water", "noise", "couch", "uniformity", "laser", "tilt")}
    assert states == {
        "water": "due", "noise": "met", "couch": "overdue", "uniformity": "failed", "laser": "missing", "tilt": "on-occasion",
    }  # fmt: skip
    a011, standard = told["water"]["interval"]
    assert (a011["applied"], standard["applied"]) == (True, False) and a011["confidence"] == "S"
    assert "A011" in a011["source"] and "WS 519" in standard["source"]
    assert told["laser"]["interval"]["source"].startswith("WS 519"), "A011 names no interval"
    assert told["water"]["baseline"]["approver"] == {"reference": APPROVER}
    assert float(told["water"]["baseline"]["value"]) == 0.5


@pytest.mark.clause("5.6.2.3")
async def test_the_chosen_edition_decides_and_the_other_is_shown_beside_it() -> None:
    desk = a_qc_desk(settings=OrderSettings(scanner_edition="gb17589-2011", limits_confirmed=frozenset({"*"})))
    await approved(desk, value("ctdiw-body", 31), value("water", 5.5), kind="status")
    told = await programme(desk)
    limit = told["ctdiw-body"]["limit"]
    assert limit["edition"] == "gb17589-2011" and limit["passes"] is False and limit["chosen"] is True
    assert told["ctdiw-body"]["state"] == "failed", "the newer edition asks for no status value here"
    own, other = told["water"]["limit"]
    assert (own["edition"], own["chosen"], other["edition"], other["chosen"]) == (
        "gb17589-2011", True, "ws519-2019", False,
    )  # fmt: skip
    assert (float(own["low"]), float(own["high"])) == (-6, 6)


@pytest.mark.clause("5.6.2.3")
async def test_a_chart_has_its_centre_its_flags_and_a_new_phase_at_each_baseline() -> None:
    desk = a_qc_desk()
    first = NOW - timedelta(days=400)
    await approved(desk, value("water", 0.0), kind="acceptance", at=first)
    for number, measured in enumerate([0.2, -0.1, 0.1, 0.0, -0.2, 0.1, 2.5], 1):
        await approved(desk, value("water", measured), at=first + timedelta(days=30 * number))
    await approved(desk, value("water", 1.0), kind="status", at=first + timedelta(days=300))
    await enter(desk, value("water", 1.1))
    answer = await chart(desk, "water")
    phases, points = [flat(one) for one in out(answer, "phase")], [flat(one) for one in out(answer, "point")]
    assert float(phases[0]["mean"]) == pytest.approx(0.325) and "mean" not in phases[1]
    assert [one["baseline"] for one in points] == [True, *[False] * 7, True, False]
    assert [one.get("flag") for one in points] == [None] * 7 + [["1-3s", "1-2s"], None, None]
    assert [one["waits"] for one in points] == [False] * 9 + [True] and "phase" not in points[-1]
    assert {float(out(answer, "low")[0]), float(out(answer, "high")[0])} == {-3.0, 5.0}, "about the last baseline"
    empty = await chart(desk, "noise")
    assert out(empty, "unit") == ["%"] and not out(empty, "point")


@pytest.mark.clause("5.6.4")
@pytest.mark.parametrize(
    ("there", "outcome"), [([0.1, 0.4, 0.2], "comparable"), ([6.0, 6.2, 6.1], "different"), ([1, 9, 4], "open")]
)
async def test_scanners_are_held_side_by_side_on_the_same_test(there: list[float], outcome: str) -> None:
    desk = a_qc_desk(a_scanner("o-ct2"))
    for number in range(3):
        at = NOW - timedelta(days=10 - number)
        await approved(desk, value("water", [0.0, 0.2, -0.1][number]), at=at)
        await approved(desk, value("water", there[number]), at=at, scanner="Device/o-ct2")
    given = [{"name": "scanner", "valueReference": {"reference": one}} for one in (SCANNER, "Device/o-ct2")]
    answer = await scanners_compared(a_call(None, *given, test=("Code", "water")), desk)
    [pair] = [flat(one) for one in out(answer, "pair")]
    assert pair["outcome"] == outcome and pair["low"] <= pair["difference"] <= pair["high"]
    assert float(pair["difference"]) == pytest.approx(0.1 / 3 - sum(there) / 3, abs=1e-3)
    early = ("DateTime", (NOW - timedelta(days=9, hours=12)).isoformat())
    few = await scanners_compared(a_call(None, *given, test=("Code", "water"), until=early), desk)
    assert not out(few, "pair") and [flat(one)["count"] for one in out(few, "scanner")] == [0, 0]


async def test_a_question_that_cannot_be_answered_says_what_is_wrong_with_it() -> None:
    desk = a_qc_desk()
    with pytest.raises(FhirError) as refused:
        await chart(desk, "smell")
    assert refused.value.issues[0].detail == "order.qc-asked-test"
    for given, detail in (([SCANNER, SCANNER], "qc-asked-scanners"), ([SCANNER, "Device/o-none"], "scanner-unknown")):
        named = [{"name": "scanner", "valueReference": {"reference": one}} for one in given]
        with pytest.raises(FhirError) as refused:
            await scanners_compared(a_call(None, *named, test=("Code", "water")), desk)
        assert refused.value.issues[0].detail == f"order.{detail}"


def test_a_standard_that_there_is_not_is_refused_at_the_start() -> None:
    assert OrderSettings.from_env({"SLIPRING_SCANNER_STANDARD": "gb17589-2011"}).scanner_edition == "gb17589-2011"
    assert OrderSettings.from_env({}).scanner_edition == "ws519-2019"
    with pytest.raises(BadSettings, match="ws519-2019, gb17589-2011"):
        OrderSettings.from_env({"SLIPRING_SCANNER_STANDARD": "ws-519"})


async def test_a_value_outside_a_round_stands_as_reviewed_by_two_people_only() -> None:
    desk = a_qc_desk()
    alone = {
        "resourceType": "Observation", "id": "o-alone", "status": "final", "subject": {"reference": "Device/o-ct1"},
        "code": {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/scanner-test", "code": "water"}]},
        "effectiveDateTime": "2026-03-01T08:00:00Z", "valueQuantity": {"value": 1, "unit": "HU"},
    }  # fmt: skip
    two = [{"reference": TESTER}, {"reference": APPROVER}]
    with pytest.raises(FhirError) as refused:
        await observation_written(Write("create", alone | {"performer": two[:1]}), desk)
    assert refused.value.issues[0].detail == "order.qc-value-reviewed"
    for more in ({"performer": two}, {"performer": two[:1], "status": "preliminary"}, {}):
        await observation_written(Write("create", alone | more), desk)
