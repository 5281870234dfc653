"""The operations that keep a comparison of scanners, as the CapabilityStatement lists them (5.6.4)."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.qc_comparison import comparison_approved, comparison_recorded

_WHO = Parameter("performer", "Reference", documentation="who does it, when the caller is no person")

COMPARISON_OPERATIONS = (
    Operation(
        "Device",
        "record-comparison",
        comparison_recorded,
        level="type",
        title="Compare scanners on the same phantom values and keep the comparison for a second person",
        tells=("Observation", "DocumentReference"),
        parameters=(
            Parameter("scanner", "Reference", min=2, max="*"),
            Parameter("periodStart", "date", min=1),
            Parameter("periodEnd", "date", min=1, documentation="the last day that counts"),
            Parameter("note", "string"),
            _WHO,
            Parameter("record", "DocumentReference", use="out", min=1, documentation="preliminary"),
            Parameter("periodStart", "date", use="out", min=1),
            Parameter("periodEnd", "date", use="out", min=1),
            Parameter(
                "pair",
                "",
                use="out",
                min=1,
                max="*",
                documentation="of each test that was measured on both",
                parts=(
                    Parameter("test", "code", use="out", min=1),
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
    Operation(
        "DocumentReference",
        "approve-comparison",
        comparison_approved,
        title="Approve a comparison of scanners; what differs too much opens a nonconformity",
        parameters=(_WHO, Parameter("return", "DocumentReference", use="out", min=1)),
    ),
)
