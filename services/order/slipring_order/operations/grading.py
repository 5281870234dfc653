"""The operations on the grading of images, as the CapabilityStatement lists them (5.6.2.3)."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.image_draw import grading_told, images_drawn

_DAYS = (
    Parameter("periodStart", "date", min=1),
    Parameter("periodEnd", "date", min=1, documentation="the last day that counts"),
)
_RATE = (
    Parameter("numerator", "integer", use="out", min=1),
    Parameter("denominator", "integer", use="out", min=1),
    Parameter("rate", "decimal", use="out", documentation="from 0 to 1; absent: no case"),
    Parameter("low", "decimal", use="out", documentation="of the Wilson interval, 95 %"),
    Parameter("high", "decimal", use="out"),
)

GRADING_OPERATIONS = (
    Operation(
        "Task",
        "draw-images",
        images_drawn,
        level="type",
        title="Draw a seeded sample of exams for grading, each to people who did not make it",
        tells=("Task", "ServiceRequest"),
        parameters=(
            *_DAYS,
            Parameter(
                "size", "integer", min=1, documentation="how many; scanner, part and technologist by their share"
            ),
            Parameter("seed", "string", min=1, documentation="kept with the draw, so that anybody can draw again"),
            Parameter("grader", "Reference", min=1, max="*", documentation="who grades; not whoever draws"),
            Parameter("double", "integer", documentation="the share in % that two people grade"),
            Parameter("performer", "Reference", documentation="who draws, when the caller is no person"),
            Parameter("draw", "Reference", use="out", min=1, documentation="the Task that records the draw"),
            Parameter("population", "integer", use="out", min=1),
            Parameter("strata", "integer", use="out", min=1),
            Parameter("listSha256", "string", use="out", min=1, documentation="of the list that was drawn from"),
            Parameter("double", "integer", use="out", min=1, documentation="exams that two people grade"),
            Parameter("case", "Reference", use="out", max="*", documentation="a Task for one grader"),
        ),
    ),
    Operation(
        "Task",
        "image-grading",
        grading_told,
        level="type",
        title="Tell what the sheets of the exams drawn in a period come to, and how well two graders agree",
        tells=("Task", "QuestionnaireResponse"),
        affects_state=False,
        parameters=(
            *_DAYS,
            Parameter("cases", "integer", use="out", min=1),
            Parameter("open", "integer", use="out", min=1, documentation="not graded yet"),
            Parameter("exams", "integer", use="out", min=1, documentation="graded once at least"),
            Parameter("excellent", "", use="out", min=1, parts=_RATE),
            Parameter("identity", "", use="out", min=1, documentation="identification right", parts=_RATE),
            Parameter("partAndLabel", "", use="out", min=1, documentation="both right", parts=_RATE),
            Parameter(
                "grade",
                "",
                use="out",
                max="*",
                parts=(Parameter("code", "code", use="out", min=1), Parameter("count", "integer", use="out", min=1)),
            ),
            Parameter(
                "agreement",
                "",
                use="out",
                min=1,
                documentation="exams that two people graded",
                parts=(
                    *_RATE,
                    Parameter("kappaValue", "decimal", use="out", documentation="weighted linearly; absent: undefined"),
                    Parameter("kappaLow", "decimal", use="out"),
                    Parameter("kappaHigh", "decimal", use="out"),
                ),
            ),
        ),
    ),
)
