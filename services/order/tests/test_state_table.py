"""The table of states is that of the department's workflow, row by row: which moves, who may, under which clause."""

from __future__ import annotations

import re

import pytest
from slipring.rules.lifecycle import IllegalMove, moves
from slipring_order import lifecycle
from slipring_order.handlers.aborts import TABLE as ABORT
from slipring_order.lifecycle import BEFORE_THE_SCAN, TRANSITIONS

# The workflow of a request, as the department's design says it: state -> who may move it -> to which states.
WORKFLOW = {
    "received": {"rules": {"awaiting-information", "awaiting-justification", "justified", "rejected"}},
    "justified": {"anyone": {"scheduled", "arrived"}},
    "scheduled": {"anyone": {"arrived"}},
    "arrived": {"anyone": {"ready"}},
    "ready": {"anyone": {"in-progress", "discontinued"}},
    "in-progress": {"anyone": {"acquired", "discontinued"}},
    "acquired": {"service": {"reported"}},
    "reported": {"service": {"closed"}},
    "awaiting-information": {"decision": {"justified", "rejected"}},
    "awaiting-justification": {"decision": {"justified", "rejected", "awaiting-information"}},
    "rejected": {"decision": {"justified", "awaiting-information"}},
}
TAKEN_BACK = {"cancel", "unschedule"}
ENDS = {"closed", "cancelled", "discontinued"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(("state", "who"), [(state, who) for state, by in WORKFLOW.items() for who in by])
def test_the_moves_of_a_state_are_those_of_the_workflow(state: str, who: str) -> None:
    made = {line.next for line in moves(TRANSITIONS, state) if line.by == who and line.event not in TAKEN_BACK}
    assert made == WORKFLOW[state][who]


def test_every_state_before_the_scan_may_be_cancelled_and_no_later_one() -> None:
    cancelling = {line.state for line in TRANSITIONS if line.next == "cancelled"}
    assert cancelling == BEFORE_THE_SCAN == set(lifecycle.states()) - ENDS - {"in-progress", "acquired", "reported"}


def test_what_was_booked_may_be_taken_out_of_the_day_until_the_scan_begins() -> None:
    back = {(line.state, line.next) for line in TRANSITIONS if line.event == "unschedule"}
    assert back == {(state, "justified") for state in ("scheduled", "arrived", "ready")}


def test_nothing_leads_out_of_an_end_and_everything_leads_into_one() -> None:
    assert {line.state for line in TRANSITIONS if line.by not in {"late", "scanner"}} == set(lifecycle.states()) - ENDS
    assert {line.next for line in TRANSITIONS} == set(lifecycle.states()) - {"received"}


def test_before_the_scan_the_rules_may_come_to_another_outcome_and_afterwards_never() -> None:
    outcomes = WORKFLOW["received"]["rules"]
    for state in lifecycle.states():
        found = {line.next for line in moves(TRANSITIONS, state) if line.by == "rules"}
        assert found == (outcomes if state in BEFORE_THE_SCAN else set())


def test_only_what_already_happened_is_recorded_past_the_table_of_permissions() -> None:
    late = {(line.state, line.next) for line in TRANSITIONS if line.by == "late"}
    assert late == {(state, end) for state in (*BEFORE_THE_SCAN, "cancelled") for end in ("acquired", "discontinued")}


def test_a_scanner_that_began_is_believed_whatever_stood() -> None:
    for state in (*BEFORE_THE_SCAN, "cancelled"):
        began = lifecycle.reported(state, "in-progress")
        assert began is not None
        assert (began.by == "anyone") == (state == "ready"), "only what was ready had permission"
    for over in ("acquired", "discontinued", "reported", "closed"):
        assert lifecycle.reported(over, "in-progress") is None


def test_a_wrong_exam_is_stopped_to_where_identity_and_examination_are_confirmed_anew() -> None:
    stops = {(line.state, line.next) for line in TRANSITIONS if line.by == "stop"}
    assert stops == {(state, safe) for state in ("in-progress", "acquired") for safe in ("arrived", "justified")}


@pytest.mark.parametrize("table", [TRANSITIONS, ABORT])
def test_every_row_names_its_clause_and_who_may_make_it(table: lifecycle.Table) -> None:
    for line in table:
        assert re.fullmatch(r"CL02(-A011)?:[0-9.]+( [a-z])?", line.clause), line
        assert line.by in {"rules", "decision", "anyone", "service", "late", "scanner", "stop", "placer", "department"}
        assert line.state != line.next or line.by in {"rules", "department"}


def test_one_move_leads_from_a_state_to_another_for_each_who_may_make_it() -> None:
    pairs = [(line.state, line.next, line.by, line.event) for line in TRANSITIONS]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("state", sorted(lifecycle.states()))
def test_an_illegal_move_names_exactly_the_legal_ones(state: str) -> None:
    legal = [line for line in moves(TRANSITIONS, state) if line.by == "anyone"]
    for target in set(lifecycle.states()) - {line.next for line in legal}:
        with pytest.raises(IllegalMove) as refused:
            lifecycle.by_hand(state, target)
        assert list(refused.value.legal) == legal
