"""What whoever signs is told and may go on from."""

from __future__ import annotations

from slipring.fhir.service import Desk, Resource, Stored
from slipring.rules.limits import LimitBook
from slipring.rules.rulebook import check

from slipring_report.drafts.reactions import as_told, draft_facts
from slipring_report.rules import DRAFT_RULES

_NO_LIMITS = LimitBook({})


async def told(report: Stored, desk: Desk, *, signer: str = "") -> list[Resource]:
    """As DetectedIssues; they stop no signature."""
    facts = await draft_facts(report.resource, desk)
    findings = check(facts, DRAFT_RULES, _NO_LIMITS.on(desk.now.date()), desk.now)
    return as_told(findings, report, facts, desk, signer=signer)
