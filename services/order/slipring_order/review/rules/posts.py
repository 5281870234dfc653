"""5.1.3: the posts of the whole process, from the scan to the second signature, are filled."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.review.facts import StaffingFacts

_ROLE, _QUALIFICATION = "PractitionerRole.code", "Practitioner.qualification"


@rule("order.physicians-suffice", clause="CL02-A011:5.1.3", weight="warn")
def has_physicians_for_two_signatures(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """There are physicians enough for two signatures on a report, and one of them may sign alone (5.7.1, 5.1.2)."""
    limit = limits.limit("staffing.physicians")
    if staff.physicians >= limit.value and staff.signers:
        return None
    return Hit(
        f"有签名资格的医师 {staff.physicians} 名，其中可独立签发 {staff.signers} 名；"
        f"双签名至少需要 {limit.value} 名，且至少 1 名可独立签发。",
        f"{staff.physicians} physicians may sign, {staff.signers} of them alone: two signatures need at least {limit.value}, "
        "one of whom may sign alone.",
        at=_QUALIFICATION,
        inputs={"physicians": staff.physicians, "signers": staff.signers},
        limit=limit,
    )


@rule("order.operators-suffice", clause="CL02-A011:5.1.3", weight="warn")
def has_an_operator_for_every_scanner(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """Every scanner in service has the technologists who may operate it alone (5.1.2)."""
    limit = limits.limit("staffing.operators-per-scanner")
    wanted = staff.scanners * limit.value
    if staff.operators >= wanted:
        return None
    return Hit(
        f"可独立操作 CT 的技师 {staff.operators} 名，在用 CT {staff.scanners} 台，至少需要 {wanted} 名。",
        f"{staff.operators} technologists may operate alone; {staff.scanners} scanners in service need at least {wanted}.",
        at=_QUALIFICATION,
        inputs={"operators": staff.operators, "scanners": staff.scanners},
        limit=limit,
    )


@rule("order.nurses-suffice", clause="CL02-A011:5.1.3", weight="warn")
def has_nurses_for_contrast(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """Where contrast is given somebody may be in charge of CT nursing (5.1.2)."""
    limit = limits.limit("staffing.nurses-in-charge")
    if not staff.contrast_exams or staff.nurses_in_charge >= limit.value:
        return None
    return Hit(
        f"开展增强检查 {staff.contrast_exams} 例，可负责 CT 护理的护士 {staff.nurses_in_charge} 名，至少需要 {limit.value} 名。",
        f"{staff.contrast_exams} exams with contrast, and {staff.nurses_in_charge} nurses who may be in charge: "
        f"at least {limit.value} is needed.",
        at=_QUALIFICATION,
        inputs={"contrast-exams": staff.contrast_exams, "nurses-in-charge": staff.nurses_in_charge},
        limit=limit,
    )


@rule("order.auxiliary-suffice", clause="CL02-A011:5.1.3", weight="warn")
def has_auxiliary_staff(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """There is auxiliary staff beside physicians, technologists and nurses."""
    limit = limits.limit("staffing.auxiliary")
    if staff.auxiliary >= limit.value:
        return None
    return Hit(
        f"辅助人员 {staff.auxiliary} 名，至少需要 {limit.value} 名。",
        f"{staff.auxiliary} auxiliary staff, where at least {limit.value} is needed.",
        at=_ROLE,
        inputs={"auxiliary": staff.auxiliary},
        limit=limit,
    )
