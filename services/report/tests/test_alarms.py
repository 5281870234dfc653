"""What `/health/engine` of the report service counts."""

from __future__ import annotations

from urllib.parse import parse_qsl

from slipring.fhir.search.criteria import parse
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import matches
from slipring_report.service import SERVICE
from slipring_report.vocabulary import HANDOVER_STATE, TASK_CODE


def test_an_overdue_hand_over_is_counted_and_a_taken_one_is_not() -> None:
    """A flag that critical has not taken over in time must be seen by whoever watches the engine (5.9.1)."""
    kind, _, query = SERVICE.alarms["handovers_overdue"].partition("?")
    criteria = parse(kind, parse_qsl(query))
    for state, counted in (("overdue", True), ("taken-over", False)):
        task = {
            "resourceType": "Task",
            "code": {"coding": [{"system": TASK_CODE, "code": "hand-over"}]},
            "businessStatus": {"coding": [{"system": HANDOVER_STATE, "code": state}]},
        }
        assert matches(criteria, rows(task), task) is counted
