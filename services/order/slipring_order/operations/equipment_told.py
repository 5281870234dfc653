"""What the quality programme of the scanners answers: programme, charts, comparison (5.6.2.3, 5.6.4)."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.qc_told import chart_told, programme_told, scanners_compared

_SURE = (
    Parameter("confidence", "code", use="out", min=1),
    Parameter("confirmed", "boolean", use="out", min=1),
)

EQUIPMENT_TOLD = (
    Operation(
        "Device",
        "qc-programme",
        programme_told,
        title="Tell how a scanner stands in every test of its quality programme",
        tells=("Observation", "Task"),
        affects_state=False,
        parameters=(
            Parameter("edition", "code", use="out", min=1, documentation="of the standard, as the department chose"),
            Parameter(
                "test",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("test", "code", use="out", min=1),
                    Parameter("zh", "string", use="out", min=1),
                    Parameter("en", "string", use="out", min=1),
                    Parameter("unit", "string", use="out", min=1),
                    Parameter(
                        "state",
                        "code",
                        use="out",
                        min=1,
                        documentation="failed | overdue | missing | due | met | on-occasion",
                    ),
                    Parameter("result", "Reference", use="out", documentation="the newest value that counts"),
                    Parameter("at", "instant", use="out"),
                    Parameter("kind", "code", use="out"),
                    Parameter("value", "decimal", use="out"),
                    Parameter("lastPass", "instant", use="out"),
                    Parameter("due", "date", use="out", documentation="the last day, grace included"),
                    Parameter(
                        "interval",
                        "",
                        use="out",
                        max="*",
                        documentation="A011's and the standard's",
                        parts=(
                            Parameter("months", "integer", use="out", min=1),
                            Parameter("source", "string", use="out", min=1),
                            Parameter("applied", "boolean", use="out", min=1, documentation="the stricter one"),
                            *_SURE,
                        ),
                    ),
                    Parameter(
                        "baseline",
                        "",
                        use="out",
                        parts=(
                            Parameter("value", "decimal", use="out", min=1),
                            Parameter("since", "instant", use="out", min=1),
                            Parameter("kind", "code", use="out", min=1),
                            Parameter("result", "Reference", use="out", min=1),
                            Parameter("approver", "Reference", use="out"),
                        ),
                    ),
                    Parameter(
                        "limit",
                        "",
                        use="out",
                        max="*",
                        documentation="of each edition",
                        parts=(
                            Parameter("edition", "code", use="out", min=1),
                            Parameter("chosen", "boolean", use="out", min=1),
                            Parameter("kind", "code", use="out", min=1),
                            Parameter("id", "string", use="out", min=1, documentation="id and version"),
                            Parameter("low", "decimal", use="out"),
                            Parameter("high", "decimal", use="out"),
                            Parameter("source", "string", use="out", min=1),
                            *_SURE,
                            Parameter("passes", "boolean", use="out"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Operation(
        "Device",
        "qc-chart",
        chart_told,
        title="One test of a scanner as a control chart",
        tells=("Observation",),
        affects_state=False,
        parameters=(
            Parameter("test", "code", min=1),
            Parameter("unit", "string", use="out", min=1),
            Parameter("low", "decimal", use="out", documentation="of the standard's limit as it stands"),
            Parameter("high", "decimal", use="out"),
            Parameter(
                "phase",
                "",
                use="out",
                max="*",
                documentation="from one baseline to the next",
                parts=(
                    Parameter("begins", "instant", use="out", min=1),
                    Parameter("mean", "decimal", use="out", documentation="absent: too few values yet"),
                    Parameter("sd", "decimal", use="out", documentation="mean moving range / 1.128"),
                    Parameter("count", "integer", use="out", documentation="values that the centre was made from"),
                    Parameter("low", "decimal", use="out"),
                    Parameter("high", "decimal", use="out"),
                ),
            ),
            Parameter(
                "point",
                "",
                use="out",
                max="*",
                documentation="in the order of time; those that wait for approval last",
                parts=(
                    Parameter("at", "instant", use="out", min=1),
                    Parameter("value", "decimal", use="out", min=1),
                    Parameter("observation", "Reference", use="out", min=1),
                    Parameter("round", "Reference", use="out"),
                    Parameter("kind", "code", use="out", min=1),
                    Parameter("baseline", "boolean", use="out", min=1, documentation="it sets one"),
                    Parameter("waits", "boolean", use="out", min=1, documentation="for approval"),
                    Parameter("passes", "boolean", use="out", documentation="the standard's limit of its time"),
                    Parameter("phase", "integer", use="out"),
                    Parameter(
                        "flag", "code", use="out", max="*", documentation="1-3s | 2-2s | R-4s | 4-1s | 10x | 1-2s"
                    ),
                    Parameter("smoothed", "decimal", use="out", documentation="EWMA"),
                    Parameter("smoothedLow", "decimal", use="out"),
                    Parameter("smoothedHigh", "decimal", use="out"),
                ),
            ),
        ),
    ),
    Operation(
        "Device",
        "compare-qc",
        scanners_compared,
        level="type",
        title="Compare scanners on the same phantom values",
        tells=("Observation",),
        affects_state=False,
        parameters=(
            Parameter("test", "code", min=1),
            Parameter("scanner", "Reference", min=2, max="*"),
            Parameter("since", "dateTime"),
            Parameter("until", "dateTime"),
            Parameter(
                "scanner",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("scanner", "Reference", use="out", min=1),
                    Parameter("count", "integer", use="out", min=1, documentation="0: fewer than two values"),
                    Parameter("mean", "decimal", use="out"),
                ),
            ),
            Parameter(
                "pair",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("scanner", "Reference", use="out", min=2, max="2"),
                    Parameter("difference", "decimal", use="out", min=1, documentation="first minus second"),
                    Parameter("low", "decimal", use="out", min=1, documentation="of the interval (Welch, 95 %)"),
                    Parameter("high", "decimal", use="out", min=1),
                    Parameter("allowed", "decimal", use="out"),
                    Parameter("unit", "string", use="out", min=1),
                    Parameter("outcome", "code", use="out", documentation="comparable | different | open"),
                    Parameter("limit", "string", use="out"),
                    Parameter("source", "string", use="out"),
                    Parameter("confirmed", "boolean", use="out"),
                ),
            ),
        ),
    ),
)
