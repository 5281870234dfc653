"""The work beside the reading: late images, discordance, consultation, images handed out, conferences."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import conference_cases, conferences, consulting, discordance, late_images

_BY = Parameter("by", "Reference", documentation="who does it, when the token names no person")
_TASK = Parameter("return", "Task", "out", 1, documentation="the Task as it stands")
_MESSAGE = Parameter("return", "Communication", "out", 1)

_LATE_IMAGES = (
    Operation(
        "Task",
        "settle-images",
        late_images.images_settled,
        title="Say what images that came after signing change",
        parameters=(
            _BY,
            Parameter(
                "outcome", "code", min=1, documentation="unchanged | amend (open until the report is released anew)"
            ),
            Parameter("note", "string", min=1, documentation="what the images show"),
            _TASK,
        ),
    ),
)

_DISCORDANCE = (
    Operation(
        "DiagnosticReport",
        "open-discordance",
        discordance.discordance_opened,
        title="Say that imaging is unclear, or contradicts clinic or pathology",
        parameters=(
            _BY,
            Parameter("kind", "code", min=1, documentation="of CodeSystem discordance-kind"),
            Parameter("aspect", "code", documentation="site | nature | both; needed where something is contradicted"),
            Parameter("description", "string", min=1),
            _TASK,
        ),
    ),
    Operation(
        "Task",
        "contact-clinic",
        discordance.clinic_contacted,
        title="Record that the clinic was contacted",
        parameters=(
            _BY,
            Parameter("with", "Reference", min=1, documentation="who was spoken to: a reference, or a display"),
            Parameter("medium", "code", min=1, documentation="telephone | in-person | message"),
            Parameter("said", "string", min=1),
            _TASK,
        ),
    ),
    Operation(
        "Task",
        "ask-repeat",
        discordance.repeat_asked,
        title="Ask for the exam to be repeated or added to",
        parameters=(
            _BY,
            Parameter("reason", "string", min=1, documentation="what the repeat is to show"),
            Parameter("request", "Reference", documentation="the ServiceRequest of the repeat, once there is one"),
            _TASK,
        ),
    ),
    Operation(
        "Task",
        "conclude-discordance",
        discordance.discordance_concluded,
        title="Say what a discordance came to",
        parameters=(
            _BY,
            Parameter("outcome", "code", min=1, documentation="of CodeSystem discordance-outcome"),
            Parameter("evidence", "Reference", documentation="the repeat's images or report, where it has answered"),
            Parameter("note", "string", min=1),
            _TASK,
        ),
    ),
)

_CONSULTING = (
    Operation(
        "DiagnosticReport",
        "consult",
        consulting.consultation_asked,
        title="Ask somebody about a report",
        parameters=(
            _BY,
            Parameter("of", "Reference", min=1, documentation="who is asked: Practitioner or PractitionerRole"),
            Parameter("question", "string", min=1),
            _MESSAGE,
        ),
    ),
    Operation(
        "Communication",
        "answer",
        consulting.consultation_answered,
        title="Answer the question of a consultation",
        parameters=(_BY, Parameter("answer", "string", min=1), _MESSAGE),
    ),
    Operation(
        "Task",
        "hand-out-images",
        consulting.images_handed_out,
        title="Record that the images of an exam were handed out or made available",
        parameters=(
            _BY,
            Parameter("medium", "code", min=1, documentation="film | disc | portable | cloud | viewer"),
            Parameter("to", "Reference", min=1, documentation="who received them: a reference, or a display"),
            Parameter("note", "string"),
            _MESSAGE,
        ),
    ),
)

_CONFERENCE = (
    Operation(
        "Task",
        "plan-conference",
        conferences.conference_planned,
        level="type",
        title="Plan a conference on difficult cases",
        parameters=(
            Parameter("chair", "Reference", documentation="who chairs, when the token names no person"),
            Parameter("start", "dateTime", min=1),
            Parameter("place", "string"),
            _TASK,
        ),
    ),
    Operation(
        "Task",
        "add-case",
        conferences.case_listed,
        title="Put a report on a conference",
        parameters=(
            _BY,
            Parameter("report", "Reference", min=1),
            Parameter("question", "string", min=1, documentation="what is asked of the conference"),
            _TASK,
        ),
    ),
    Operation(
        "Task",
        "attend",
        conferences.people_attended,
        title="Record who is at a conference",
        parameters=(_BY, Parameter("person", "Reference", min=1, max="*"), _TASK),
    ),
    Operation(
        "Task",
        "conclude-case",
        conference_cases.case_concluded,
        title="Say what a conference came to on a case",
        parameters=(
            _BY,
            Parameter("result", "string", min=1),
            Parameter(
                "fold",
                "code",
                documentation="none (when left out) | report: into a draft's text, or as an appended version of a released report",
            ),
            _TASK,
        ),
    ),
    Operation(
        "Task",
        "close-conference",
        conferences.conference_closed,
        title="Say that a conference was held; cases that were not reached are put off",
        parameters=(_BY, _TASK),
    ),
    Operation(
        "Task",
        "attendance",
        conferences.attendance_asked,
        level="type",
        title="Tell who was at how many conferences",
        affects_state=False,
        tells=("Task",),
        parameters=(
            Parameter("period", "Period", documentation="by the day of the conference; all when left out"),
            Parameter("held", "integer", "out", 1, documentation="conferences that were held"),
            Parameter(
                "person",
                "",
                "out",
                max="*",
                parts=(Parameter("who", "Reference", "out", 1), Parameter("attended", "integer", "out", 1)),
            ),
        ),
    ),
)

WORK_OPERATIONS = (*_LATE_IMAGES, *_DISCORDANCE, *_CONSULTING, *_CONFERENCE)
