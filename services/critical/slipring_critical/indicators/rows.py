"""What indicators count of a case: by when it had to be told, and how long it took. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, tzinfo

from slipring.fhir.search.moment import counts as days_count
from slipring.fhir.service import Resource
from slipring.measuring.serving import Indicators
from slipring.qc.indicators.row import Counted, counted

from slipring_critical.cases.facts import facts_told, is_case
from slipring_critical.cases.marks import is_drill
from slipring_critical.indicators.counting import figures, recognised_at, told_at

FORM = "critical-1"
INDICATORS = Indicators("critical", "k", tells=("Task",))
_MINUTE = timedelta(minutes=1)


def counts(resource: Resource, zone: tzinfo) -> Sequence[Counted]:
    """A case counts when its time to be told is over; drills, and imported cases that cannot be read, count nowhere."""
    if resource["resourceType"] != "Task" or not is_case(resource) or is_drill(resource):
        return ()
    case = facts_told(resource)
    if case is None or not case.events or not days_count(recognised_at(case)):
        return ()
    began, told = recognised_at(case), told_at(case)
    marks = [
        "told" if told else "",
        "retracted" if case.state == "retracted" else "",
        "escalated" if len(case.history) > 1 else "",
    ]
    over = began + timedelta(minutes=figures()["told-in-time"]["minutes"])
    return [counted("critical-case", case.reference, over, marks, value=(told - began) / _MINUTE if told else None)]
