"""The operations on the department's own records, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_order.handlers.due import due_told
from slipring_order.handlers.permissions import permission_told
from slipring_order.handlers.staff import suspended

DEPARTMENT_OPERATIONS = (
    Operation(
        "Organization",
        "due",
        due_told,
        level="type",
        title="Tell what the department owes: missing, failed, overdue or due soon",
        tells=("Practitioner", "PractitionerRole", "QuestionnaireResponse", "DocumentReference", "Device"),
        affects_state=False,
        parameters=(
            Parameter("on", "date", documentation="as it stands on this day; today when nothing is said"),
            Parameter("within", "integer", documentation="days ahead that count as due soon; 30 when nothing is said"),
            Parameter("of", "code", documentation="person | device | department; all when nothing is said"),
            Parameter("subject", "Reference", documentation="one person or device only"),
            Parameter("on", "date", use="out", min=1),
            Parameter("failed", "integer", use="out", min=1),
            Parameter("missing", "integer", use="out", min=1),
            Parameter("overdue", "integer", use="out", min=1),
            Parameter("due", "integer", use="out", min=1),
            Parameter(
                "item",
                "",
                use="out",
                max="*",
                documentation="the worst and oldest first",
                parts=(
                    Parameter("of", "code", use="out", min=1, documentation="person | device | department"),
                    Parameter("what", "Coding", use="out", min=1),
                    Parameter("zh", "string", use="out", min=1),
                    Parameter("en", "string", use="out", min=1),
                    Parameter("state", "code", use="out", min=1, documentation="failed | missing | overdue | due"),
                    Parameter("clause", "string", use="out", min=1),
                    Parameter("subject", "Reference", use="out", documentation="none: the department itself"),
                    Parameter("due", "date", use="out", documentation="the last day it holds or held"),
                    Parameter("evidence", "Reference", use="out", documentation="the record that decided"),
                    Parameter("interval", "integer", use="out", documentation="calendar months"),
                    Parameter("limit", "string", use="out", documentation="the interval's id and version"),
                    Parameter("confidence", "code", use="out"),
                    Parameter("confirmed", "boolean", use="out"),
                ),
            ),
            Parameter("issue", "DetectedIssue", use="out", max="*", documentation="head, leads, licence, agreement"),
        ),
    ),
    Operation(
        "Practitioner",
        "may",
        permission_told,
        title="Tell what a person may do at a moment, and why not",
        tells=("Practitioner", "PractitionerRole"),
        affects_state=False,
        parameters=(
            Parameter("act", "code", max="*", documentation="all acts when nothing is said"),
            Parameter("at", "dateTime", documentation="now when nothing is said"),
            Parameter("at", "dateTime", use="out", min=1),
            Parameter(
                "act",
                "",
                use="out",
                min=1,
                max="*",
                parts=(
                    Parameter("code", "code", use="out", min=1),
                    Parameter("zh", "string", use="out", min=1),
                    Parameter("en", "string", use="out", min=1),
                    Parameter("clause", "string", use="out", min=1),
                    Parameter("allowed", "boolean", use="out", min=1),
                    Parameter(
                        "reason",
                        "CodeableConcept",
                        use="out",
                        max="*",
                        documentation="in Chinese, with the English beside it",
                    ),
                ),
            ),
        ),
    ),
    Operation(
        "Practitioner",
        "suspend",
        suspended,
        title="Suspend a person's authorisation until training and assessment anew",
        parameters=(
            Parameter("reason", "CodeableConcept", min=1, documentation="a code of suspension-reason"),
            Parameter("from", "date", documentation="today when nothing is said"),
            Parameter("performer", "Reference", documentation="who decides, when the caller is no person"),
            Parameter("return", "Practitioner", use="out", min=1),
        ),
    ),
)
