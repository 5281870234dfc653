"""The critical service on one page: what it keeps, follows, answers and waits for. Start reading here."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.profiles.own import BETWEEN_SERVICES as RULE_RESULTS
from slipring.fhir.service import Follows, Keeps, Operation, Parameter, Service
from slipring.fhir.topics import read_topics

from slipring_critical import answers, guards, handlers, retracting
from slipring_critical.climbing import ACTED_OVERDUE, ATTEMPT_FAILED, OPEN_CASE, SEND, STEP_OVERDUE
from slipring_critical.facts import CRITICAL_FINDING
from slipring_critical.lifecycle import OPEN
from slipring_critical.sending import send
from slipring_critical.settings import CriticalSettings
from slipring_critical.unconfirmed import unconfirmed
from slipring_critical.vocabulary import CODE_SYSTEMS

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
    Parameter("return", "Task", "out", 1, documentation="The case."),
)
_ACT = (
    Parameter("action", "CodeableConcept", min=1, documentation="What was done for the patient."),
    Parameter("note", "string", documentation="More about it, in words."),
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

SERVICE = Service(
    name="critical",
    letter="k",
    title="Critical findings: the closed loop",
    keeps=[
        Keeps("Task", on_write=guards.task_written, record=True),
        Keeps("CommunicationRequest", record=True),
        Keeps("Communication", on_write=guards.communication_written, record=True),
        Keeps("Flag", record=True),
        Keeps("Schedule"),
        Keeps("Slot"),
        Keeps("Endpoint", on_write=guards.route_written),
        Keeps("Provenance", record=True),
    ],
    follows=[
        Follows("report", "Task?code=hand-over", then=handlers.handover_arrived),
        Follows("report", "Observation", then=handlers.finding_arrived, unreleased=True),
        Follows("report", "DiagnosticReport", then=retracting.report_arrived, unreleased=True),
        # A severe reaction to contrast is told by consent the same way (CL02-A011:5.4.4.1).
        Follows("consent", "Task?code=hand-over", then=handlers.handover_arrived),
        Follows("consent", f"Observation?code={CRITICAL_FINDING}|CV-CT-15", then=handlers.finding_arrived),
        Follows("order", "ServiceRequest"),
        Follows("order", "Patient"),
        Follows("order", "Encounter"),
        Follows("order", "Practitioner"),
        Follows("order", "PractitionerRole"),
        Follows("order", "Location"),
        Follows("order", "Organization"),
    ],
    operations=[
        Operation("Task", "acknowledge", answers.acknowledged, title="Read a finding back", parameters=_ACKNOWLEDGE),
        Operation("Task", "act", answers.acted, title="Record what was done", parameters=_ACT),
        Operation(
            "Task", "timeline", answers.timeline, title="What happened", affects_state=False, parameters=_TIMELINE
        ),
    ],
    timers={
        OPEN_CASE: handlers.both_arrived,
        STEP_OVERDUE: handlers.step_overdue,
        ATTEMPT_FAILED: handlers.attempt_failed,
        ACTED_OVERDUE: handlers.acted_overdue,
    },
    errands={SEND: send},
    # No open case without a future deadline: each has its timer, or it would be forgotten (CL02-A011:5.9.1).
    deadlines={"open-case": "Task?code=critical-case&business-status=" + ",".join(sorted(OPEN))},
    code_systems=CODE_SYSTEMS,
    profiles=(*RULE_RESULTS, *read_profiles(Path(__file__).with_name("profiles.toml"))),
    topics=read_topics(Path(__file__).with_name("topics.toml")),
    settings=CriticalSettings.from_env,
    unconfirmed=unconfirmed,
)
