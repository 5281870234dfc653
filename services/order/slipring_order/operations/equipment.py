"""The operations of the quality programme of the scanners, as the CapabilityStatement lists them (5.6.2.3, 5.6.4)."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.equipment.round import DECISIONS
from slipring_order.equipment.verification import CONCLUSIONS
from slipring_order.handlers.qc_rounds import entered, reviewed
from slipring_order.handlers.qc_verification import exams_verified, verification_concluded
from slipring_order.operations.equipment_told import EQUIPMENT_TOLD
from slipring_order.rooms.scanner_standard import kinds, tests

_WHO = Parameter("performer", "Reference", documentation="who does it, when the caller is no person")
_NOTE = Parameter("note", "string")
EQUIPMENT_OPERATIONS = (
    Operation(
        "Device",
        "enter-qc",
        entered,
        title="Enter the values of a round of tests of a scanner",
        parameters=(
            Parameter("kind", "code", documentation=f"{' | '.join(kinds())}; constancy when nothing is said"),
            Parameter("at", "dateTime", documentation="when it was measured; now when nothing is said"),
            Parameter("phantom", "Reference", documentation="the Device that was scanned"),
            Parameter(
                "value",
                "",
                max="*",
                parts=(
                    Parameter("test", "code", min=1, documentation=" | ".join(tests())),
                    Parameter("quantity", "Quantity", documentation="or notApplicable"),
                    Parameter("nominal", "Quantity", documentation="of a slice thickness"),
                    Parameter("notApplicable", "boolean", documentation="such as a gantry that cannot tilt"),
                ),
            ),
            Parameter("round", "Reference", documentation="a round measured from images that these values complete"),
            Parameter("repeats", "Reference", documentation="the round that was sent back"),
            _NOTE,
            _WHO,
            Parameter("at", "instant", use="out", min=1),
            Parameter("return", "Task", use="out", min=1),
            Parameter(
                "result",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("test", "code", use="out", min=1),
                    Parameter("observation", "Reference", use="out", min=1),
                    Parameter("passes", "boolean", use="out", documentation="absent: nothing to hold it against"),
                    Parameter("limit", "string", use="out", documentation="id and version"),
                    Parameter("confirmed", "boolean", use="out"),
                ),
            ),
        ),
    ),
    Operation(
        "Task",
        "review-qc",
        reviewed,
        title="Approve a round of tests, have it repeated, or mark it as entered in error",
        parameters=(
            Parameter("decision", "code", min=1, documentation=" | ".join(DECISIONS)),
            Parameter("note", "string", documentation="why, unless approved"),
            _WHO,
            Parameter("return", "Task", use="out", min=1),
        ),
    ),
    Operation(
        "Task",
        "verify-exams",
        exams_verified,
        title="Trace a failed test back to the last good one and have the exams between looked at",
        parameters=(
            Parameter("exam", "Reference", max="*", documentation="these only; all in doubt when nothing is said"),
            Parameter("owner", "Reference", documentation="who is to look at them"),
            Parameter("preview", "boolean", documentation="says which exams it would be; no Task is made"),
            Parameter("most", "integer", documentation="Tasks that one call makes; 100 when nothing is said"),
            _WHO,
            Parameter("lastGood", "instant", use="out", documentation="absent: no good test is on record"),
            Parameter("failed", "instant", use="out", min=1),
            Parameter("nextGood", "instant", use="out", documentation="absent: the failure lasts"),
            Parameter("exam", "Reference", use="out", max="*", documentation="every exam in doubt"),
            Parameter("verification", "Reference", use="out", max="*", documentation="the Tasks made by this call"),
            Parameter("left", "integer", use="out", min=1, documentation="exams asked for that have no Task yet"),
        ),
    ),
    Operation(
        "Task",
        "conclude-verification",
        verification_concluded,
        title="Say what the look at an exam in doubt came to",
        parameters=(
            Parameter("conclusion", "code", min=1, documentation=" | ".join(CONCLUSIONS)),
            Parameter("note", "string", documentation="what is to be done, unless unaffected"),
            _WHO,
            Parameter("return", "Task", use="out", min=1),
        ),
    ),
    *EQUIPMENT_TOLD,
)
