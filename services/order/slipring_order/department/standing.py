"""The department as a whole: its head, its leads, its years of CT, its licence and its agreement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from slipring.fhir.service import Resource
from slipring.rules.finding import Finding
from slipring.rules.limits import Limits
from slipring.rules.rulebook import check
from slipring.staff import StaffFacts, missing
from slipring.staff.facts import completed_years

from slipring_order.department.facts import DepartmentFacts
from slipring_order.department.records import documents
from slipring_order.department.rules import DEPARTMENT_RULES
from slipring_order.reading import codes

AGREEMENT_PARTS = (
    "notices", "items", "methods", "contrast-consent", "unexpected-results", "special-cases", "report",
)  # fmt: skip
IMAGING = "medical-imaging"
_HEAD = "order.head-qualified"
_ABOUT = {
    "order.agreement-complete": "service-agreement",
    "order.licence-names-imaging": "practice-licence",
    "order.years-of-ct": "practice-licence",
}
_UNSTATED = 1900  # a paper without a beginning proves no years


def department_findings(
    staff: Mapping[str, StaffFacts], papers: Sequence[Resource], limits: Limits, at: datetime
) -> list[Finding]:
    """What the department as a whole does not fulfil on the limits' day."""
    return check(department_facts(staff, papers, limits.day), DEPARTMENT_RULES, limits, at)


def department_facts(staff: Mapping[str, StaffFacts], papers: Sequence[Resource], day: date) -> DepartmentFacts:
    """Read people and papers as they stand on a day."""
    heads: list[tuple[str, ...]] = [
        tuple(reason.code for reason in missing("head-ct-room", one))
        for one in staff.values()
        if "ct-head" in one.roles
    ]
    licences = list(_in_force("practice-licence", papers, day))
    agreements = list(_in_force("service-agreement", papers, day))
    agreed = set(_parts(max(agreements, key=_start))) if agreements else set()
    return DepartmentFacts(
        heads=len(heads),
        head_lacks=min(heads, key=len, default=()),
        diagnosis_leads=sum(not missing("lead-diagnosis", one) for one in staff.values()),
        technical_leads=sum(not missing("lead-technique", one) for one in staff.values()),
        licensed=bool(licences),
        licence_names_imaging=any(IMAGING in _parts(one) for one in licences),
        years_of_ct=_years("practice-licence", papers, day),
        agreed=bool(agreements),
        agreement_lacks=tuple(part for part in AGREEMENT_PARTS if part not in agreed),
    )


def at_fault(rule: str, staff: Mapping[str, StaffFacts], papers: Sequence[Resource], day: date) -> str:
    """The record that a finding of a rule is about: who heads the room, the licence or the agreement in force; '' for none."""
    if rule == _HEAD:
        return next((who for who, one in sorted(staff.items()) if "ct-head" in one.roles), "")
    code = _ABOUT.get(rule, "")
    newest = max(_in_force(code, papers, day), key=_start, default=None)
    return f"DocumentReference/{newest['id']}" if newest else ""


def _in_force(code: str, papers: Sequence[Resource], day: date) -> Iterator[Resource]:
    for paper in papers:
        for record in documents([paper]):
            if record.code == code and record.on <= day and (record.until is None or day <= record.until):
                yield paper


def _years(code: str, papers: Sequence[Resource], day: date) -> int:
    """Completed years since the first of these papers that states its beginning; renewed ones count on."""
    starts = [
        record.on
        for record in documents([*papers])
        if record.code == code and record.on <= day and record.on.year > _UNSTATED
    ]
    return max((completed_years(start, day) for start in starts), default=0)


def _start(paper: Resource) -> str:
    return str(paper.get("context", {}).get("period", {}).get("start", ""))


def _parts(paper: Resource) -> list[str]:
    return [code for event in paper.get("context", {}).get("event", []) for code in codes(event)]
