"""Parameters that the operations of learning share."""

from __future__ import annotations

from slipring.fhir.service import Parameter

BY = Parameter("by", "Reference", documentation="who judges, when the token names no person")
PERIOD = Parameter("period", "Period", documentation="this quarter when left out")
RECORD = Parameter("record", "Reference", "out", 1, documentation="the QuestionnaireResponse")
RATE = (
    Parameter("rate", "decimal", "out", documentation="absent where there is no case"),
    Parameter("low", "decimal", "out", documentation="of the 95 % Wilson interval"),
    Parameter("high", "decimal", "out"),
    Parameter("level", "decimal", "out"),
    Parameter("target", "decimal", "out"),
    Parameter("targetConfirmed", "boolean", "out", documentation="false: a default that the department confirms"),
)
MEMBER = (
    Parameter("report", "Reference", "out", 1),
    Parameter("record", "Reference", "out", 1),
    Parameter("grade", "code", "out", 1),
)
COUNTED = (Parameter("code", "code", "out", 1), Parameter("count", "integer", "out", 1))
