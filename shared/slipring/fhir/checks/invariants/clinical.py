"""Invariants of the clinical resources."""

from __future__ import annotations

from slipring.fhir.checks.invariants.invariant import Node, chosen, coded, given, invariant
from slipring.fhir.checks.invariants.moments import after

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_ALLERGY_VERIFICATION = _TERMINOLOGY + "allergyintolerance-verification"
_CONDITION_VERIFICATION = _TERMINOLOGY + "condition-ver-status"
_CONDITION_CLINICAL = _TERMINOLOGY + "condition-clinical"
_CONSENT_SCOPE = _TERMINOLOGY + "consentscope"
_WRONG = "entered-in-error"


@invariant("ait-1", "AllergyIntolerance")
def allergy_has_a_clinical_status(allergy: Node) -> bool:
    """Unless it was entered in error."""
    return "clinicalStatus" in allergy or coded(allergy.get("verificationStatus"), _ALLERGY_VERIFICATION, _WRONG)


@invariant("ait-2", "AllergyIntolerance")
def wrong_allergy_has_no_clinical_status(allergy: Node) -> bool:
    """What was entered in error is neither active nor resolved."""
    wrong = coded(allergy.get("verificationStatus"), _ALLERGY_VERIFICATION, _WRONG)
    return not (wrong and "clinicalStatus" in allergy)


@invariant("con-1", "ConditionStage")
def stage_says_something(stage: Node) -> bool:
    """A summary or an assessment."""
    return "summary" in stage or "assessment" in stage


@invariant("con-2", "ConditionEvidence")
def evidence_says_something(evidence: Node) -> bool:
    """A code or details."""
    return "code" in evidence or "detail" in evidence


@invariant("con-3", "Condition")
def listed_problem_has_a_clinical_status(condition: Node) -> bool:
    """By its sense: the official expression compares a concept with a text and would ask it of every category."""
    if "clinicalStatus" in condition or coded(condition.get("verificationStatus"), _CONDITION_VERIFICATION, _WRONG):
        return True
    categories = condition.get("category", ())
    return not any(coding.get("code") == "problem-list-item" for one in categories for coding in one.get("coding", ()))


@invariant("con-4", "Condition")
def abated_condition_is_not_active(condition: Node) -> bool:
    """Inactive, resolved or in remission."""
    ended = ("resolved", "remission", "inactive")
    return not chosen(condition, "abatement") or coded(condition.get("clinicalStatus"), _CONDITION_CLINICAL, *ended)


@invariant("con-5", "Condition")
def wrong_condition_has_no_clinical_status(condition: Node) -> bool:
    """What was entered in error is neither active nor resolved."""
    wrong = coded(condition.get("verificationStatus"), _CONDITION_VERIFICATION, _WRONG)
    return not (wrong and "clinicalStatus" in condition)


@invariant("obs-3", "ObservationReferenceRange")
def reference_range_says_something(found: Node) -> bool:
    """Low, high or words."""
    return "low" in found or "high" in found or given(found, "text")


@invariant("obs-6", "Observation")
def value_or_why_there_is_none(observation: Node) -> bool:
    """Not both."""
    return "dataAbsentReason" not in observation or not chosen(observation, "value")


@invariant("obs-7", "Observation")
def value_is_not_that_of_a_component(observation: Node) -> bool | str:
    """A component with the observation's own code holds the value."""
    components = observation.get("component")
    if not components or not chosen(observation, "value"):
        return True
    own = observation.get("code", {}).get("coding", ())
    for position, component in enumerate(components):
        if any(coding in own for coding in component.get("code", {}).get("coding", ())):
            return f".component[{position}].code"
    return True


@invariant("mad-1", "MedicationAdministrationDosage")
def dosage_says_how_much(dosage: Node) -> bool:
    """A dose or a rate."""
    return "dose" in dosage or chosen(dosage, "rate")


@invariant("prr-1", "ServiceRequest")
def details_are_of_a_code(request: Node) -> bool:
    """orderDetail qualifies the code."""
    return "orderDetail" not in request or "code" in request


@invariant("ppc-1", "Consent")
def consent_names_its_policy(consent: Node) -> bool:
    """policy or policyRule."""
    return "policy" in consent or "policyRule" in consent


@invariant("ppc-2", "Consent")
def privacy_consent_names_its_patient(consent: Node) -> bool:
    """By the scope."""
    return _has_patient(consent, "patient-privacy")


@invariant("ppc-3", "Consent")
def research_consent_names_its_patient(consent: Node) -> bool:
    """By the scope."""
    return _has_patient(consent, "research")


@invariant("ppc-4", "Consent")
def advance_directive_names_its_patient(consent: Node) -> bool:
    """By the scope."""
    return _has_patient(consent, "adr")


@invariant("ppc-5", "Consent")
def treatment_consent_names_its_patient(consent: Node) -> bool:
    """By the scope."""
    return _has_patient(consent, "treatment")


def _has_patient(consent: Node, scope: str) -> bool:
    return "patient" in consent or not coded(consent.get("scope"), _CONSENT_SCOPE, scope)


@invariant("cmp-1", "CompositionSection")
def section_holds_something(section: Node) -> bool:
    """Text, entries or sections."""
    return "text" in section or "entry" in section or "section" in section


@invariant("cmp-2", "CompositionSection")
def only_an_empty_section_says_why(section: Node) -> bool:
    """A reason for emptiness beside entries contradicts itself."""
    return not ("emptyReason" in section and "entry" in section)


@invariant("inv-1", "Task")
def task_is_changed_after_it_was_written(task: Node) -> bool:
    """Only a change that is surely earlier is wrong."""
    changed, written = task.get("lastModified"), task.get("authoredOn")
    return changed is None or written is None or not after(written, changed)
