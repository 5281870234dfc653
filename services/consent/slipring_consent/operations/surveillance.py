"""The operations on what all reactions together say."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.rates import rates_told

SURVEILLANCE_OPERATIONS = (
    Operation(
        "Medication",
        "reaction-rates",
        rates_told,
        level="type",
        title="Tell how often contrast was followed by a reaction, per agent or lot, with Wilson intervals",
        affects_state=False,
        tells=("MedicationAdministration", "AdverseEvent", "Medication"),
        parameters=(
            Parameter("period", "Period", documentation="by when it was given; absent: the last 365 days"),
            Parameter("by", "code", documentation="agent (default) | lot"),
            Parameter("severity", "code", documentation="count reactions from this grade on: mild | moderate | severe"),
            Parameter("period", "Period", use="out", min=1, documentation="what was counted"),
            Parameter(
                "group",
                "",
                use="out",
                min=1,
                max="*",
                documentation="one agent or lot, the most given first; `all` is the last",
                parts=(
                    Parameter(
                        "of", "string", use="out", min=1, documentation="ATC code, with the lot number; unknown; all"
                    ),
                    Parameter("agent", "CodeableConcept", use="out", documentation="the agent by code and name"),
                    Parameter("given", "integer", use="out", min=1, documentation="injections completed or stopped"),
                    Parameter("patients", "integer", use="out", min=1),
                    Parameter("reacted", "integer", use="out", min=1, documentation="injections with a reaction"),
                    Parameter("extravasations", "integer", use="out", min=1, documentation="counted apart"),
                    Parameter("rate", "decimal", use="out", documentation="reacted / given"),
                    Parameter("low", "decimal", use="out", documentation="of the 95 % Wilson interval"),
                    Parameter("high", "decimal", use="out"),
                    Parameter("level", "decimal", use="out"),
                    Parameter(
                        "reaction",
                        "",
                        use="out",
                        max="*",
                        parts=(
                            Parameter("kind", "code", use="out", min=1),
                            Parameter("grade", "code", use="out", min=1),
                            Parameter("count", "integer", use="out", min=1),
                        ),
                    ),
                    Parameter(
                        "timed",
                        "",
                        use="out",
                        max="*",
                        documentation="reactions by how long after the injection they began",
                        parts=(
                            Parameter(
                                "timing", "code", use="out", min=1, documentation="acute | late | very-late | unknown"
                            ),
                            Parameter("count", "integer", use="out", min=1),
                        ),
                    ),
                    Parameter("case", "Reference", use="out", max="*", documentation="each reaction that counts"),
                ),
            ),
            Parameter(
                "bound",
                "",
                use="out",
                max="*",
                documentation="what each timing means",
                parts=(
                    Parameter("timing", "code", use="out", min=1),
                    Parameter("zh", "string", use="out", min=1),
                    Parameter("en", "string", use="out", min=1),
                    Parameter("until", "Duration", use="out", documentation="after the injection; absent: without end"),
                    Parameter("source", "string", use="out", documentation="where that stands"),
                ),
            ),
            Parameter("report", "MeasureReport", use="out", min=1, documentation="the same figures"),
        ),
    ),
)
