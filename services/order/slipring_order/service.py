"""The order service on one page: what it keeps, follows and decides. Start reading here."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.service import Follows, Keeps, Operation, Parameter, Service, UniqueIdentifier
from slipring.fhir.topics import read_topics
from slipring.measuring.spelling import MEMBERS, PROFILES
from slipring.verdicts import PROFILES as VERDICT_PROFILES
from slipring.verdicts.history import CHECK
from slipring.verdicts.recording import guarding, measures, verdict_arrived

from slipring_order.beside import beside
from slipring_order.clauses.answering import CLAUSES, DRAWING, RECORDING
from slipring_order.clauses.evidence import EVIDENCE
from slipring_order.dicom.seen import dicom_seen
from slipring_order.eqa.form import eqa_questionnaire
from slipring_order.grading.graded import questionnaire
from slipring_order.handlers.advise import advised
from slipring_order.handlers.check_list import record_written
from slipring_order.handlers.clocks import TIMER, clock_struck
from slipring_order.handlers.decisions import decided, is_override
from slipring_order.handlers.definitions import SCOPE_COVERAGE, exam_defined, plan_defined
from slipring_order.handlers.evidence import evidence_written, images_written, observation_written
from slipring_order.handlers.feedback import feedback_given
from slipring_order.handlers.followed import consent_arrived, report_arrived, screening_arrived
from slipring_order.handlers.justify import justified
from slipring_order.handlers.maps import map_written
from slipring_order.handlers.mismatches import finding_written
from slipring_order.handlers.papers import device_written, document_written
from slipring_order.handlers.patients import patient_written
from slipring_order.handlers.reminding import LAPSES, lapsed
from slipring_order.handlers.requests import SEQUENCE, form_written, request_written
from slipring_order.handlers.review import indications_reviewed
from slipring_order.handlers.satisfaction import response_taken
from slipring_order.handlers.scheduling import appointment_written
from slipring_order.handlers.staff import practitioner_written, role_written
from slipring_order.handlers.tasks import guarded
from slipring_order.indicators import FORM, counts
from slipring_order.judging.surroundings import ahead
from slipring_order.measuring import INDICATORS
from slipring_order.operations.comparison import COMPARISON_OPERATIONS
from slipring_order.operations.department import DEPARTMENT_OPERATIONS
from slipring_order.operations.dose import DOSE_OPERATIONS
from slipring_order.operations.eqa import EQA_OPERATIONS
from slipring_order.operations.equipment import EQUIPMENT_OPERATIONS
from slipring_order.operations.grading import GRADING_OPERATIONS
from slipring_order.operations.life import LIFE_OPERATIONS
from slipring_order.operations.review import REVIEW_OPERATIONS
from slipring_order.operations.rooms import ROOM_OPERATIONS
from slipring_order.rooms.step import STEP_SEQUENCE
from slipring_order.satisfaction.answered import questionnaires
from slipring_order.settings import OrderSettings
from slipring_order.unconfirmed import unconfirmed
from slipring_order.vocabulary import CODE_SYSTEMS

SERVICE = Service(
    name="order",
    letter="o",
    title="Requests, justification, schedule, reception and performance of CT exams",
    keeps=[
        Keeps(
            "ServiceRequest",
            on_write=request_written,
            ahead=ahead,
            unique=(UniqueIdentifier("PLAC"), UniqueIdentifier("FILL"), UniqueIdentifier("ACSN")),
            owned=("FILL", "ACSN"),
            record=True,
            must_exist=("subject",),
        ),
        Keeps("Task", on_write=guarded, record=True),
        Keeps("Patient", on_write=patient_written),
        Keeps("RelatedPerson"),
        Keeps("Practitioner", on_write=practitioner_written),
        Keeps("PractitionerRole", on_write=role_written),
        Keeps("Organization"),
        Keeps("Location"),
        Keeps("Encounter"),
        Keeps("Device", on_write=device_written),
        Keeps("Condition", on_write=evidence_written),
        Keeps("MedicationStatement"),
        Keeps("MedicationRequest"),
        Keeps("AllergyIntolerance"),
        Keeps("Observation", on_write=observation_written),
        Keeps("Appointment", on_write=appointment_written),
        Keeps("ImagingStudy", on_write=images_written, record=True),
        Keeps("Procedure", on_write=evidence_written),
        Keeps("DetectedIssue", on_write=finding_written, record=True),
        Keeps("GuidanceResponse", record=True),
        Keeps("DocumentReference", on_write=document_written),
        Keeps("ActivityDefinition", on_write=exam_defined),
        Keeps("PlanDefinition", on_write=plan_defined),
        Keeps("ConceptMap", on_write=map_written),
        Keeps("Questionnaire", on_write=form_written),
        Keeps("QuestionnaireResponse", on_write=response_taken),
        *guarding(INDICATORS.keeps),
        Keeps("Provenance", on_write=record_written, record=True),
    ],
    follows=[
        *(
            Follows(name, f"MeasureReport?measure={CHECK}", then=verdict_arrived)
            for name in ("consent", "report", "critical")
        ),
        Follows("consent", "Consent", then=consent_arrived),
        Follows("consent", "MedicationAdministration"),
        Follows("consent", "AllergyIntolerance"),
        Follows("consent", "Task"),
        Follows("consent", "QuestionnaireResponse", then=screening_arrived),
        Follows("report", "DiagnosticReport", then=report_arrived, unreleased=True),
        Follows("report", "DetectedIssue", unreleased=True),
    ],
    operations=[
        *LIFE_OPERATIONS,
        Operation(
            "Task",
            "decide",
            decided,
            title="Decide on the justification of an exam",
            step_up=is_override,
            parameters=(
                Parameter("decision", "code", min=1, documentation="justified | rejected | ask | replace"),
                Parameter("reason", "CodeableConcept", min=1, documentation="emergency passes a stat request whole"),
                Parameter("note", "string"),
                Parameter("replacement", "Reference"),
                Parameter("performer", "Reference", documentation="who decides, when the caller is no person"),
                Parameter("agreedBy", "Reference", documentation="the requester, where J04 stands and he agrees"),
                Parameter("consent", "Reference", documentation="the patient's consent, or a paper's number, for J04"),
                Parameter("return", "Task", use="out", min=1),
            ),
        ),
        *ROOM_OPERATIONS,
        *EQUIPMENT_OPERATIONS,
        *COMPARISON_OPERATIONS,
        *EQA_OPERATIONS,
        *GRADING_OPERATIONS,
        SCOPE_COVERAGE,
        Operation(
            "ServiceRequest",
            "indication-review",
            indications_reviewed,
            level="type",
            title="Review whether indications were met, by requester and department",
            tells=("ServiceRequest", "Task", "DetectedIssue"),
            parameters=(
                Parameter("periodStart", "date", min=1),
                Parameter("periodEnd", "date", min=1, documentation="the last day that counts"),
                Parameter("report", "MeasureReport", use="out", min=1, max="*"),
            ),
        ),
        Operation(
            "ServiceRequest",
            "advise",
            advised,
            level="type",
            title="Say what the rules will say about draft orders, storing nothing",
            affects_state=False,
            parameters=(
                Parameter(
                    "data", "Bundle", min=1, documentation="the draft orders and what is known about the patient"
                ),
                Parameter("order", "Reference", max="*", documentation="which orders; without it all are judged"),
                Parameter(
                    "advice",
                    "BackboneElement",
                    use="out",
                    max="*",
                    documentation="one per CT order",
                    parts=(
                        Parameter("order", "Reference", use="out", min=1),
                        Parameter("outcome", "code", use="out", min=1),
                        Parameter("issue", "DetectedIssue", use="out", max="*"),
                    ),
                ),
            ),
        ),
        Operation(
            "ServiceRequest",
            "advice-feedback",
            feedback_given,
            level="type",
            title="Record what became of advice at ordering",
            parameters=(
                Parameter(
                    "feedback",
                    "BackboneElement",
                    min=1,
                    max="*",
                    parts=(
                        Parameter("card", "uuid", min=1),
                        Parameter("service", "code", min=1, documentation="order-select | order-sign"),
                        Parameter("outcome", "code", min=1, documentation="accepted | overridden"),
                        Parameter("reason", "Coding", documentation="why it was overridden"),
                        Parameter("comment", "string"),
                        Parameter("at", "instant", min=1),
                    ),
                ),
                Parameter("issue", "DetectedIssue", use="out", max="*"),
            ),
        ),
        Operation(
            "ServiceRequest",
            "justify",
            justified,
            level="type",
            title="Judge a request without storing anything",
            affects_state=False,
            parameters=(
                Parameter("data", "Bundle", min=1),
                Parameter("outcome", "code", use="out", min=1),
                Parameter("issue", "DetectedIssue", use="out", max="*"),
            ),
        ),
        *DEPARTMENT_OPERATIONS,
        *DOSE_OPERATIONS,
        *REVIEW_OPERATIONS,
        CLAUSES.operation(),
        RECORDING.operation(),
        DRAWING.operation(),
        EVIDENCE.operation(),
        *INDICATORS.operations,
    ],
    timers={TIMER: clock_struck, LAPSES: lapsed},
    sequences=(SEQUENCE, STEP_SEQUENCE),
    code_systems=(*CODE_SYSTEMS, MEMBERS),
    profiles=(
        *VERDICT_PROFILES,
        *read_profiles(Path(__file__).parent / "data" / "profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "dose_profiles.toml"),
        *read_profiles(Path(__file__).parent / "department" / "profiles.toml"),
        *read_profiles(Path(__file__).parent / "review" / "profiles.toml"),
        *PROFILES,
    ),
    topics=read_topics(Path(__file__).parent / "data" / "topics.toml"),
    settings=OrderSettings.from_env,
    beside=beside,
    seen=dicom_seen,
    unconfirmed=unconfirmed,
    counts=counts,
    counts_form=FORM,
    ships=(*INDICATORS.shipped, *measures("o", of_all=True), *questionnaires(), questionnaire(), eqa_questionnaire()),
)
