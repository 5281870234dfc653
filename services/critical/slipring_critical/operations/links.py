"""The links of messages, and what whoever opened one is told."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.answering import links, telling

_LINK = Parameter("link", "string", min=1, documentation="The secret at the end of the link.")
_CHOICE = tuple(Parameter(name, "string", "out", 1) for name in ("code", "zh", "en"))
_FINDING = (
    Parameter("case", "Reference", "out", 1),
    Parameter("state", "code", "out", 1),
    Parameter("level", "code", "out", 1),
    Parameter("finding", "string", "out", 1, documentation="Its code."),
    Parameter("zh", "string", "out", 1),
    Parameter("en", "string", "out", 1),
    Parameter("since", "instant", "out", 1),
    Parameter("drill", "boolean", "out", 1),
    Parameter("mismatches", "integer", "out", 1, documentation="Wrong read-backs since the last step rang."),
    Parameter("owner", "string", "out"),
    Parameter("offeredTo", "string", "out", documentation="Who was asked to take it on and has not answered."),
    Parameter("note", "string", "out", 0, "*"),
    Parameter("choice", "", "out", 1, "5", "The finding and four others; one of them is read back.", _CHOICE),
)
_TOLD = (
    *(
        Parameter(name, "string", "out")
        for name in ("patient", "birthDate", "gender", "exam", "imagingNumber", "author")
    ),
    Parameter("finding", "", "out", 1, "*", "This case, and the other open ones of the exam.", _FINDING),
)

LINKS = (
    Operation(
        "Task",
        "open-link",
        links.opened,
        level="type",
        title="Open the link of a message, once",
        parameters=(_LINK, Parameter("return", "Task", "out", 1, documentation="The case that it leads to.")),
    ),
    Operation(
        "Task",
        "is-link",
        links.asked,
        level="type",
        title="Whether a link is one and not used up",
        affects_state=False,
        parameters=(_LINK,),
    ),
    Operation(
        "Task",
        "end-link",
        links.ended,
        level="type",
        title="End a link after too many wrong PINs",
        parameters=(_LINK,),
    ),
    Operation(
        "Task",
        "told",
        telling.told,
        title="What a receiver is told",
        affects_state=False,
        tells=("Patient", "ServiceRequest"),
        parameters=_TOLD,
    ),
)
