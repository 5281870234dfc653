"""The operations on the life of a request, as the service declares them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.downtime_kit import kit_made
from slipring_order.handlers.emergencies import emergency_use, what_is_overdue
from slipring_order.handlers.wrong_exams import stopped, wrongs

LIFE_OPERATIONS = (
    Operation(
        "Task",
        "downtime-kit",
        kit_made,
        level="type",
        title="Reserve imaging numbers, and print forms and worklist for a time without the system",
        tells=("Task", "Patient", "ServiceRequest"),
        parameters=(
            Parameter("count", "integer", documentation="how many forms, each with a reserved number: 1 to 100; 20"),
            Parameter("scanner", "Reference", documentation="its worklist and its name on the forms; absent: all"),
            Parameter("kit", "Attachment", use="out", min=1, documentation="one self-contained HTML page"),
            Parameter("return", "Task", use="out", min=1, documentation="the reservation, with its numbers"),
        ),
    ),
    Operation(
        "Task",
        "stop-wrong",
        stopped,
        title="Stop an exam on the wrong part or the wrong patient",
        parameters=(
            Parameter("reason", "CodeableConcept", min=1, documentation=" | ".join(wrongs())),
            Parameter("note", "string"),
            Parameter("performer", "Reference", documentation="who stops it, when the caller is no person"),
            Parameter("return", "Task", use="out", min=1, documentation="the exam, back where it is safe"),
        ),
    ),
    Operation(
        "Task",
        "overdue",
        what_is_overdue,
        level="type",
        title="List what waits past its time, the longest overdue first",
        tells=("Task",),
        affects_state=False,
        parameters=(
            Parameter(
                "item",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("what", "code", use="out", min=1),
                    Parameter("exam", "Reference", use="out", min=1),
                    Parameter("task", "Reference", use="out", min=1),
                    Parameter("dueAt", "instant", use="out", min=1),
                    Parameter("minutes", "integer", use="out", min=1, documentation="overdue by so many minutes"),
                    Parameter("zh", "string", use="out", min=1),
                    Parameter("en", "string", use="out", min=1),
                ),
            ),
        ),
    ),
    Operation(
        "Task",
        "emergency-use",
        emergency_use,
        level="type",
        title="Count stat requests, emergency passes and late answers per requester",
        tells=("Task", "ServiceRequest"),
        affects_state=False,
        parameters=(
            Parameter("period", "Period", documentation="absent: the last 30 days; at most a year"),
            Parameter(
                "use",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("requester", "Reference", use="out"),
                    Parameter("requests", "integer", use="out", min=1),
                    Parameter("stat", "integer", use="out", min=1),
                    Parameter("passes", "integer", use="out", min=1),
                    Parameter("answeredLate", "integer", use="out", min=1),
                    Parameter("open", "integer", use="out", min=1),
                ),
            ),
        ),
    ),
)
