"""The assessor's sample fills the quotas of Annex A from whatever was done, and says what it cannot fill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from slipring_order.catalogue import SYSTEMS
from slipring_order.clauses.sample import Case, draw, quotas

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
