"""Cases opened by hand, handed over and taken back."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.answering import by_hand, handing_over
from slipring_critical.handlers import retracting

_CASE = Parameter("return", "Task", "out", 1, documentation="The case.")
_OPEN = (
    Parameter("finding", "code", min=1, documentation="A code of the catalogue of critical findings."),
    Parameter("exam", "Reference", documentation="The request (ServiceRequest) that the finding belongs to."),
    Parameter("patient", "Reference", documentation="The patient, of a finding that belongs to no exam known here."),
    Parameter("level", "code", documentation="1, 2 or 3; the catalogue's level when left out."),
    Parameter("recognisedAt", "dateTime", documentation="When it was recognised; now when left out."),
    Parameter("note", "string", documentation="More about it, in words."),
    Parameter("performer", "Reference", documentation="Who recognised it, when the token names no person."),
    Parameter("drill", "boolean", documentation="A drill: rings for real, marked everywhere, counted nowhere."),
    _CASE,
)
_HAND_OVER = (
    Parameter("to", "Reference", min=1, documentation="The Practitioner who shall take the case on."),
    Parameter("note", "string", documentation="What he should know."),
    _CASE,
)
_TAKEN = (
    Parameter("receiver", "Reference", documentation="Who answers; the person signed in when there is one."),
    _CASE,
)
_RETRACT = (Parameter("reason", "string", min=1, documentation="Why it is taken back."), _CASE)

CASES = (
    Operation("Task", "open-case", by_hand.opened_by_hand, level="type", title="Open a case by hand", parameters=_OPEN),
    Operation("Task", "hand-over", handing_over.offered, title="Offer a case to somebody", parameters=_HAND_OVER),
    Operation("Task", "accept", handing_over.accepted, title="Take an offered case on", parameters=_TAKEN),
    Operation("Task", "decline", handing_over.declined, title="Not take an offered case on", parameters=_TAKEN),
    Operation("Task", "retract", retracting.taken_back, title="Take a case back", parameters=_RETRACT),
)
