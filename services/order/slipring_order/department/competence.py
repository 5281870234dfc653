"""Competence as the register carries it: written by the service from assessments, ended by failing or suspension (5.1.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.limits import Limits
from slipring.rules.months import months_later
from slipring.staff import StaffFacts
from slipring.staff.facts import QUALIFICATION_SYSTEM, register

from slipring_order.reading import codings

COMPETENCE, SUSPENSION = "competence", "suspension"
EVIDENCE = f"{CANONICAL}/StructureDefinition/qualification-evidence"
_DAY = 10  # length of yyyy-mm-dd


def next_assessment(day: date, since: date | None, passes: Iterable[date], limits: Limits) -> date:
    """When the assessment after the one of this day is due.

    Yearly; in the first six months of duty, which `since` begins, there are two: until the second, the first one holds
    to the end of those months only. `passes`: the days of the other passed assessments.
    """
    yearly = months_later(day, int(limits.limit("people.competence").value))
    if since is None:
        return yearly
    settled = months_later(since, int(limits.limit("people.new-staff").value))
    early = {one for one in (*passes, day) if since <= one <= settled}
    if day > settled or len(early) >= limits.limit("people.new-staff-assessments").value:
        return yearly
    return min(yearly, settled)


def on_duty_since(staff: StaffFacts) -> date | None:
    """The first day on any duty in radiation; None where no role says when it began."""
    duties = [code for code, role in register()["roles"].items() if role.get("duty")]
    starts = [span.start for code in duties for span in staff.duties.get(code, ()) if span.start]
    return min(starts, default=None)


def owned(entry: Mapping[str, Any]) -> str:
    """Which qualification of the service's own an entry is; empty for what people write themselves."""
    for coding in codings(entry.get("code")):
        known = register()["qualifications"].get(coding.get("code"), {})
        if coding.get("system") == QUALIFICATION_SYSTEM and known.get("owned"):
            return str(coding["code"])
    return ""


def entry(code: str, start: date, end: date | None, evidence: str) -> Resource:
    """An entry of Practitioner.qualification that the service writes, with the record it comes from."""
    said = register()["qualifications"][code]
    period = {"start": start.isoformat()} | ({"end": end.isoformat()} if end else {})
    return {
        "extension": [{"url": EVIDENCE, "valueReference": {"reference": evidence}}],
        "code": {"coding": [{"system": QUALIFICATION_SYSTEM, "code": code, "display": said["zh"]}]},
        "period": period,
    }


def ended(entries: Sequence[Resource], day: date) -> list[Resource]:
    """The same qualifications with every competence that ran on this day ended before it; one that began on it is gone."""
    kept = []
    for one in entries:
        period, today = one.get("period", {}), day.isoformat()
        start, end = period.get("start", "")[:_DAY], period.get("end", "")[:_DAY]
        if owned(one) != COMPETENCE or start > today or (end and end < today):
            kept.append(one)
        elif start < today:
            kept.append({**one, "period": {**period, "end": (day - timedelta(days=1)).isoformat()}})
    return kept


def without(entries: Sequence[Resource], evidence: str) -> list[Resource]:
    """The same qualifications without those that this record made."""
    return [one for one in entries if not _comes_from(one, evidence)]


def _comes_from(one: Resource, evidence: str) -> bool:
    return any(
        extension.get("url") == EVIDENCE and extension.get("valueReference", {}).get("reference") == evidence
        for extension in one.get("extension", [])
    )
