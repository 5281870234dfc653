"""The report service on one page: start reading here."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.profiles.own import BETWEEN_SERVICES as RULE_RESULTS
from slipring.fhir.service import Follows, Keeps, Operation, Parameter, Service
from slipring.fhir.terminology.own import BETWEEN_SERVICES, read_code_systems
from slipring.fhir.topics import read_topics
from slipring.staff.vocabulary import STAFF

from slipring_report.audiences import audiences
from slipring_report.facts import DEPARTMENT_RULE, IMAGE_MISMATCH
from slipring_report.handlers import flagging, signing, writes
from slipring_report.settings import ReportSettings

_SIGNATURE_PARTS = (
    Parameter("who", "Reference", "out", 1),
    Parameter("when", "dateTime", "out", 1),
    Parameter("alg", "code", "out", 1),
    Parameter("valid", "boolean", "out", 1),
    Parameter("reason", "string", "out", 0, "*"),
)

_SEAL_PARTS = (
    Parameter("valid", "boolean", "out", 1, documentation="whether the service's own seal over the rendering stands"),
    Parameter("when", "dateTime", "out", documentation="when the rendering was made and sealed"),
    Parameter("reason", "string", "out", 0, "*"),
)

_TOLD = Parameter("issue", "DetectedIssue", "out", 0, "*", "what the signer is told of; it stops no signature")

SERVICE = Service(
    name="report",
    letter="r",
    title="Reading, two signatures, release",
    keeps=[
        Keeps("DiagnosticReport", on_write=writes.report_written, record=True, if_match=True),
        Keeps("Composition", on_write=writes.composition_written, record=True, if_match=True),
        Keeps("Observation", on_write=writes.observation_written, record=True),
        Keeps("Provenance", on_write=writes.provenance_written, record=True),
        Keeps("Task", on_write=writes.task_written, record=True),
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
    operations=[
        Operation(
            "DiagnosticReport",
            "signing-input",
            signing.signing_input_asked,
            title="What is to be signed, and how it reads",
            affects_state=False,
            parameters=(
                Parameter("role", "code", min=1, documentation="author | reviewer | chief"),
                Parameter("payload", "base64Binary", "out", 1),
                Parameter("sha256", "string", "out", 1),
                Parameter("form", "uri", "out", 1),
                Parameter("rendering", "Attachment", "out", 1),
                Parameter("version", "Reference", "out", 1, "*"),
                _TOLD,
            ),
        ),
        Operation(
            "DiagnosticReport",
            "sign",
            signing.report_signed,
            title="Sign the report with a detached JWS",
            step_up=True,
            parameters=(
                Parameter("jws", "string", min=1, documentation="detached compact JWS over the payload"),
                Parameter("role", "code", min=1, documentation="author | reviewer | chief"),
                Parameter("report", "Reference", "out", 1),
                Parameter("provenance", "Reference", "out", 1),
                _TOLD,
            ),
        ),
        Operation(
            "DiagnosticReport",
            "verify",
            signing.verification_asked,
            title="Examine every signature again",
            affects_state=False,
            parameters=(
                Parameter("valid", "boolean", "out", 1),
                Parameter("signature", "", "out", 0, "*", parts=_SIGNATURE_PARTS),
                Parameter("seal", "", "out", 0, "*", parts=_SEAL_PARTS),
            ),
        ),
        Operation(
            "DiagnosticReport",
            "flag-critical",
            flagging.finding_flagged,
            title="Flag a critical finding and hand it over",
            parameters=(
                Parameter("finding", "Coding", min=1),
                Parameter("level", "code", documentation="1 | 2 | 3; the catalogue's level when left out"),
                Parameter("recognisedAt", "dateTime", documentation="now when left out"),
                Parameter("note", "string"),
                Parameter("performer", "Reference", documentation="who recognised it, when the token names no person"),
                Parameter("observation", "Reference", "out", 1),
                Parameter("handover", "Reference", "out", 1),
                Parameter("note", "string", "out", documentation="present until critical has taken the finding over"),
            ),
        ),
    ],
    audiences=audiences,
    timers={"handover-overdue": flagging.handover_overdue},
    alarms={"handovers_overdue": "Task?code=hand-over&business-status=overdue"},
    code_systems=(*BETWEEN_SERVICES, *STAFF, *read_code_systems(Path(__file__).with_name("vocabulary.toml"))),
    profiles=(*RULE_RESULTS, *read_profiles(Path(__file__).with_name("profiles.toml"))),
    topics=read_topics(Path(__file__).with_name("topics.toml")),
    settings=ReportSettings.from_env,
)
