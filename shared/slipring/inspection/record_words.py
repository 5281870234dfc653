"""Types of records and the services in words, for readers who know no FHIR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.department.names import Pair

KINDS: Mapping[str, Pair] = {
    "ServiceRequest": ("检查申请", "request"),
    "Task": ("任务与检查过程", "task or exam"),
    "Appointment": ("预约", "appointment"),
    "Procedure": ("操作", "procedure"),
    "ImagingStudy": ("影像检查", "imaging study"),
    "DetectedIssue": ("规则提示", "issue found by a rule"),
    "GuidanceResponse": ("规则判断", "judgement by rules"),
    "Observation": ("测量与所见", "measurement or finding"),
    "Condition": ("诊断", "condition"),
    "AllergyIntolerance": ("过敏记录", "allergy"),
    "MedicationAdministration": ("对比剂注射", "contrast given"),
    "MedicationStatement": ("用药", "medicines in use"),
    "AdverseEvent": ("不良反应", "adverse reaction"),
    "Consent": ("知情同意", "consent"),
    "Questionnaire": ("问卷", "questionnaire"),
    "QuestionnaireResponse": ("问卷答案", "answered questionnaire"),
    "DiagnosticReport": ("诊断报告", "diagnostic report"),
    "Composition": ("报告正文", "text of the report"),
    "Provenance": ("操作与签名记录", "who did or signed it"),
    "DocumentReference": ("文件", "document"),
    "Communication": ("通知", "communication"),
    "CommunicationRequest": ("通知请求", "communication asked for"),
    "Flag": ("警示", "flag"),
    "Patient": ("患者（已隐去）", "patient, masked"),
    "RelatedPerson": ("相关人员（已隐去）", "related person, masked"),
    "Encounter": ("就诊（已隐去）", "stay, masked"),
    "Practitioner": ("工作人员", "practitioner"),
    "PractitionerRole": ("人员岗位与资质", "role and qualification"),
    "Organization": ("科室或机构", "organisation"),
    "Location": ("地点", "location"),
    "Device": ("设备", "device"),
    "Medication": ("药品", "medication"),
    "ActivityDefinition": ("检查定义", "definition of the exam"),
    "PlanDefinition": ("方案定义", "definition of the plan"),
}
SERVICES: Mapping[str, Pair] = {
    "order": ("申请与检查", "Request and exam"),
    "consent": ("知情同意与对比剂", "Consent and contrast"),
    "report": ("报告与签名", "Report and signatures"),
    "critical": ("危急值", "Critical findings"),
}
QUOTAS: Mapping[str, Pair] = {"plain": ("平扫", "plain"), "enhanced": ("增强", "enhanced")}
ROLES: Mapping[str, Pair] = {
    "author": ("书写医师", "author"),
    "reviewer": ("审核医师", "reviewer"),
    "chief": ("上级医师", "chief reviewer"),
}
EVERY: Mapping[str, Any] = {"kinds": KINDS, "services": SERVICES, "quota_names": QUOTAS, "roles": ROLES}
