"""The report service on one page: start reading here."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.profiles.own import BETWEEN_SERVICES as RULE_RESULTS
from slipring.fhir.service import Follows, Keeps, Service
from slipring.fhir.topics import read_topics
from slipring.measuring.spelling import MEMBERS, PROFILES
from slipring.quality.critical_catalogue import CATALOGUE, PLAN_TYPE
from slipring.verdicts import PROFILES as VERDICT_PROFILES
from slipring.verdicts.recording import guarding, measures

from slipring_report.audiences import audiences
from slipring_report.clauses.answering import CLAUSES, EVIDENCE, RECORDING
from slipring_report.clocks import watching
from slipring_report.department import unconfirmed
from slipring_report.emergency.resources import TIMER as SECOND_READ
from slipring_report.handlers import (
    certificates,
    claims,
    conferences,
    flagging,
    late_images,
    learning_records,
    messages,
    reading_tasks,
    records,
    second_reads,
    stamping,
    work_tasks,
    writes,
)
from slipring_report.handlers.reports_moved import and_readings
from slipring_report.indicators import FORM, INDICATORS, counts
from slipring_report.operations.amending import AMENDING_OPERATIONS
from slipring_report.operations.certificates import CERTIFICATE_OPERATIONS
from slipring_report.operations.emergency import EMERGENCY_OPERATIONS
from slipring_report.operations.flagging import FLAGGING_OPERATIONS
from slipring_report.operations.learning import LEARNING_OPERATIONS
from slipring_report.operations.proving import PROOF
from slipring_report.operations.signing import SIGNING_OPERATIONS
from slipring_report.operations.text_checks import TEXT_OPERATIONS
from slipring_report.operations.work import WORK_OPERATIONS
from slipring_report.operations.worklist import WORKLIST_OPERATIONS
from slipring_report.settings import ReportSettings
from slipring_report.signatures.stamping import STAMPING
from slipring_report.vocabulary import CODE_SYSTEMS, DEPARTMENT_RULE, IMAGE_MISMATCH
from slipring_report.worklist import work_task

SERVICE = Service(
    name="report",
    letter="r",
    title="Reading, two signatures, release",
    keeps=[
        Keeps("DiagnosticReport", on_write=writes.report_written, record=True, if_match=True),
        Keeps("Composition", on_write=writes.composition_written, record=True, if_match=True),
        Keeps("Observation", on_write=writes.observation_written, record=True),
        Keeps("Provenance", on_write=records.provenance_written, record=True),
        Keeps("Task", on_write=work_tasks.task_written, record=True),
        Keeps("DocumentReference", on_write=certificates.document_written, record=True),
        Keeps("Communication", on_write=messages.message_written, record=True),
        Keeps("DetectedIssue", record=True),
        Keeps("Questionnaire"),
        Keeps("QuestionnaireResponse", on_write=learning_records.response_written, record=True),
        *guarding(INDICATORS.keeps),
    ],
    follows=[
        *[
            Follows("order", criteria)
            for criteria in (
                "ServiceRequest",
                "Patient",
                "Practitioner",
                "PractitionerRole",
                "Device",
                "Observation",
            )
        ],
        Follows("order", "Task", then=reading_tasks.exam_arrived, concerning=reading_tasks.is_exam),
        Follows("order", "ImagingStudy", then=late_images.study_arrived),
        Follows("order", "Encounter", then=reading_tasks.encounter_arrived),
        Follows("order", f"DetectedIssue?code={DEPARTMENT_RULE}|{IMAGE_MISMATCH}"),
        # A reaction of an exam, and the injection that says of which: who signs is told (CL02-A011:4.13).
        Follows("consent", "AdverseEvent"),
        Follows("consent", "MedicationAdministration"),
        Follows("critical", "Task?code=critical-case", then=flagging.case_arrived),
        Follows("critical", "Communication"),
        Follows("critical", f"PlanDefinition?type={PLAN_TYPE}|{CATALOGUE}"),  # findings of the department's own
    ],
    operations=(
        *map(and_readings, (*SIGNING_OPERATIONS, PROOF, *AMENDING_OPERATIONS)),
        *FLAGGING_OPERATIONS,
        *TEXT_OPERATIONS,
        *EMERGENCY_OPERATIONS,
        *WORKLIST_OPERATIONS,
        *CERTIFICATE_OPERATIONS,
        *WORK_OPERATIONS,
        *LEARNING_OPERATIONS,
        CLAUSES.operation(),
        RECORDING.operation(),
        EVIDENCE.operation(),
        *INDICATORS.operations,
    ),
    audiences=audiences,
    timers={
        "handover-overdue": flagging.handover_overdue,
        SECOND_READ: second_reads.second_read_overdue,
        watching.TIMER: reading_tasks.reporting_time,
        claims.LEASE: claims.claim_over,
        certificates.ENDING: certificates.certificate_ending,
        work_task.TIMER: work_task.work_overdue,
        conferences.DUE: conferences.conference_due,
    },
    errands={STAMPING: stamping.stamp_fetched},
    alarms={
        "certificates_ending": "Task?code=certificate-renewal&status=requested",
        "second_reads_overdue": "Task?code=second-read&business-status=overdue&status=requested",
        "handovers_overdue": "Task?code=hand-over&business-status=overdue",
        "reports_overdue": "Task?code=reading&business-status=breached&status=ready,in-progress",
        "work_overdue": "Task?code=late-images,discordance&business-status=breached&status=ready,in-progress",
    },
    deadlines={
        "reporting-time": "Task?code=reading&business-status=running,warned&status=ready,in-progress",
        "second-read": "Task?code=second-read&business-status=waiting&status=requested",
        "claim": "Task?code=reading&business-status=claimed",
        "work": "Task?code=late-images,discordance&business-status=running&status=ready,in-progress",
    },
    code_systems=(*CODE_SYSTEMS, MEMBERS),
    profiles=(
        *VERDICT_PROFILES,
        *RULE_RESULTS,
        *PROFILES,
        *read_profiles(Path(__file__).parent / "data" / "profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "life_profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "text_profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "certificate_profiles.toml"),
    ),
    topics=(
        *read_topics(Path(__file__).parent / "data" / "topics.toml"),
        *read_topics(Path(__file__).parent / "data" / "work_topics.toml"),
    ),
    settings=ReportSettings.from_env,
    unconfirmed=unconfirmed,
    counts=counts,
    counts_form=FORM,
    ships=(*INDICATORS.shipped, *measures("r")),
)
