"""The checker itself, on made-up histories: it finds what is wrong and believes what is right."""

from __future__ import annotations

import pytest

from tests.consistency.checker import FOREVER, Operation, faults, linearizable, settled, torn

FIRST = (1, "a")


def write(began: float, ended: float, value: str, version: int) -> Operation:
    return Operation("write", began, ended, value, version)


def read(began: float, ended: float, value: str | None, version: int) -> Operation:
    return Operation("read", began, ended, value, version)


def match(began: float, ended: float, value: str, expects: int, *, refused: bool = False) -> Operation:
    return Operation("match", began, ended, value, None if refused else expects + 1, expects, refused)


def test_a_plain_course_is_believed() -> None:
    operations = [write(0, 1, "b", 2), read(2, 3, "b", 2), match(4, 5, "c", 2), match(6, 7, "d", 2, refused=True)]
    assert faults("r", operations, {1: "a", 2: "b", 3: "c"}, FIRST) == []


def test_reads_that_overlap_a_write_may_see_either() -> None:
    assert linearizable([write(0, 10, "b", 2), read(1, 2, "a", 1), read(3, 4, "b", 2)], FIRST)


def test_a_read_that_goes_back_in_time_is_found() -> None:
    assert not linearizable([write(0, 10, "b", 2), read(1, 2, "b", 2), read(3, 4, "a", 1)], FIRST)


def test_a_stale_read_after_an_answered_write_is_found() -> None:
    assert not linearizable([write(0, 1, "b", 2), read(2, 3, "a", 1)], FIRST)


def test_a_lost_update_is_found() -> None:
    """Two matched writes from the same version both answered."""
    operations = [match(0, 5, "b", 1), match(0, 5, "c", 1)]
    assert any("was answered as" in fault for fault in faults("r", operations, {1: "a", 2: "c"}, FIRST))
    assert not linearizable(operations, FIRST)


def test_an_answered_version_that_is_not_there_is_found() -> None:
    assert faults("r", [write(0, 1, "b", 2)], {1: "a"}, FIRST) == ["r: version 2 was answered and is lost"]


def test_a_fork_is_found() -> None:
    """One version number with two texts."""
    assert faults("r", [write(0, 1, "b", 2), read(2, 3, "c", 2)], {1: "a", 2: "b"}, FIRST)


def test_a_gap_is_found() -> None:
    assert faults("r", [], {1: "a", 3: "b"}, FIRST)


def test_a_match_that_was_refused_although_it_held_is_found() -> None:
    assert not linearizable([match(0, 1, "b", 1, refused=True)], FIRST)


def test_an_answered_deletion_that_others_do_not_see_is_found() -> None:
    gone = Operation("delete", 0, 1, None, 2)
    assert not linearizable([gone, read(2, 3, "a", 1)], FIRST)
    assert linearizable([gone, Operation("read", 2, 3, None, None), write(4, 5, "b", 3)], FIRST)


@pytest.mark.parametrize(("history", "happened"), [({1: "a"}, False), ({1: "a", 2: "b"}, True)])
def test_a_write_without_an_answer_may_have_happened_or_not(history: dict[int, str | None], *, happened: bool) -> None:
    unknown = Operation("write", 0, FOREVER, "b", None, known=False)
    late = read(8, 9, "b", 2) if happened else read(8, 9, "a", 1)
    assert len(settled([unknown], history)) == int(happened)
    assert faults("r", [unknown, late], history, FIRST) == []


def test_a_write_without_an_answer_does_not_happen_before_it_was_asked() -> None:
    unknown = Operation("write", 5, FOREVER, "b", None, known=False)
    assert faults("r", [unknown, read(1, 2, "b", 2)], {1: "a", 2: "b"}, FIRST)


def test_a_deletion_without_an_answer_explains_what_others_saw_but_only_if_it_is_there() -> None:
    unknown = Operation("delete", 0, FOREVER, known=False)
    after = [Operation("read", 3, 4), write(5, 6, "b", 3)]
    assert faults("r", [unknown, *after], {1: "a", 2: None, 3: "b"}, FIRST) == []
    assert faults("r", [unknown, read(3, 4, "a", 1)], {1: "a"}, FIRST) == []
    assert faults("r", [unknown, Operation("read", 3, 4)], {1: "a"}, FIRST)


def test_a_torn_transaction_is_found() -> None:
    histories = {"one": {1: "a", 2: "t"}, "two": {1: "a"}}
    assert torn({"t": ["one", "two"]}, histories)
    assert not torn({"t": ["one"], "never": ["one", "two"]}, histories)


def test_many_overlapping_reads_and_lost_deletions_are_judged_at_once() -> None:
    """The search must not double with every operation that is open at the same time: no test would end."""
    reads = [read(0, 1000, "b" if n % 2 else "a", 2 if n % 2 else 1) for n in range(300)]
    lost = [Operation("delete", n, FOREVER, known=False) for n in range(200)]
    refused = [match(0, 1000, "x", 7, refused=True) for _ in range(200)]
    operations = [*reads, *lost, *refused, write(400, 900, "b", 2)]
    assert linearizable(operations, FIRST, {1: "a", 2: "b"})
    assert not linearizable([*operations, read(1001, 1002, "a", 1)], FIRST, {1: "a", 2: "b"})
