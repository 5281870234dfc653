"""How critical findings were told in a period."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.indicators import telling

_BOUNDS = tuple(Parameter(name, "decimal", "out") for name in ("value", "low", "high"))
_SHARE = (
    Parameter("code", "code", "out", 1, documentation="told-in-time, both-sides-recorded, unreachable, escalated, ..."),
    Parameter("numerator", "integer", "out", 1),
    Parameter("denominator", "integer", "out", 1),
    *_BOUNDS,
    Parameter("case", "Reference", "out", 0, "*", "Whoever fell out of it, or what it is about."),
)
_RATE = (
    Parameter("code", "code", "out", 1, documentation="flags-per-100-exams"),
    Parameter("count", "integer", "out", 1),
    Parameter("of", "integer", "out", 1),
    *_BOUNDS,
)
_MEDIAN = (
    Parameter("code", "code", "out", 1, documentation="minutes-to-told, minutes-to-acted"),
    Parameter("count", "integer", "out", 1),
    *_BOUNDS,
)
_RINGS = (Parameter("who", "Reference", "out", 1), Parameter("count", "integer", "out", 1))

INDICATORS = (
    Operation(
        "Task",
        "critical-indicators",
        telling.told,
        level="type",
        title="How critical findings were told in a period",
        affects_state=False,
        tells=("Communication", "ServiceRequest"),
        parameters=(
            Parameter("period", "Period", documentation="The last 90 days when left out; 400 days at most."),
            Parameter("period", "Period", "out", 1),
            Parameter("share", "", "out", 1, "*", "A share with its 95 % Wilson interval, from 0 to 1.", _SHARE),
            Parameter("rate", "", "out", 1, "*", "So many in a hundred, with its 95 % Poisson interval.", _RATE),
            Parameter("median", "", "out", 1, "*", "A median in minutes with its 95 % interval.", _MEDIAN),
            Parameter("nightRings", "", "out", 0, "*", "How often a person was rung at night.", _RINGS),
        ),
    ),
)
