"""The report service on one page: start reading here."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.profiles.own import BETWEEN_SERVICES as RULE_RESULTS
from slipring.fhir.service import Follows, Keeps, Service
from slipring.fhir.topics import read_topics

from slipring_report.audiences import audiences
from slipring_report.handlers import flagging, records, writes
from slipring_report.operations.amending import AMENDING_OPERATIONS
from slipring_report.operations.flagging import FLAGGING_OPERATIONS
from slipring_report.operations.signing import SIGNING_OPERATIONS
from slipring_report.settings import ReportSettings
from slipring_report.vocabulary import CODE_SYSTEMS, DEPARTMENT_RULE, IMAGE_MISMATCH

SERVICE = Service(
    name="report",
    letter="r",
    title="Reading, two signatures, release",
    keeps=[
        Keeps("DiagnosticReport", on_write=writes.report_written, record=True, if_match=True),
        Keeps("Composition", on_write=writes.composition_written, record=True, if_match=True),
        Keeps("Observation", on_write=writes.observation_written, record=True),
        Keeps("Provenance", on_write=records.provenance_written, record=True),
        Keeps("Task", on_write=records.task_written, record=True),
        Keeps("DocumentReference", record=True),
        Keeps("Communication", record=True),
        Keeps("DetectedIssue", record=True),
        Keeps("Questionnaire"),
        Keeps("QuestionnaireResponse", record=True),
        Keeps("Measure"),
        Keeps("MeasureReport", record=True),
    ],
    follows=[
        *[
            Follows("order", criteria)
            for criteria in (
                "ServiceRequest",
                "Task",
                "Patient",
                "Practitioner",
                "PractitionerRole",
                "ImagingStudy",
                "Device",
                "Observation",
            )
        ],
        Follows("order", f"DetectedIssue?code={DEPARTMENT_RULE}|{IMAGE_MISMATCH}"),
        # A reaction of an exam, and the injection that says of which: who signs is told (CL02-A011:4.13).
        Follows("consent", "AdverseEvent"),
        Follows("consent", "MedicationAdministration"),
        Follows("critical", "Task?code=critical-case", then=flagging.case_arrived),
        Follows("critical", "Communication"),
    ],
    operations=(*SIGNING_OPERATIONS, *AMENDING_OPERATIONS, *FLAGGING_OPERATIONS),
    audiences=audiences,
    timers={"handover-overdue": flagging.handover_overdue},
    alarms={"handovers_overdue": "Task?code=hand-over&business-status=overdue"},
    code_systems=CODE_SYSTEMS,
    profiles=(
        *RULE_RESULTS,
        *read_profiles(Path(__file__).parent / "data" / "profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "life_profiles.toml"),
    ),
    topics=read_topics(Path(__file__).parent / "data" / "topics.toml"),
    settings=ReportSettings.from_env,
)
