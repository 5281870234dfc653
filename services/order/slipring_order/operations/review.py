"""The operations that give figures of a period, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.figures import complaints_told, staffing_told

_PERIOD = (
    Parameter("periodStart", "date", min=1),
    Parameter("periodEnd", "date", min=1, documentation="the last day that counts; days to come do not"),
)
_ANSWER = (
    Parameter("report", "MeasureReport", use="out", min=1, documentation="each figure with verdict, reason and limit"),
    Parameter("issue", "DetectedIssue", use="out", max="*", documentation="what does not hold"),
)
REVIEW_OPERATIONS = (
    Operation(
        "Organization",
        "staffing",
        staffing_told,
        level="type",
        title="Tell whether the people fit the work of a period, by duty, title and person",
        tells=("Practitioner", "PractitionerRole", "Task", "Device"),
        affects_state=False,
        parameters=(*_PERIOD, *_ANSWER),
    ),
    Operation(
        "Task",
        "complaints",
        complaints_told,
        level="type",
        title="Tell how many complaints a period brought, how fast they were answered, and which are open",
        tells=("Task",),
        affects_state=False,
        parameters=(*_PERIOD, *_ANSWER),
    ),
)
