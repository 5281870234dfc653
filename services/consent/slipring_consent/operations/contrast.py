"""The operations on lots of contrast, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.lot_decisions import lot_accepted, lot_recalled
from slipring_consent.handlers.stock import stock_told

_PERFORMER = Parameter("performer", "Reference", documentation="who decides, when the caller is no person")
_LOT_PARTS = (
    Parameter("medication", "Reference", use="out", min=1),
    Parameter("number", "string", use="out", min=1),
    Parameter("zh", "string", use="out", min=1, documentation="the agent"),
    Parameter("en", "string", use="out", min=1),
    Parameter("state", "Coding", use="out", min=1, documentation="received | accepted | rejected | recalled | expired"),
    Parameter("received", "Quantity", use="out", min=1, documentation="ml"),
    Parameter("given", "Quantity", use="out", min=1, documentation="ml"),
    Parameter("wasted", "Quantity", use="out", min=1, documentation="ml"),
    Parameter("left", "Quantity", use="out", min=1, documentation="ml; below zero when more was used than came in"),
    Parameter("dueSoon", "boolean", use="out", min=1, documentation="in stock, and out of date within the time asked"),
    Parameter("strength", "Quantity", use="out", documentation="mg of iodine per ml"),
    Parameter("expires", "dateTime", use="out", documentation="as the pack prints it"),
    Parameter("usableUntil", "instant", use="out", documentation="the first moment out of date: the end of that month"),
)
_AGENT_PARTS = (
    Parameter("code", "Coding", use="out", min=1),
    Parameter("zh", "string", use="out", min=1),
    Parameter("en", "string", use="out", min=1),
    Parameter("strength", "Quantity", use="out", documentation="mg of iodine per ml"),
    Parameter("usable", "Quantity", use="out", min=1, documentation="ml in accepted lots that are in date"),
)

CONTRAST_OPERATIONS = (
    Operation(
        "Medication",
        "accept",
        lot_accepted,
        title="Accept a lot of contrast before its first use, or reject it",
        parameters=(
            Parameter("decision", "code", documentation="accepted | rejected; accepted when nothing is said"),
            Parameter("note", "string", documentation="what was looked at; why a lot is rejected"),
            _PERFORMER,
            Parameter("return", "Medication", use="out", min=1),
        ),
    ),
    Operation(
        "Medication",
        "recall",
        lot_recalled,
        title="Recall a lot: stop it at once, list who got it, alarm who is injecting it",
        tells=("MedicationAdministration",),
        parameters=(
            Parameter("reason", "CodeableConcept", min=1),
            Parameter("notice", "string", documentation="number of the recall notice"),
            Parameter("note", "string"),
            _PERFORMER,
            Parameter("return", "Task", use="out", min=1, documentation="the recall, with every administration"),
            Parameter(
                "given",
                "",
                use="out",
                max="*",
                parts=(
                    Parameter("administration", "Reference", use="out", min=1),
                    Parameter("patient", "Reference", use="out", min=1),
                    Parameter("running", "boolean", use="out", min=1, documentation="permitted and not over: alarmed"),
                ),
            ),
        ),
    ),
    Operation(
        "Medication",
        "stock",
        stock_told,
        level="type",
        title="Tell what is in stock, per agent and lot",
        tells=("Medication", "SupplyDelivery", "MedicationAdministration"),
        affects_state=False,
        parameters=(
            Parameter("agent", "code", documentation="one agent by its ATC code; all when nothing is said"),
            Parameter("lot", "string", documentation="one lot number, however long ago it went out of date"),
            Parameter("within", "integer", documentation="days ahead that count as due soon; the department's number"),
            Parameter("agent", "", use="out", max="*", parts=_AGENT_PARTS),
            Parameter("lot", "", use="out", max="*", documentation="the first to expire first", parts=_LOT_PARTS),
            Parameter("issue", "DetectedIssue", use="out", max="*", documentation="books that cannot be right"),
        ),
    ),
)
