"""The systems, codes and addresses of extensions that the report service writes or reads, and its code systems."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.service import CANONICAL
from slipring.fhir.terminology.own import BETWEEN_SERVICES, read_code_systems
from slipring.staff.vocabulary import STAFF

COMPOSITION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
SIGNED_FORM = f"{CANONICAL}/StructureDefinition/signed-form"
VOIDED = f"{CANONICAL}/StructureDefinition/signature-voided"
QUALIFICATION = f"{CANONICAL}/StructureDefinition/qualification-snapshot"
SIGNING_ROLE = f"{CANONICAL}/CodeSystem/signing-role"
SUPERSEDED = f"{CANONICAL}/StructureDefinition/signature-superseded"
AMENDMENT = f"{CANONICAL}/StructureDefinition/report-amendment"
AMENDMENT_REASON = f"{CANONICAL}/CodeSystem/amendment-reason"
REVIEW_FLAG = f"{CANONICAL}/CodeSystem/review-flag"
REPORT_STATUS = "http://hl7.org/fhir/diagnostic-report-status"
TASK_CODE = f"{CANONICAL}/CodeSystem/task-code"
CASE_STATE = f"{CANONICAL}/CodeSystem/case-state"
HANDOVER_STATE = f"{CANONICAL}/CodeSystem/handover-state"
CRITICAL_FINDING = f"{CANONICAL}/CodeSystem/critical-finding"
DEPARTMENT_RULE = f"{CANONICAL}/CodeSystem/department-rule"
IMAGE_MISMATCH = "image-mismatch"
FINDING_LEVEL = f"{CANONICAL}/CodeSystem/finding-level"

_DATA = Path(__file__).parent / "data"
CODE_SYSTEMS = (
    *BETWEEN_SERVICES,
    *STAFF,
    *read_code_systems(_DATA / "vocabulary.toml"),
    *read_code_systems(_DATA / "work_vocabulary.toml"),
)
