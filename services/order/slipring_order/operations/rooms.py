"""The operations of a day in the rooms: schedule, receive, check, start, finish."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.check_list import checked
from slipring_order.handlers.day_views import arrivals, free, queue, whole_day
from slipring_order.handlers.performing import finished, started
from slipring_order.handlers.reception import arrived
from slipring_order.handlers.scanner_tests import asked_fitness
from slipring_order.handlers.scheduling import scheduled, unscheduled
from slipring_order.rooms.checks import ITEMS

_WHO = Parameter("performer", "Reference", documentation="who does it, when the caller is no person")
_SHOWN = (
    Parameter("identifier", "Identifier", max="*", documentation="what the patient shows, as scanned or typed"),
    Parameter("name", "string", documentation="the name he says"),
    Parameter("birthDate", "date", documentation="the birth date he says"),
    Parameter("unidentified", "boolean", documentation="nobody knows yet who this is (a patient tagged so)"),
)
_ATTENDED = (
    Parameter("attendant", "Reference", documentation="the clinician who stays with a critical patient"),
    Parameter("critical", "boolean", documentation="a critical patient, as whoever receives him sees it"),
)
_WHEN = (
    Parameter("occurred", "instant", documentation="when it happened, where it is entered later; now when absent"),
    Parameter("lateReason", "string", documentation="why it is entered late (limit rooms.late-entry)"),
)
_DAY = Parameter("day", "date", documentation="today when absent, in the department's time zone")
_EXAM = Parameter("return", "Task", use="out", min=1, documentation="the exam")

ROOM_OPERATIONS = (
    Operation(
        "Task",
        "schedule",
        scheduled,
        title="Give an exam its time on a scanner, or another one",
        parameters=(
            Parameter("scanner", "Reference", documentation="absent: the scanner that is free first"),
            Parameter("period", "Period", documentation="absent: the next free slot; without end: one slot"),
            Parameter("protocol", "Reference", documentation="absent: the one approved for exam, age and scanner"),
            Parameter("protocolCode", "CodeableConcept", documentation="or its code"),
            Parameter("return", "Task", use="out", min=1, documentation="the exam"),
            Parameter("step", "Task", use="out", min=1, documentation="the scheduled step"),
            Parameter("appointment", "Appointment", use="out", min=1),
            Parameter("bumped", "Reference", use="out", max="*", documentation="whose time a stat exam takes"),
            Parameter("issue", "DetectedIssue", use="out", max="*", documentation="what is to be said of the protocol"),
        ),
    ),
    Operation(
        "Task",
        "unschedule",
        unscheduled,
        title="Give an exam's time back",
        parameters=(Parameter("return", "Task", use="out", min=1),),
    ),
    Operation(
        "Task",
        "arrive",
        arrived,
        title="Receive a patient for an exam: two identifiers of different kinds",
        parameters=(
            *_SHOWN,
            *_ATTENDED,
            Parameter("note", "string"),
            *_WHEN,
            _WHO,
            _EXAM,
            Parameter(
                "issue", "DetectedIssue", use="out", max="*", documentation="somebody of the same name is expected"
            ),
        ),
    ),
    Operation(
        "Task",
        "check",
        checked,
        title="Confirm items of the check list of an exam",
        parameters=(
            Parameter("item", "code", min=1, max="*", documentation=" | ".join(ITEMS)),
            *_SHOWN,
            *_ATTENDED,
            Parameter("pregnancy", "code", documentation="pregnant | not-pregnant | unknown, with pregnancy-asked"),
            Parameter("note", "string"),
            _WHO,
            _EXAM,
        ),
    ),
    Operation("Task", "start", started, title="Begin the scan", parameters=(*_WHEN, _WHO, _EXAM)),
    Operation(
        "Task",
        "finish",
        finished,
        title="End the scan",
        parameters=(
            Parameter("outcome", "code", documentation="acquired (when absent) | discontinued"),
            Parameter("reason", "CodeableConcept", documentation="why it was broken off"),
            Parameter("note", "string"),
            *_WHEN,
            _WHO,
            _EXAM,
        ),
    ),
    Operation(
        "Device",
        "slots",
        free,
        title="The free slots of a scanner on a day",
        tells=("Appointment",),
        affects_state=False,
        parameters=(_DAY, Parameter("slot", "Period", use="out", max="*")),
    ),
    Operation(
        "Device",
        "day",
        whole_day,
        title="The day of a scanner: what is free, booked and blocked",
        tells=("Appointment", "Task"),
        affects_state=False,
        parameters=(
            _DAY,
            Parameter(
                "entry",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("period", "Period", use="out", min=1),
                    Parameter("state", "code", use="out", min=1, documentation="free | booked | blocked"),
                    Parameter("appointment", "Reference", use="out"),
                    Parameter("exam", "Reference", use="out"),
                ),
            ),
        ),
    ),
    Operation(
        "Task",
        "queue",
        queue,
        level="type",
        title="The patients who are here, in the order in which they are scanned",
        tells=("Task",),
        affects_state=False,
        parameters=(
            Parameter("scanner", "Reference", documentation="and who has no time yet; all when absent"),
            Parameter(
                "entry",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("number", "integer", use="out", min=1),
                    Parameter("exam", "Reference", use="out", min=1),
                    Parameter("priority", "code", use="out", min=1),
                    Parameter("arrived", "instant", use="out", min=1),
                    Parameter("waited", "integer", use="out", min=1, documentation="minutes since then"),
                    Parameter("bumpedBy", "integer", use="out", min=1, documentation="who came later and goes first"),
                    Parameter("scanner", "Reference", use="out"),
                ),
            ),
        ),
    ),
    Operation(
        "Task",
        "arrivals",
        arrivals,
        level="type",
        title="The arrival register of a day",
        tells=("Task", "Patient", "Provenance"),
        affects_state=False,
        parameters=(
            _DAY,
            Parameter(
                "entry",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("exam", "Reference", use="out", min=1),
                    Parameter("arrived", "instant", use="out", min=1),
                    Parameter("receivedBy", "Reference", use="out", min=1),
                    Parameter("kind", "string", use="out", max="*", documentation="kind of identifier that agreed"),
                    Parameter("patient", "Reference", use="out"),
                    Parameter("imagingNumber", "string", use="out"),
                ),
            ),
        ),
    ),
    Operation(
        "Device",
        "fitness",
        asked_fitness,
        title="Whether a scanner may scan now, and which test is due when",
        tells=("Observation",),
        affects_state=False,
        parameters=(
            Parameter("fit", "boolean", use="out", min=1),
            Parameter(
                "issue", "DetectedIssue", use="out", max="*", documentation="severity high takes it off the worklist"
            ),
            Parameter(
                "test",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("test", "code", use="out", min=1),
                    Parameter("result", "Reference", use="out", documentation="the newest Observation"),
                    Parameter("passes", "boolean", use="out"),
                    Parameter("lastPass", "instant", use="out"),
                    Parameter("due", "date", use="out"),
                ),
            ),
        ),
    ),
)
