"""The reading list, and who has a case in hand."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import claims, priors, reading_list, turnaround

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

_EXAMINATION = (
    Parameter("request", "Reference", "out"),
    Parameter("when", "dateTime", "out"),
    Parameter(
        "study",
        "",
        "out",
        max="*",
        parts=(
            Parameter("reference", "Reference", "out", 1),
            Parameter("modality", "code", "out", 0, "*"),
            Parameter("description", "string", "out"),
            Parameter(
                "viewer", "uri", "out", documentation="opens the study; holds its Study Instance UID and no more"
            ),
        ),
    ),
    Parameter(
        "report",
        "",
        "out",
        max="*",
        parts=(
            Parameter("reference", "Reference", "out", 1),
            Parameter("status", "code", "out", 1),
            Parameter("imported", "boolean", "out", 1),
            Parameter("description", "string", "out"),
        ),
    ),
)

_GROUP = (
    Parameter("of", "string", "out", 1),
    Parameter("issued", "integer", "out", 1),
    Parameter("waiting", "integer", "out", 1, documentation="not issued and not late: in no share"),
    Parameter("inTime", "integer", "out", 1),
    Parameter("late", "integer", "out", 1, documentation="issued late, or not issued though due"),
    Parameter("medianMinutes", "decimal", "out"),
    Parameter("p90Minutes", "decimal", "out"),
    Parameter("share", "decimal", "out", documentation="in time among all that count; absent where nothing does"),
    Parameter("low", "decimal", "out", documentation="of the 95 % Wilson interval of the share"),
    Parameter("high", "decimal", "out"),
    Parameter("level", "decimal", "out"),
    Parameter(
        "band",
        "",
        "out",
        1,
        "*",
        "how those that were issued are spread over the time that their clock allows",
        parts=(
            Parameter("from", "decimal", "out", 1, documentation="above this part of the allowed time"),
            Parameter("to", "decimal", "out", documentation="up to this part of it; absent of the last band"),
            Parameter("count", "integer", "out", 1),
        ),
    ),
    Parameter(
        "definition",
        "",
        "out",
        0,
        "*",
        "what the clocks of these readings count",
        parts=(
            Parameter("zh", "string", "out", 1),
            Parameter("en", "string", "out", 1),
            Parameter("source", "string", "out", 1),
            Parameter("confirmed", "boolean", "out", 1),
        ),
    ),
    Parameter(
        "span",
        "",
        "out",
        0,
        "*",
        "each week or month, by when the clock began",
        parts=(
            Parameter("start", "date", "out", 1),
            Parameter("end", "date", "out", 1, documentation="the day after it"),
            Parameter("inTime", "integer", "out", 1),
            Parameter("late", "integer", "out", 1),
            Parameter("waiting", "integer", "out", 1),
            Parameter("share", "decimal", "out", documentation="absent where nothing counts"),
            Parameter("low", "decimal", "out"),
            Parameter("high", "decimal", "out"),
            Parameter("level", "decimal", "out"),
        ),
    ),
    Parameter("lateReading", "Reference", "out", 0, "*"),
)

WORKLIST_OPERATIONS = (
    Operation(
        "Task",
        "priors",
        priors.priors_asked,
        title="Tell what was examined before, with a link to the viewer for each study",
        affects_state=False,
        tells=("ImagingStudy", "DiagnosticReport"),
        parameters=(
            Parameter("current", "", "out", documentation="the exam to be read", parts=_EXAMINATION),
            Parameter("prior", "", "out", max="*", documentation="the newest first", parts=_EXAMINATION),
        ),
    ),
    Operation(
        "DiagnosticReport",
        "turnaround",
        turnaround.turnaround_asked,
        level="type",
        title="Tell how long reports took, and which were late",
        affects_state=False,
        tells=("Task",),
        parameters=(
            Parameter("period", "Period", documentation="by when the clock began; the last 30 days when left out"),
            Parameter("by", "code", documentation="priority (when left out) | clock | modality"),
            Parameter("per", "code", documentation="week | month: the same figures of each"),
            Parameter("period", "Period", "out", 1),
            Parameter("group", "", "out", 1, "*", "each group, and all at the end", parts=_GROUP),
            Parameter("report", "MeasureReport", "out", 1, documentation="the same figures, with their members"),
        ),
    ),
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
