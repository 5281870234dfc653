"""The consent service on one page: no contrast without consent, no reaction without a record."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles import read_profiles
from slipring.fhir.service import Follows, Keeps, Service, UniqueIdentifier
from slipring.fhir.topics import read_topics
from slipring.measuring.spelling import MEMBERS, PROFILES
from slipring.verdicts import PROFILES as VERDICT_PROFILES
from slipring.verdicts.recording import guarding, measures

from slipring_consent.clauses.answering import CLAUSES, EVIDENCE, RECORDING
from slipring_consent.consenting.exception import asks_exception
from slipring_consent.contrast.holding import RECEIPT_NUMBER
from slipring_consent.gate.ahead import ahead as gate_ahead
from slipring_consent.gate.override import asks_override
from slipring_consent.handlers.alarms import staff_arrived
from slipring_consent.handlers.changed_facts import ahead as facts_ahead
from slipring_consent.handlers.changed_facts import and_weighed, fact_arrived, fact_written
from slipring_consent.handlers.consent_texts import text_written
from slipring_consent.handlers.consents import consent_written
from slipring_consent.handlers.contrast_record import administration_written
from slipring_consent.handlers.exam_changes import allergy_arrived, allergy_written, task_arrived
from slipring_consent.handlers.follow_up import call_is_due
from slipring_consent.handlers.handing_over import OVERDUE, case_arrived, handover_overdue
from slipring_consent.handlers.lots import lot_written, movement_written
from slipring_consent.handlers.observation import observation_over
from slipring_consent.handlers.policy_sets import is_policy_set, policy_arrived
from slipring_consent.handlers.reactions import reaction_logged
from slipring_consent.handlers.requests import ahead, request_arrived
from slipring_consent.handlers.screening import issue_decided, screening_answered
from slipring_consent.handlers.signature_records import record_written
from slipring_consent.handlers.tasks import task_written
from slipring_consent.observing.escalating import UNRELEASED, observation_overdue
from slipring_consent.observing.extending import OVER
from slipring_consent.observing.follow_up import DUE
from slipring_consent.operations.assessing import ASSESS
from slipring_consent.operations.consenting import CONSENTING_OPERATIONS
from slipring_consent.operations.contrast import CONTRAST_OPERATIONS
from slipring_consent.operations.gate import GATE_OPERATIONS
from slipring_consent.operations.observing import OBSERVING_OPERATIONS
from slipring_consent.operations.reactions import REACTION_OPERATIONS
from slipring_consent.operations.screening_form import FORM_OPERATIONS
from slipring_consent.operations.surveillance import SURVEILLANCE_OPERATIONS
from slipring_consent.readiness.facts import CART_CHECK
from slipring_consent.screening.weighed import is_looked_at
from slipring_consent.settings import ConsentSettings
from slipring_consent.surveillance.indicators import FORM, INDICATORS, counts
from slipring_consent.unconfirmed import unconfirmed
from slipring_consent.vocabulary import CODE_SYSTEMS, VALUE_SETS

SERVICE = Service(
    name="consent",
    letter="c",
    title="Contrast: screening, consent, administration, reactions",
    keeps=(
        Keeps("Questionnaire"),
        Keeps("QuestionnaireResponse", on_write=screening_answered, record=True),
        Keeps("Consent", on_write=consent_written, record=True, step_up=asks_exception),
        Keeps("Medication", on_write=lot_written, record=True),
        Keeps(
            "MedicationAdministration",
            on_write=and_weighed(administration_written),
            ahead=gate_ahead,
            record=True,
            step_up=asks_override,
        ),
        Keeps("AdverseEvent", on_write=and_weighed(reaction_logged), record=True),
        Keeps("AllergyIntolerance", on_write=and_weighed(allergy_written), record=True),
        Keeps("Observation", on_write=fact_written),
        Keeps("Task", on_write=task_written, record=True),
        Keeps("DetectedIssue", on_write=issue_decided, record=True),
        Keeps("Flag"),
        Keeps(
            "SupplyDelivery", on_write=movement_written, unique=(UniqueIdentifier(system=RECEIPT_NUMBER),), record=True
        ),
        Keeps("DocumentReference", on_write=text_written, record=True),
        Keeps("Provenance", on_write=record_written, record=True),
        *guarding(INDICATORS.keeps),
    ),
    follows=(
        Follows("order", "ServiceRequest", then=request_arrived, ahead=ahead),
        Follows("order", "Task", then=task_arrived),
        Follows("order", "Patient", then=fact_arrived, ahead=facts_ahead),
        Follows("order", "RelatedPerson"),
        Follows("order", "Practitioner", then=staff_arrived),
        Follows("order", "PractitionerRole", then=staff_arrived),
        Follows("order", "Encounter", then=fact_arrived, ahead=facts_ahead),
        Follows("order", "Observation", then=fact_arrived, ahead=facts_ahead, concerning=is_looked_at),
        Follows("order", "AllergyIntolerance", then=allergy_arrived, ahead=facts_ahead),
        Follows("order", "Condition", then=fact_arrived, ahead=facts_ahead),
        Follows("order", "MedicationStatement", then=fact_arrived, ahead=facts_ahead),
        Follows("order", "MedicationRequest", then=fact_arrived, ahead=facts_ahead),
        Follows("order", "Procedure", then=fact_arrived, ahead=facts_ahead),
        Follows("order", "Device"),
        Follows("order", "PlanDefinition", then=policy_arrived, concerning=is_policy_set),
        Follows("order", f"QuestionnaireResponse?questionnaire={CART_CHECK}"),
        Follows("critical", "Task?code=critical-case", then=case_arrived),
    ),
    operations=(
        *GATE_OPERATIONS,
        *CONTRAST_OPERATIONS,
        *CONSENTING_OPERATIONS,
        *OBSERVING_OPERATIONS,
        *REACTION_OPERATIONS,
        *FORM_OPERATIONS,
        ASSESS,
        *SURVEILLANCE_OPERATIONS,
        CLAUSES.operation(),
        RECORDING.operation(),
        EVIDENCE.operation(),
        *INDICATORS.operations,
    ),
    timers={
        OVER: observation_over,
        UNRELEASED: observation_overdue,
        DUE: call_is_due,
        OVERDUE: handover_overdue,
    },
    alarms={
        "handovers_overdue": "Task?code=hand-over&business-status=overdue",
        "observations_overdue": "Task?code=observation&business-status=overdue",
    },
    deadlines={
        "observation": "Task?code=observation&business-status=running,over,reaction,overdue",
        "follow-up": "Task?code=reaction-follow-up&business-status=planned",
    },
    code_systems=(*CODE_SYSTEMS, MEMBERS),
    value_sets=VALUE_SETS,
    profiles=(
        *VERDICT_PROFILES,
        *read_profiles(Path(__file__).parent / "data" / "profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "consent_profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "screening_profiles.toml"),
        *read_profiles(Path(__file__).parent / "data" / "reaction_profiles.toml"),
        *PROFILES,
    ),
    topics=read_topics(Path(__file__).parent / "data" / "topics.toml"),
    settings=ConsentSettings.from_env,
    unconfirmed=unconfirmed,
    counts=counts,
    counts_form=FORM,
    ships=(*INDICATORS.shipped, *measures("c")),
)
