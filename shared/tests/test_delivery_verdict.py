"""What an answer means, which events go next and how long a lane waits: the laws, for all queues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.delivery.clockwatch import ClockWatch, Reading
from slipring.fhir.delivery.sending import Answer
from slipring.fhir.delivery.verdict import Event, next_batch, next_heads, verdict, wait_seconds
from slipring.runtime.coming_again import retry_after

queues = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30).map(
    lambda rows: [{"number": n, "key": key, "attempts": tried} for n, (key, tried) in enumerate(rows, 1)]
)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_counts(status: int) -> None:
    assert verdict(Answer(status), internal=False) == verdict(Answer(status), internal=True) == "delivered"


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refusal_for_its_content_is_parked_but_never_one_of_our_own_services(status: int) -> None:
    assert verdict(Answer(status), internal=False) == "parked"
    assert verdict(Answer(status), internal=True) == "failed"


@pytest.mark.parametrize("status", [0, 301, 401, 403, 404, 410, 429, 500, 503])
def test_everything_else_says_that_the_endpoint_is_in_error(status: int) -> None:
    assert verdict(Answer(status), internal=False) == "failed"


@given(queues, st.integers(1, 10), st.integers(0, 30))
def test_a_batch_is_the_beginning_of_the_queue_and_never_mixes_what_was_tried_with_what_was_not(
    queue: list[Event], most: int, alone_until: int
) -> None:
    batch = next_batch(queue, most, alone_until)
    assert batch == queue[: len(batch)]
    assert 1 <= len(batch) <= most
    assert len({event["attempts"] > 0 for event in batch}) == 1
    if batch[0]["number"] <= alone_until:
        assert len(batch) == 1


@given(queues, st.integers(1, 10))
def test_heads_are_the_first_of_their_resource_and_what_failed_often_lets_others_go_first(
    queue: list[Event], room: int
) -> None:
    heads = next_heads(queue, room)
    first = {event["key"]: event for event in reversed(queue)}
    assert len(heads) == min(room, len(first))
    assert all(first[event["key"]] is event for event in heads)
    left = [event for event in first.values() if event not in heads]
    assert all(one["attempts"] // 3 <= other["attempts"] // 3 for one in heads for other in left)


@given(st.integers(1, 100), st.integers(), st.none() | st.floats(0, 1e6), st.booleans())
def test_a_wait_is_scattered_bounded_and_follows_the_endpoint_within_bounds(
    failures: int, seed: int, asked: float | None, internal: bool
) -> None:
    wait = wait_seconds(failures, Random(seed), asked=asked, internal=internal)
    assert 0.25 <= wait <= (2 if internal else 300)
    if asked is None:
        assert wait <= min(60, 0.5 * 2 ** (failures - 1))
    elif not internal:
        assert wait >= min(asked, 300)


def test_retry_after_is_read_as_seconds_or_as_a_date_and_ignored_otherwise() -> None:
    now = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
    assert retry_after("120", now.timestamp()) == 120
    assert retry_after("Thu, 26 Nov 2026 03:01:00 GMT", now.timestamp()) == 60
    assert retry_after("Thu, 26 Nov 2020 03:01:00 GMT", now.timestamp()) == 0
    assert retry_after("soon", now) is None
    assert retry_after("", now) is None


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(0.01, 100))
def test_a_jump_of_either_clock_is_told_with_its_size_and_even_running_is_none(
    wall: float, database: float, passed: float
) -> None:
    begun = datetime(2026, 11, 26, tzinfo=UTC)
    watch = ClockWatch()
    assert watch.look(Reading(100, begun, begun)) == []
    found = watch.look(
        Reading(
            100 + passed,
            begun + timedelta(seconds=passed + wall),
            begun + timedelta(seconds=passed + database),
        )
    )
    expected = {clock: by for clock, by in (("wall", wall), ("database", database)) if abs(by) > 2.001}
    assert {jump.clock: jump.seconds for jump in found if abs(jump.seconds) > 2.001} == pytest.approx(
        expected, abs=1e-3
    )


def test_a_database_that_answers_slowly_has_not_jumped() -> None:
    begun = datetime(2026, 11, 26, tzinfo=UTC)
    watch = ClockWatch()
    watch.look(Reading(0, begun, begun))
    slow = Reading(10, begun + timedelta(seconds=10), begun + timedelta(seconds=4), took=6)
    assert watch.look(slow) == []
