"""What the directory is asked, and how a turn changes hands."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.handlers import asking, swapping
from slipring_critical.handlers.catalogue import catalogue_told
from slipring_critical.handlers.importing import calendar_imported

_HOURS = (
    Parameter("start", "instant", "out", 1),
    Parameter("end", "instant", "out", 1),
    Parameter("person", "Reference", "out", 0, "*"),
)
_GAP = Parameter(
    "gap", "", "out", 0, "*", "Some hours at which nobody would be rung, or by no verified route.",
    (*_HOURS, Parameter("reason", "code", "out", 1, documentation="nobody-on-call | no-route | not-verified")),
)  # fmt: skip
_ON_CALL = (
    Parameter("from", "dateTime", documentation="Now when left out."),
    Parameter("until", "dateTime", documentation="Seven days on when left out."),
    Parameter("office", "code", "out", 1, documentation="The target of ladders that it is for."),
    Parameter("turn", "", "out", 0, "*", "Some hours with the same people; without a person: nobody.", _HOURS),
    _GAP,
)
_IMPORT = (
    Parameter("text", "string", documentation="The calendar (RFC 5545) as text; or as file, or as binary."),
    Parameter("file", "base64Binary", documentation="The calendar in UTF-8."),
    Parameter("binary", "Binary", documentation="The calendar in UTF-8."),
    Parameter(
        "person", "", "in", 0, "*", "Who is meant by an address of ATTENDEE, or by words of SUMMARY.",
        (
            Parameter("named", "string", min=1),
            Parameter("is", "Reference", min=1, documentation="A Practitioner."),
        ),
    ),
    Parameter("allDayFrom", "time", documentation="When all-day events begin and end; midnight when left out."),
    Parameter(
        "complete", "boolean",
        documentation="True: shifts imported before whose event the file does not name any more are withdrawn, too.",
    ),
    Parameter("dryRun", "boolean", documentation="True: nothing is stored."),
    Parameter("stored", "boolean", "out", 1),
    Parameter("from", "instant", "out", 1),
    Parameter("until", "instant", "out", 1, documentation="What begins later is not read."),
    Parameter("cancelled", "integer", "out", 1, documentation="How many shifts are cancelled in the file."),
    Parameter("later", "integer", "out", 1, documentation="How many of those seen begin after until."),
    Parameter(
        "shift", "", "out", 0, "*", "",
        (
            Parameter("action", "code", "out", 1, documentation="create | update | withdraw | unchanged"),
            Parameter("event", "string", "out", 1, documentation="UID, and which of its series."),
            Parameter("line", "positiveInt", "out", documentation="Of the file; none of what is withdrawn."),
            *_HOURS,
        ),
    ),
    _GAP,
)  # fmt: skip
_WHO_IS_RUNG = (
    Parameter("level", "code", documentation="1, 2 or 3; the catalogue's for the finding, else 1, when left out."),
    Parameter("finding", "code", documentation="A code of the catalogue, for a ladder of its own."),
    Parameter("ward", "Reference", documentation="Where the patient lies: a Location or an Organization."),
    Parameter("requester", "Reference", documentation="Who ordered."),
    Parameter("at", "dateTime", documentation="When; now when left out."),
    Parameter("level", "code", "out", 1),
    Parameter("hour", "code", "out", 1, documentation="day | night | holiday"),
    Parameter("version", "string", "out", 1, documentation="Of the ladder."),
    Parameter("confirmed", "boolean", "out", 1, documentation="False: a shipped default that nobody has confirmed."),
    Parameter("record", "Reference", "out", documentation="The version of the ladder's record, of a department's own."),
    Parameter(
        "step", "", "out", 1, "*", "One step of the first round, as if nobody answered.",
        (
            Parameter("number", "positiveInt", "out", 1),
            Parameter("starts", "instant", "out", 1),
            Parameter("after", "decimal", "out", 1, documentation="Minutes from the moment that was asked about."),
            Parameter("answerWithin", "decimal", "out", 1, documentation="Minutes."),
            Parameter("reach", "code", "out", 1, documentation="any | all"),
            Parameter("outcome", "code", "out", 1, documentation="rung | partly | nobody"),
            Parameter(
                "target", "", "out", 1, "*", "",
                (
                    Parameter("role", "code", "out", 1),
                    Parameter("person", "Reference", "out", 0, "*", "Who stands behind it."),
                    Parameter(
                        "route", "", "out", 0, "*", "A route that rings.",
                        (
                            Parameter("channel", "code", "out", 1),
                            Parameter("endpoint", "Reference", "out"),
                            Parameter("owner", "Reference", "out"),
                            Parameter(
                                "state", "code", "out", 1,
                                documentation="verified | unverified | overdue | failing; each of them rings.",
                            ),
                        ),
                    ),
                    Parameter("gap", "code", "out", documentation="nobody-on-call | no-route | not-named | not-verified"),
                ),
            ),
        ),
    ),
)  # fmt: skip
_SWAP = (
    Parameter("roster", "Reference", min=1, documentation="The Schedule."),
    Parameter("at", "dateTime", min=1, documentation="A moment to come within the caller's own turn."),
    Parameter("with", "Reference", min=1, documentation="Who is asked to take it."),
    Parameter(
        "return", "dateTime", documentation="A moment within a turn of theirs that the caller takes in exchange."
    ),
    Parameter("return", "Slot", "out", 1, "2", "What was asked for; it counts once it is accepted."),
)
_ANSWER = (
    Parameter("accept", "boolean", documentation="False puts it aside, which the one who asked may do, too."),
    Parameter("return", "Slot", "out", 1),
)
_TELLS = ("Schedule", "Slot")

_CATALOGUE = (
    Parameter("edition", "Reference", "out", documentation="The department's own, where one is in force."),
    Parameter(
        "entry", "", "out", 1, "*", "",
        (
            Parameter("code", "code", "out", 1),
            Parameter("zh", "string", "out", 1),
            Parameter("en", "string", "out", 1),
            Parameter("level", "code", "out", 1),
            Parameter("shipped", "boolean", "out", 1, documentation="Of CL02-A011:5.9.1 or the national list."),
            Parameter("icd10", "code", "out", 0, "*"),
            Parameter("synonym", "string", "out", 0, "*"),
        ),
    ),
)  # fmt: skip

DIRECTORY = (
    Operation(
        "PlanDefinition", "critical-catalogue", catalogue_told, level="type", title="What counts as critical here",
        affects_state=False, parameters=_CATALOGUE, tells=("PlanDefinition",),
    ),
    Operation(
        "Schedule", "on-call", asking.on_call_told, title="Who is on call when, and when nobody is",
        affects_state=False, parameters=_ON_CALL, tells=_TELLS,
    ),
    Operation(
        "Schedule", "import-calendar", calendar_imported, title="Read a calendar file into the shifts of a roster",
        parameters=_IMPORT, tells=_TELLS,
    ),
    Operation(
        "Schedule", "who-is-rung", asking.who_is_rung, level="type", title="Who would be rung for a finding",
        affects_state=False, parameters=_WHO_IS_RUNG, tells=(*_TELLS, "PlanDefinition"),
    ),
    Operation(
        "Slot", "swap", swapping.swap_asked, level="type", title="Ask somebody to take a turn", creates=True,
        parameters=_SWAP,
    ),
    Operation("Slot", "answer-swap", swapping.swap_answered, title="Accept a swap, or put it aside", parameters=_ANSWER),
)  # fmt: skip
