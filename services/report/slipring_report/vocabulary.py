"""The systems, codes and addresses of extensions that the report service writes or reads, and its code systems."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.service import CANONICAL
from slipring.fhir.terminology.own import BETWEEN_SERVICES, own_system, read_code_systems
from slipring.quality.life import STATES
from slipring.signing.policy import revocation_reasons
from slipring.staff.vocabulary import STAFF

from slipring_report.emergency.policy import GRADES

COMPOSITION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
VOIDED = f"{CANONICAL}/StructureDefinition/signature-voided"
QUALIFICATION = f"{CANONICAL}/StructureDefinition/qualification-snapshot"
SIGNING_ROLE = f"{CANONICAL}/CodeSystem/signing-role"
SUPERSEDED = f"{CANONICAL}/StructureDefinition/signature-superseded"
AMENDMENT = f"{CANONICAL}/StructureDefinition/report-amendment"
AMENDMENT_REASON = f"{CANONICAL}/CodeSystem/amendment-reason"
WITHDRAWAL = f"{CANONICAL}/StructureDefinition/report-withdrawal"
WITHDRAWAL_REASON = f"{CANONICAL}/CodeSystem/withdrawal-reason"
REPORT_NOTICE = f"{CANONICAL}/CodeSystem/report-notice"
REPORT_TAG = f"{CANONICAL}/CodeSystem/report-tag"
EMERGENCY_REASON = f"{CANONICAL}/CodeSystem/emergency-release-reason"
EMERGENCY_RELEASE = f"{CANONICAL}/StructureDefinition/emergency-release"
SECOND_READ_STATE = f"{CANONICAL}/CodeSystem/second-read-state"
DISCREPANCY_GRADE = f"{CANONICAL}/CodeSystem/discrepancy-grade"
REVIEW_FLAG = f"{CANONICAL}/CodeSystem/review-flag"
TEXT_CHECK = f"{CANONICAL}/text-check"  # the system of the keys of what the checks of a text found
TEXT_PLACE = f"{CANONICAL}/StructureDefinition/text-place"
LOINC = "http://loinc.org"
REPORT_STATUS = "http://hl7.org/fhir/diagnostic-report-status"
MESSAGE_CATEGORY = f"{CANONICAL}/CodeSystem/communication-category"
READING_CATEGORY = f"{CANONICAL}/CodeSystem/reading-category"
CONCORDANCE_GRADE = f"{CANONICAL}/CodeSystem/concordance-grade"
DISCORDANCE_CAUSE = f"{CANONICAL}/CodeSystem/discordance-cause"
DISCORDANCE_MEASURE = f"{CANONICAL}/CodeSystem/discordance-measure"
TASK_CODE = f"{CANONICAL}/CodeSystem/task-code"
CASE_STATE = f"{CANONICAL}/CodeSystem/case-state"
HANDOVER_STATE = f"{CANONICAL}/CodeSystem/handover-state"
CRITICAL_FINDING = f"{CANONICAL}/CodeSystem/critical-finding"
DEPARTMENT_RULE = f"{CANONICAL}/CodeSystem/department-rule"
IMAGE_MISMATCH = "image-mismatch"
FINDING_LEVEL = f"{CANONICAL}/CodeSystem/finding-level"
FLAG_MARK = f"{CANONICAL}/CodeSystem/flag-mark"

_DATA = Path(__file__).parent / "data"
CODE_SYSTEMS = (
    *BETWEEN_SERVICES,
    *STAFF,
    STATES,
    GRADES,
    *read_code_systems(_DATA / "vocabulary.toml"),
    *read_code_systems(_DATA / "work_vocabulary.toml"),
    *read_code_systems(_DATA / "learning_vocabulary.toml"),
    *read_code_systems(_DATA / "certificate_vocabulary.toml"),
    own_system(
        "certificate-revocation-reason", "Why a certificate was taken back", "证书撤销原因", revocation_reasons()
    ),
)


def codes_of(system: str) -> dict[str, dict[str, str]]:
    """The codes of one of these systems, each with `zh` and `en`."""
    [found] = [each for each in CODE_SYSTEMS if each.url == system]
    return {concept.code: {"zh": concept.zh, "en": concept.display} for concept in found.concepts}
