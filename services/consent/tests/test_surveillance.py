"""What all reactions together say: rates with their intervals, and a lot that stands out."""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call
from slipring.qc.proportion import at_least, wilson
from slipring_consent.department import limits_of
from slipring_consent.handlers.rates import rates_told
from slipring_consent.reactions.timing import between
from slipring_consent.reading import instant
from slipring_consent.surveillance.given import Given, Reacted, rates

from tests.support.contrast import a_department
from tests.support.desk import A_NOON, ADesk
from tests.support.giving import a_reaction_to, a_ward, an_injection_of

SALINE = {"coding": [{"system": "http://www.whocc.no/atc", "code": "B05BB01"}]}
COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# --- the interval and the chance ---


@pytest.mark.parametrize(
    ("reactions", "injections", "low", "high"),
    [  # R. G. Newcombe, Stat Med 1998; 17: 857-872, table I, method 3 (Wilson score)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(reactions: int, injections: int, low: float, high: float) -> None:
    found = wilson(reactions, injections)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(COUNTS)
def test_the_rate_lies_in_its_interval_and_the_interval_in_zero_to_one(counts: tuple[int, int]) -> None:
    found = wilson(*counts)
    assert found is not None
    assert 0 <= found.low <= found.rate <= found.high <= 1
    assert found.low < found.high


@given(COUNTS, st.integers(2, 50))
def test_more_of_the_same_makes_the_interval_narrower(counts: tuple[int, int], times: int) -> None:
    few, many = wilson(*counts), wilson(counts[0] * times, counts[1] * times)
    assert few is not None and many is not None
    assert many.high - many.low < few.high - few.low


def test_where_nothing_was_given_there_is_no_rate() -> None:
    assert wilson(0, 0) is None


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(1, 999))
def test_the_chance_is_the_exact_binomial_tail(counts: tuple[int, int], per_mille: int) -> None:
    reactions, injections = counts
    p = Fraction(per_mille, 1000)
    exact = sum(math.comb(injections, k) * p**k * (1 - p) ** (injections - k) for k in range(reactions, injections + 1))
    assert at_least(reactions, injections, float(p)) == pytest.approx(float(exact), rel=1e-9, abs=1e-300)


@given(st.integers(1, 500), st.integers(0, 20), st.floats(0.0001, 0.5))
def test_more_reactions_are_never_likelier_and_more_injections_never_less_likely(n: int, k: int, rate: float) -> None:
    assert at_least(k + 1, n, rate) <= at_least(k, n, rate) + 1e-12
    assert at_least(k, n, rate) <= at_least(k, n + 1, rate) + 1e-12


def test_impossible_and_certain_are_said_so() -> None:
    assert (at_least(0, 0, 0.1), at_least(3, 2, 0.1), at_least(1, 5, 0.0), at_least(1, 5, 1.0)) == (1.0, 0.0, 0.0, 1.0)


# --- rates ---


def test_an_injection_with_two_reactions_counts_once_and_an_extravasation_apart() -> None:
    every = [Given("a/1", "p/1"), Given("a/2", "p/2"), Given("a/3", "p/1")]
    after = [
        Reacted("e/1", ("a/1",), "allergic-like", "mild"),
        Reacted("e/2", ("a/1",), "physiologic", "severe"),
        Reacted("e/3", ("a/2",), "extravasation", "severe"),
        Reacted("e/4", ("a/9",), "allergic-like", "severe"),
    ]
    [_, whole] = rates(every, after, "agent")
    assert (whole.given, whole.patients, whole.reacted, whole.extravasations) == (3, 2, 1, 1)
    assert whole.by_kind == {("allergic-like", "mild"): 1, ("physiologic", "severe"): 1}
    [_, severe] = rates(every, after, "agent", "severe")
    assert (severe.reacted, severe.by_kind) == (1, {("physiologic", "severe"): 1})


async def told(desk: ADesk, **given: Any) -> dict[str, dict[str, Any]]:
    parameters = [{"name": name, **value} for name, value in given.items()]
    changes = await rates_told(Call({"resourceType": "Parameters", "parameter": parameters}), desk)
    assert changes.answer is not None
    assert list(changes.save) == []
    groups = [one["part"] for one in changes.answer["parameter"] if one["name"] == "group"]
    flat = [
        {part["name"]: next((v for k, v in part.items() if k != "name"), None) for part in parts} for parts in groups
    ]
    return {one["of"]: one for one in flat}


@pytest.mark.clause("4.13")
async def test_the_rates_are_told_per_lot_with_denominators_and_intervals_and_nothing_is_stored() -> None:
    desk = a_ward(40)
    a_ward(10, "L-2", desk)
    desk.hold(an_injection_of(99, status="not-done"))
    desk.hold(an_injection_of(98, status="entered-in-error"))
    desk.hold(an_injection_of(97, medicationReference={"reference": "Medication/c-saline"}))
    desk.hold(
        {
            "resourceType": "Medication",
            "id": "c-saline",
            "code": SALINE,
        }
    )
    desk.hold(a_reaction_to(3))
    desk.hold(
        a_reaction_to(
            4, extension=[{"url": f"{CANONICAL}/StructureDefinition/reaction-phase", "valueCode": "entered-in-error"}]
        )
    )
    found = await told(
        desk, by={"valueCode": "lot"}, period={"valuePeriod": {"start": instant(A_NOON - timedelta(days=60))}}
    )
    assert list(found) == ["V08AB02 L-1", "V08AB02 L-2", "all"]
    one, other, whole = found.values()
    assert (one["given"], one["reacted"], other["given"], other["reacted"]) == (40, 1, 10, 0)
    assert (whole["given"], one["rate"], other["low"]) == (50, Decimal("0.025000"), 0)
    assert one["low"] < one["rate"] < one["high"]
    assert (one["case"], "case" in other) == ({"reference": "AdverseEvent/c-eL-1-3"}, False)


@pytest.mark.clause("4.13")
async def test_the_rates_say_how_long_after_the_injection_the_reactions_began_and_where_the_bounds_stand() -> None:
    desk = a_ward(10)
    for number, after in [(1, {"minutes": 59}), (2, {"minutes": 61}), (3, {"days": 6}), (4, {"days": 8})]:
        given_at = A_NOON - timedelta(days=number)
        desk.hold(a_reaction_to(number, date=instant(given_at + timedelta(**after))))
    desk.hold(a_reaction_to(5, date="2026-02-27"))
    changes = await rates_told(Call({"resourceType": "Parameters", "parameter": []}), desk)
    assert changes.answer is not None
    [group, whole] = [one["part"] for one in changes.answer["parameter"] if one["name"] == "group"]
    for parts in (group, whole):
        timed = [one["part"] for one in parts if one["name"] == "timed"]
        assert [(code["valueCode"], count["valueInteger"]) for code, count in timed] == [
            ("acute", 1), ("late", 2), ("very-late", 1), ("unknown", 1),
        ]  # fmt: skip
    [agent] = [one["valueCodeableConcept"] for one in group if one["name"] == "agent"]
    assert agent["text"] == "碘海醇 / iohexol"
    bounds = [one["part"] for one in changes.answer["parameter"] if one["name"] == "bound"]
    assert [(one[0]["valueCode"], [p["valueDuration"]["value"] for p in one if p["name"] == "until"]) for one in bounds] == [
        ("acute", [60]), ("late", [168]), ("very-late", []),
    ]  # fmt: skip
    assert "ESUR 10" in bounds[0][-1]["valueString"]


def test_a_reaction_to_two_injections_is_timed_once_by_the_one_it_followed_soonest() -> None:
    def timed(given: datetime | None, began: datetime | None) -> tuple[str, timedelta] | None:
        return between(given, began, limits_of(a_department()))

    every = [Given("a/1", "p/1", at=A_NOON - timedelta(hours=3)), Given("a/2", "p/1", at=A_NOON - timedelta(minutes=5))]
    after = [
        Reacted("e/1", ("a/1", "a/2"), "allergic-like", "mild", A_NOON),
        Reacted("e/2", ("a/2",), "extravasation", "mild", A_NOON),
    ]
    [_, whole] = rates(every, after, "agent", timed=timed)
    assert whole.by_timing == {"acute": 1}
    assert rates(every, after, "agent", "severe", timed=timed)[-1].by_timing == {}


async def test_the_period_is_that_of_the_giving() -> None:
    desk = a_ward(30)
    desk.hold(a_reaction_to(20, date=instant(A_NOON)))
    last = await told(
        desk, period={"valuePeriod": {"start": instant(A_NOON - timedelta(days=10)), "end": instant(A_NOON)}}
    )
    assert (last["all"]["given"], last["all"]["reacted"]) == (11, 0)
    before = {"start": instant(A_NOON - timedelta(days=25)), "end": instant(A_NOON - timedelta(days=15))}
    assert (await told(desk, period={"valuePeriod": before}))["all"]["reacted"] == 1


@pytest.mark.parametrize(
    "given",
    [
        {"by": {"valueCode": "moon"}},
        {"severity": {"valueCode": "awful"}},
        {"period": {"valuePeriod": {"start": "2026-02-01", "end": "2026-01-01"}}},
        {"period": {"valuePeriod": {"start": "2027-01-01"}}},
        {"period": {"valuePeriod": {"start": "2026"}}},
        {"period": {"valuePeriod": {"start": "2001-01-01", "end": "2026-01-01"}}},
    ],
)
async def test_what_cannot_be_counted_is_refused_at_its_place(given: dict[str, Any]) -> None:
    with pytest.raises(FhirError) as refused:
        await told(a_department(), **given)
    assert (refused.value.status, refused.value.issues[0].at) == (422, "Parameters.parameter[0]")
