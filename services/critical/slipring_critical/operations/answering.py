"""What a receiver says to a case, and what happened so far."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.answering import answers, timeline_proof

_ACKNOWLEDGE = (
    Parameter(
        "patientCheck",
        "string",
        min=1,
        documentation="The last four characters of the imaging number; of a case without an exam (a reaction), "
        "of the patient's hospital number.",
    ),
    Parameter("finding", "code", min=1, documentation="The code of the finding as it was told."),
    Parameter("receiver", "Reference", documentation="Who received it; the person signed in when left out."),
    Parameter("medium", "code", min=1, documentation="How it was received: webhook, page, phone, in-person."),
    Parameter("number", "string", documentation="By telephone: the number that was called."),
    Parameter("return", "Task", "out", 1, documentation="The case."),
)
_ACT = (
    Parameter("action", "CodeableConcept", min=1, documentation="What was done for the patient."),
    Parameter("note", "string", documentation="More about it, in words."),
    Parameter("unneeded", "boolean", documentation="Whoever received it judges that it need not have rung."),
    Parameter("return", "Task", "out", 1, documentation="The case, closed."),
)
_TIMELINE = (
    Parameter("state", "code", "out", 1, documentation="The state of the case."),
    Parameter(
        "event",
        "",
        "out",
        0,
        "*",
        "One event, in order of time.",
        parts=(
            Parameter("what", "code", "out", 1, documentation="opened, step, sent, read-back-confirmed, ..."),
            Parameter("when", "instant", "out", 1),
            Parameter("who", "string", "out", documentation="A reference, or the name of a ladder target."),
            Parameter("round", "integer", "out"),
            Parameter("step", "integer", "out"),
            Parameter("outcome", "string", "out"),
            Parameter("communication", "Reference", "out"),
            Parameter("medium", "code", "out"),
            Parameter("route", "Reference", "out"),
            Parameter("attempt", "string", "out", documentation="The attempt id (Idempotency-Key) of a message."),
        ),
    ),
)

ANSWERING = (
    Operation("Task", "acknowledge", answers.acknowledged, title="Read a finding back", parameters=_ACKNOWLEDGE),
    Operation("Task", "act", answers.acted, title="Record what was done", parameters=_ACT),
    Operation(
        "Task",
        "proof",
        timeline_proof.proof_asked,
        title="The timeline as one file that `slipring verify` checks without this server",
        affects_state=False,
        tells=("Communication",),
        parameters=(Parameter("return", "Binary", "out", 1, documentation="The file in `data`."),),
    ),
    Operation("Task", "timeline", answers.timeline, title="What happened", affects_state=False, parameters=_TIMELINE),
)
