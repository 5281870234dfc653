"""The assessor's sample fills the quotas of Annex A from whatever was done, and says what it cannot fill."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call
from slipring_order.catalogue import SYSTEMS, own_codes
from slipring_order.clauses.answering import DRAWING
from slipring_order.clauses.sample import Case, draw, quotas
from slipring_order.settings import OrderSettings

from tests.support.desk import A_NOON, ADesk

_PARTS = ("head", "chest", "abdomen", "knee")


def cases(kind: str, count: int, parts: tuple[str, ...] = _PARTS) -> list[Case]:
    return [
        Case(f"Task/{kind}-{n}", f"ServiceRequest/{n}", kind, parts[n % len(parts)], (SYSTEMS[n % 6],))
        for n in range(count)
    ]


@pytest.mark.clause("A.1")
@pytest.mark.clause("A.2")
def test_the_quotas_are_filled_over_all_systems_and_the_same_seed_draws_the_same() -> None:
    pool = [*cases("plain", 400), *cases("enhanced", 90)]
    drawn = draw(pool, "2026-Q3")
    assert drawn.lacking == ()
    plain = [one for one in drawn.cases if one.kind == "plain"]
    assert (len(plain), len(drawn.cases)) == (25, 35)
    assert draw(list(reversed(pool)), "2026-Q3") == drawn
    assert draw(pool, "another").cases != drawn.cases


def test_a_rare_part_and_a_rare_system_are_not_drowned() -> None:
    common = [Case(f"Task/{n}", "x", "plain", "head", ("B1",)) for n in range(500)]
    rare = [
        Case(f"Task/r{n}", "x", "plain", part, (f"B{n + 2}",))
        for n, part in enumerate(("knee", "chest", "neck", "liver", "spine"))
    ]
    drawn = draw([*common, *rare], "x")
    assert {one.part for one in drawn.cases} == {"head", "knee", "chest", "neck", "liver", "spine"}


def test_what_cannot_be_filled_is_told() -> None:
    drawn = draw([*cases("plain", 24, ("head", "chest")), *cases("enhanced", 10)], "x")
    assert [one.en for one in drawn.lacking] == ["plain: 24 of 25 cases", "plain: 2 of 3 parts"]


@given(some.integers(0, 60), some.integers(0, 30), some.text(max_size=5))
def test_no_case_is_drawn_twice_nor_more_than_the_quota(plain: int, enhanced: int, seed: str) -> None:
    drawn = draw([*cases("plain", plain), *cases("enhanced", enhanced)], seed).cases
    assert len({one.task for one in drawn}) == len(drawn)
    for kind, has in (("plain", plain), ("enhanced", enhanced)):
        assert sum(one.kind == kind for one in drawn) == min(has, quotas()[kind]["cases"])


def _numbers() -> list[tuple[str, str]]:
    """Performed exams by the codes of the catalogue: 40 plain ones, 12 enhanced ones, and one that nobody knows."""
    plain = [code for code, exam in own_codes().items() if exam.contrast is False]
    enhanced = [code for code, exam in own_codes().items() if exam.contrast]
    known = [(f"p{n}", plain[n % len(plain)]) for n in range(40)]
    return [*known, *((f"e{n}", enhanced[n % len(enhanced)]) for n in range(12)), ("u", "?")]


async def _drawn(seed: str) -> list[dict[str, Any]]:
    exams = [
        {
            "resourceType": "Task",
            "id": name,
            "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "exam"}]},
            "businessStatus": {"coding": [{"code": "reported"}]},
            "executionPeriod": {"start": A_NOON.isoformat()},
            "focus": {"reference": f"ServiceRequest/{name}"},
        }
        for name, _ in _numbers()
    ]
    requests = [
        {"resourceType": "ServiceRequest", "id": name, "code": {"coding": [{"code": code}]}}
        for name, code in _numbers()
    ]
    desk = ADesk(holding=[*exams, *requests], settings=OrderSettings())
    given = {"resourceType": "Parameters", "parameter": [{"name": "seed", "valueString": seed}]}
    changes = await DRAWING.drawn(Call(given), desk)
    assert changes.answer is not None and not changes.save
    return list(changes.answer["parameter"])


@pytest.mark.clause("A.1")
async def test_a_draw_can_be_drawn_again_and_names_no_patient() -> None:
    first, again, other = await _drawn("2026-A"), await _drawn("2026-A"), await _drawn("2026-B")
    assert first == again
    drawn = [one for one in first if one["name"] == "case"]
    assert len(drawn) == 35
    told = {one["name"]: next(v for n, v in one.items() if n != "name") for one in first if "part" not in one}
    assert told["population"] == 52, "what the catalogue does not know is not drawn"
    assert told["sha256"] == next(one["valueString"] for one in other if one["name"] == "sha256"), (
        "of the list, not the draw"
    )
    assert [one for one in other if one["name"] == "case"] != [one for one in first if one["name"] == "case"]
    assert "Patient/" not in str(first)


async def test_a_seed_is_asked_for() -> None:
    with pytest.raises(FhirError) as refused:
        await _drawn(" ")
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "order.sample-seed")
