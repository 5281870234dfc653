"""The operations on comparison with others, as the CapabilityStatement lists them (5.6.3)."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.catalogue import SYSTEMS
from slipring_order.eqa.form import criteria, kinds, states, verdicts
from slipring_order.handlers.eqa import round_planned, round_recorded
from slipring_order.handlers.eqa_told import programme_told

_WHO = Parameter("performer", "Reference", documentation="who does it, when the caller is no person")
_RECORD = Parameter("return", "QuestionnaireResponse", use="out", min=1, documentation="the record of the round")

EQA_OPERATIONS = (
    Operation(
        "QuestionnaireResponse",
        "plan-eqa",
        round_planned,
        level="type",
        title="Plan a round of proficiency testing, or of another comparison with others",
        parameters=(
            Parameter("kind", "code", min=1, documentation=" | ".join(kinds())),
            Parameter("scheme", "string", min=1, documentation="scheme or organiser"),
            Parameter("partner", "string", min=1, documentation="with whom, and why with him"),
            Parameter("system", "code", min=1, max="*", documentation=" | ".join(SYSTEMS)),
            Parameter("exam", "string", min=1, max="*", documentation="the items that are compared"),
            Parameter("material", "string", documentation="cases, images or phantom"),
            Parameter("due", "date", min=1, documentation="by when it is answered"),
            Parameter("note", "string"),
            _WHO,
            _RECORD,
        ),
    ),
    Operation(
        "QuestionnaireResponse",
        "record-eqa",
        round_recorded,
        title="Record what became of a round: answered, result, verdict, certificate",
        parameters=(
            Parameter("sent", "date", documentation="when it was answered"),
            Parameter("returned", "date", documentation="when the result came"),
            Parameter("criterion", "code", documentation=f"with score: {' | '.join(criteria())}"),
            Parameter("score", "decimal", documentation="held against the limit of its criterion"),
            Parameter("said", "code", documentation=f"the organiser's own verdict: {' | '.join(verdicts())}"),
            Parameter("certificate", "Reference", documentation="a DocumentReference on record here; it may follow"),
            Parameter("inError", "boolean", documentation="with a note: the round counts for nothing"),
            Parameter("note", "string"),
            _WHO,
            _RECORD,
        ),
    ),
    Operation(
        "QuestionnaireResponse",
        "eqa-programme",
        programme_told,
        level="type",
        title="Tell how each body system is compared with others, and the rounds of a year",
        tells=("QuestionnaireResponse", "DocumentReference"),
        affects_state=False,
        parameters=(
            Parameter("year", "integer", documentation="this one when nothing is said"),
            Parameter("year", "integer", use="out", min=1),
            Parameter(
                "plan", "Reference", use="out", documentation="the programme as a document; absent: none in force"
            ),
            Parameter("interval", "integer", use="out", min=1, documentation="calendar months"),
            Parameter("confirmed", "boolean", use="out", min=1, documentation="whether the interval is"),
            Parameter(
                "system",
                "",
                use="out",
                min=1,
                max="*",
                documentation="as it stands at the end of the year, or now",
                parts=(
                    Parameter("system", "code", use="out", min=1),
                    Parameter("zh", "string", use="out", min=1),
                    Parameter("en", "string", use="out", min=1),
                    Parameter("state", "code", use="out", min=1, documentation="failed | missing | overdue | met"),
                    Parameter("rounds", "integer", use="out", min=1, documentation="concluded in the year"),
                    Parameter("alternative", "integer", use="out", min=1, documentation="of them by another way"),
                    Parameter("last", "Reference", use="out"),
                    Parameter("due", "date", use="out"),
                ),
            ),
            Parameter(
                "round",
                "",
                use="out",
                max="*",
                documentation="planned for or concluded in the year, the latest first",
                parts=(
                    Parameter("record", "Reference", use="out", min=1),
                    Parameter("kind", "code", use="out", min=1),
                    Parameter("state", "code", use="out", min=1, documentation=" | ".join(states())),
                    Parameter("scheme", "string", use="out"),
                    Parameter("partner", "string", use="out"),
                    Parameter("system", "code", use="out", max="*"),
                    Parameter("due", "date", use="out"),
                    Parameter("sent", "date", use="out"),
                    Parameter("returned", "date", use="out"),
                    Parameter("criterion", "code", use="out"),
                    Parameter("score", "decimal", use="out"),
                    Parameter("certificate", "Reference", use="out"),
                    Parameter("lacksCertificate", "boolean", use="out", min=1),
                    Parameter("alternative", "boolean", use="out", min=1),
                ),
            ),
        ),
    ),
)
