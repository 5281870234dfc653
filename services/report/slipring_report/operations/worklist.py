"""The reading list, and who has a case in hand."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import claims, reading_list

_BY = Parameter("by", "Reference", documentation="who reads, when the token names no person")
_MINUTES = Parameter(
    "minutes", "integer", documentation="how long the claim stands; the department's time when left out"
)
_RETURN = Parameter("return", "Task", "out", 1, documentation="the reading as it stands")
_UNTIL = Parameter("until", "instant", "out", 1, documentation="when the claim ends unless it is renewed")

_ENTRY = (
    Parameter("task", "Task", "out", 1),
    Parameter("state", "code", "out", 1, documentation="unread | claimed | awaiting-images | reported | cancelled"),
    Parameter("clockState", "code", "out", 1, documentation="running | warned | breached | kept | stopped"),
    Parameter("dueAt", "instant", "out", 1),
    Parameter("since", "instant", "out", 1, documentation="when the clock began to run"),
    Parameter("minutesLeft", "integer", "out", 1, documentation="negative once it is overdue"),
    Parameter("clock", "code", "out", 1),
    Parameter("clockMinutes", "integer", "out", 1),
    Parameter("clockZh", "string", "out", 1, documentation="the figure in words"),
    Parameter("clockEn", "string", "out", 1),
    Parameter("clockSource", "string", "out", 1),
    Parameter("clockConfirmed", "boolean", "out", 1),
    Parameter("yearNotCovered", "integer", "out", 0, "*", "a year whose holidays the calendar does not know"),
    Parameter("holder", "Reference", "out", documentation="who has it in hand"),
    Parameter("leaseUntil", "instant", "out"),
    Parameter("request", "Reference", "out"),
)

WORKLIST_OPERATIONS = (
    Operation(
        "Task",
        "reading-list",
        reading_list.list_asked,
        level="type",
        title="List what waits to be read, the most urgent first",
        affects_state=False,
        tells=("Task",),
        parameters=(
            Parameter(
                "state", "code", max="*", documentation="of CodeSystem reading-state; the open ones when left out"
            ),
            Parameter("clockState", "code", max="*", documentation="of CodeSystem reporting-clock"),
            Parameter("owner", "Reference", documentation="only what this reader has in hand"),
            Parameter("priority", "code", documentation="only this priority"),
            Parameter("dueBefore", "dateTime"),
            Parameter("count", "integer", documentation="at most so many; 100 when left out"),
            Parameter("total", "integer", "out", 1, documentation="how many there are"),
            Parameter("asOf", "instant", "out", 1),
            Parameter("reading", "", "out", 0, "*", parts=_ENTRY),
        ),
    ),
    Operation(
        "Task",
        "claim",
        claims.reading_claimed,
        title="Take a case in hand",
        parameters=(
            _BY,
            _MINUTES,
            Parameter("reason", "string", documentation="why the case is taken over from whoever has it in hand"),
            _RETURN,
            _UNTIL,
        ),
    ),
    Operation(
        "Task",
        "renew",
        claims.claim_renewed,
        title="Keep a case in hand for longer",
        parameters=(_BY, _MINUTES, _RETURN, _UNTIL),
    ),
    Operation(
        "Task",
        "give-back",
        claims.case_given_back,
        title="Let go of a case",
        parameters=(_BY, Parameter("note", "string"), _RETURN),
    ),
)
