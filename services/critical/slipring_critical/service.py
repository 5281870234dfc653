"""The critical service on one page: what it keeps, follows, answers and waits for. Start reading here."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.profiles.own import BETWEEN_SERVICES as RULE_RESULTS
from slipring.fhir.service import Follows, Keeps, Service
from slipring.fhir.topics import read_topics
from slipring.measuring.spelling import MEMBERS, PROFILES
from slipring.verdicts import PROFILES as VERDICT_PROFILES
from slipring.verdicts.recording import guarding, measures

from slipring_critical import guards
from slipring_critical.cases.facts import CRITICAL_FINDING
from slipring_critical.clauses.answering import CLAUSES, EVIDENCE, RECORDING
from slipring_critical.directory.desk import STAFFED_DESK
from slipring_critical.directory.proving import ROUTES
from slipring_critical.directory.schedules import ROSTERS
from slipring_critical.directory.watching import ROSTER_GAP, ROSTER_LOOK
from slipring_critical.handlers import arriving, overdue, retracting, rosters, watching
from slipring_critical.handlers.plans import plan_written
from slipring_critical.indicators.rows import FORM, INDICATORS, counts
from slipring_critical.lifecycle import OPEN
from slipring_critical.operations import OPERATIONS
from slipring_critical.ringing.checking import ROUTE_CHECK, ROUTE_DUE, SEND_CODE, route_due, send_code
from slipring_critical.ringing.climbing import (
    ACTED_OVERDUE,
    ATTEMPT_FAILED,
    DEADLINE_MISSING,
    OPEN_CASE,
    SEND,
    STEP_OVERDUE,
)
from slipring_critical.ringing.provider_signs import beside
from slipring_critical.ringing.reply_codes import SEQUENCE as REPLY_SEQUENCE
from slipring_critical.ringing.sending import send
from slipring_critical.settings import CriticalSettings
from slipring_critical.unconfirmed import unconfirmed
from slipring_critical.vocabulary import CODE_SYSTEMS

SERVICE = Service(
    name="critical",
    letter="k",
    title="Critical findings: the closed loop",
    keeps=[
        Keeps("Task", on_write=guards.task_written, record=True),
        Keeps("CommunicationRequest", record=True),
        Keeps("Communication", on_write=guards.communication_written, record=True),
        Keeps("Flag", record=True),
        Keeps("Schedule", on_write=rosters.roster_written),
        Keeps("Slot", on_write=rosters.shift_written),
        Keeps("Endpoint", on_write=guards.route_written),
        Keeps("Provenance", record=True),
        Keeps("PlanDefinition", on_write=plan_written),
        *guarding(INDICATORS.keeps),
    ],
    follows=[
        Follows("report", "Task?code=hand-over", then=arriving.handover_arrived),
        Follows("report", "Observation", then=arriving.finding_arrived, unreleased=True),
        Follows("report", "DiagnosticReport", then=retracting.report_arrived, unreleased=True),
        # A severe reaction to contrast is told by consent the same way (CL02-A011:5.4.4.1).
        Follows("consent", "Task?code=hand-over", then=arriving.handover_arrived),
        Follows("consent", f"Observation?code={CRITICAL_FINDING}|CV-CT-15", then=arriving.finding_arrived),
        Follows("order", "ServiceRequest"),
        Follows("order", "Patient"),
        Follows("order", "Encounter"),
        Follows("order", "Practitioner"),
        Follows("order", "PractitionerRole"),
        Follows("order", "Location"),
        Follows("order", "Organization"),
    ],
    operations=(*OPERATIONS, CLAUSES.operation(), RECORDING.operation(), EVIDENCE.operation(), *INDICATORS.operations),
    timers={
        OPEN_CASE: arriving.both_arrived,
        STEP_OVERDUE: overdue.step_overdue,
        ATTEMPT_FAILED: overdue.attempt_failed,
        ACTED_OVERDUE: overdue.acted_overdue,
        DEADLINE_MISSING: watching.deadline_missing,
        ROSTER_LOOK: rosters.roster_due,
        ROUTE_DUE: route_due,
    },
    errands={SEND: send, SEND_CODE: send_code},
    # Who is rung by which route is looked up at every step of every case.
    looked_up=frozenset(
        {
            "Schedule",
            "Slot",
            "Endpoint",
            "PlanDefinition",
            "Practitioner",
            "PractitionerRole",
            "Location",
            "Organization",
        }
    ),
    # No open case without a future deadline: each has its timer, or it would be forgotten (CL02-A011:5.9.1).
    deadlines={
        "open-case": "Task?code=critical-case&business-status=" + ",".join(sorted(OPEN)),
        "roster": ROSTERS,  # nor a roster that nobody looks at ahead
        "route": ROUTES,  # nor a contact route that is never tested
    },
    repairs={"open-case": DEADLINE_MISSING, "roster": ROSTER_LOOK, "route": ROUTE_DUE},
    alarms={
        "roster_gaps": f"Task?code={ROSTER_GAP}&status=requested",
        "staffed_desk_missing": f"Task?code={STAFFED_DESK}&status=requested",
        "unproven_routes": f"Task?code={ROUTE_CHECK}&status=requested",
    },
    sequences=(REPLY_SEQUENCE,),
    code_systems=(*CODE_SYSTEMS, MEMBERS),
    profiles=(*VERDICT_PROFILES, *RULE_RESULTS, *PROFILES, *read_profiles(Path(__file__).with_name("profiles.toml"))),
    topics=read_topics(Path(__file__).with_name("topics.toml")),
    settings=CriticalSettings.from_env,
    beside=beside,
    unconfirmed=unconfirmed,
    counts=counts,
    counts_form=FORM,
    ships=(*INDICATORS.shipped, *measures("k")),
)
