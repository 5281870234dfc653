"""The ladder: who is rung next and when, as a table of cases and as properties of every history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring_critical.ladders.choosing import default_ladder
from slipring_critical.ladders.ladder import ALL, ANY, Ladder, Rung, Taken, ladder_of, next_step, nobody_reached

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LEVEL_1 = default_ladder("1", with_fallback=False)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def taken(number: int, at: float, *, reached: bool = True, climb: int = 1) -> Taken:
    return Taken(climb, number, minutes(at), reached)


@pytest.mark.parametrize(
    ("history", "now", "expected"),
    [
        pytest.param([], 0, (1, 1, 0), id="the first step rings at once"),
        pytest.param([taken(1, 0)], 0, (1, 2, 3), id="three minutes to answer the first"),
        pytest.param([taken(1, 0)], 3, (1, 2, 3), id="due on the minute"),
        pytest.param([taken(1, 0)], 9, (1, 2, 9), id="late after an outage: now, not in the past"),
        pytest.param([taken(1, 0), taken(2, 3)], 3, (1, 3, 6), id="the department head at six minutes"),
        pytest.param([taken(1, 0), taken(2, 3), taken(3, 6)], 6, (1, 4, 10), id="medical affairs at ten"),
        pytest.param([taken(4, 10)], 10, (2, 1, 15), id="then again from the first step"),
        pytest.param([taken(1, 0, reached=False)], 0, (1, 2, 0), id="nobody on the step: the next at once"),
        pytest.param([taken(4, 0, reached=False)], 0, (2, 1, 5), id="a new round keeps its distance even so"),
    ],
)
def test_the_next_step_follows_from_the_history(
    history: list[Taken], now: float, expected: tuple[int, int, float]
) -> None:
    step = next_step(LEVEL_1, history, minutes(now))

    assert (step.round, step.number, step.starts_at) == (expected[0], expected[1], minutes(expected[2]))


def test_the_default_level_one_ladder_rings_the_requester_and_the_ward_first() -> None:
    assert [rung.who for rung in LEVEL_1.rungs] == [
        ("requester", "ward"),
        ("requester", "ward", "ward-duty"),
        ("department-head",),
        ("medical-affairs",),
    ]
    assert LEVEL_1.act_within == timedelta(minutes=60)
    assert LEVEL_1.confidence == "U"


def test_the_fallback_route_is_the_last_step() -> None:
    assert default_ladder("1", with_fallback=True).rungs[-1].who == ("fallback",)


def test_an_unknown_level_rings_like_level_one() -> None:
    assert default_ladder("9", with_fallback=False).level == "1"


def test_a_less_urgent_level_waits_longer() -> None:
    waits = [default_ladder(level, with_fallback=False).rungs[0].answer_within for level in ("1", "2", "3")]

    assert waits == sorted(waits)
    assert len(set(waits)) == 3


def test_a_snapshot_holds_the_whole_policy() -> None:
    assert ladder_of(LEVEL_1.snapshot()) == LEVEL_1


@pytest.mark.parametrize(
    "rungs", [(), (Rung((), ("webhook",), timedelta(minutes=1)),), (Rung(("ward",), ("webhook",), timedelta(0)),)]
)
def test_a_ladder_that_would_be_silent_cannot_be_made(rungs: tuple[Rung, ...]) -> None:
    with pytest.raises(ValueError, match="every ladder has steps"):
        Ladder("1", "x", "U", rungs, timedelta(minutes=60))


def test_a_whole_round_without_a_route_makes_the_case_unreachable() -> None:
    silent = [taken(number, 0, reached=False) for number in (1, 2, 3, 4)]

    assert nobody_reached(LEVEL_1, silent)
    assert not nobody_reached(LEVEL_1, silent[:3])
    assert not nobody_reached(LEVEL_1, [*silent[:3], taken(4, 0)])


RUNGS = st.builds(
    lambda who, wait, reach: Rung(tuple(who), ("webhook",), timedelta(minutes=wait), reach),
    st.lists(st.sampled_from(["requester", "ward", "ward-duty"]), min_size=1, max_size=3, unique=True),
    st.integers(1, 30),
    st.sampled_from([ANY, ALL]),
)
LADDERS = st.builds(
    lambda rungs: Ladder("1", "x", "U", tuple(rungs), timedelta(minutes=60)), st.lists(RUNGS, min_size=1, max_size=6)
)
MISSING = st.sets(st.sampled_from(["requester", "ward", "ward-duty"]))
WALK = st.lists(st.tuples(st.booleans(), st.integers(0, 600)), min_size=1, max_size=40)


@given(LADDERS, WALK)
def test_every_walk_climbs_without_a_gap_and_always_has_a_next_step(
    policy: Ladder, walk: list[tuple[bool, int]]
) -> None:
    """No step is skipped, none comes early, the ladder never goes down and never ends."""
    history: list[Taken] = []
    now = NOON
    for reached, late_seconds in walk:
        step = next_step(policy, history, now)
        assert step.starts_at >= now
        if history:
            last = history[-1]
            follows = (last.round, last.number + 1) if last.number < len(policy.rungs) else (last.round + 1, 1)
            assert (step.round, step.number) == follows
            wait = policy.rungs[last.number - 1].answer_within
            if last.reached or last.number == len(policy.rungs):
                assert step.starts_at >= last.at + wait
            else:
                assert step.starts_at == max(now, last.at)
        now = step.starts_at + timedelta(seconds=late_seconds)
        history.append(Taken(step.round, step.number, now, reached))


@given(LADDERS, st.lists(MISSING, min_size=1, max_size=40))
def test_a_step_for_all_never_rings_later_than_the_same_step_for_any(policy: Ladder, walk: list[set[str]]) -> None:
    """Whoever is missing, `all` asks the next step no later; and it counts only when nobody of it is missing."""
    ended = {}
    for reach in (ANY, ALL):
        every = replace(policy, rungs=tuple(replace(rung, reach=reach) for rung in policy.rungs))
        history: list[Taken] = []
        now = NOON
        for gone in walk:
            step = next_step(every, history, now)
            missing = [who for who in step.rung.who if who in gone]
            reached = step.rung.reached_by(missing)
            assert reached == (not missing if reach == ALL else len(missing) < len(step.rung.who))
            now = step.starts_at
            history.append(Taken(step.round, step.number, now, reached, rang=len(missing) < len(step.rung.who)))
        ended[reach] = history
    pairs = list(zip(ended[ANY], ended[ALL], strict=True))
    assert all((one.round, one.number) == (other.round, other.number) for one, other in pairs)
    assert all(other.at <= one.at for one, other in pairs)
    # Whether nobody at all could be rung does not depend on how many a step asks for.
    assert nobody_reached(policy, ended[ANY]) == nobody_reached(policy, ended[ALL])


@given(LADDERS, st.integers(1, 20))
def test_a_ladder_that_reaches_nobody_keeps_a_steady_pace(policy: Ladder, rounds: int) -> None:
    """Each round waits the time of its last step, so that a department without a single route causes no storm."""
    history: list[Taken] = []
    now = NOON
    for _ in range(rounds * len(policy.rungs)):
        step = next_step(policy, history, now)
        now = step.starts_at
        history.append(Taken(step.round, step.number, now, False))
    assert now - NOON == (rounds - 1) * policy.rungs[-1].answer_within


def test_a_department_may_bring_its_own_ladders(tmp_path: Path) -> None:
    """The times are the department's policy; the shipped ones are an unconfirmed default."""
    own = tmp_path / "ladder.toml"
    own.write_text(
        'version = "own-1"\nconfidence = "S"\n[[ladder]]\nlevel = "1"\nact-within-minutes = 30\n'
        'step = [{ who = ["ward-duty"], channels = ["webhook"], answer-within-minutes = 0.5 }]\n'
    )
    ladder = default_ladder("1", with_fallback=False, file=str(own))
    assert (ladder.version, ladder.rungs[0].answer_within) == ("own-1", timedelta(seconds=30))
