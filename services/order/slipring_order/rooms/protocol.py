"""The protocol of a booking: the one that was named, the one that the exam has on this scanner, or the one that suits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipring.fhir.findings import as_detected_issue, rule_of
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Desk, Resource, Save, Stored
from slipring.rules.finding import Finding
from slipring.rules.rulebook import check

from slipring_order import resources
from slipring_order.offer.choosing import protocol_on, suits
from slipring_order.offer.protocol_choice import is_protocol
from slipring_order.reading import reference_of
from slipring_order.rooms.facts import ProtocolFacts
from slipring_order.rooms.scanner import Scanner
from slipring_order.rooms.step import ENDED, protocol_in
from slipring_order.rules import BOOKING_RULES, TABLE_RULES

_RULES = frozenset(rule.id for rule in (*BOOKING_RULES, *TABLE_RULES))


@dataclass(frozen=True, slots=True)
class Chosen:
    """By what an exam is scanned, a Reference or a CodeableConcept, and what is to be said of it."""

    protocol: Mapping[str, Any] | None
    findings: Sequence[Finding] = ()


async def chosen_protocol(
    named: Mapping[str, Any] | None, exam: Resource, step: Stored | None, scanner: Scanner, desk: Desk, *, at: str
) -> Chosen:
    """The protocol of a booking; 422 when the one that was named is none."""
    request = await desk.read(reference_of(exam["focus"]))
    if named and not {"coding", "text"} & named.keys():
        return await _named(named, request, scanner, desk, at)
    found = named or _kept(step, scanner)
    if found is None and request is not None:
        found = await protocol_on(request.resource, scanner.device, desk)
    return Chosen(found, _said(ProtocolFacts(found=found is not None), desk))


async def on_record(chosen: Chosen, exam: Stored, desk: Desk) -> list[Save]:
    """What is said of the booking, once; what was said before and no longer holds is marked so."""
    standing = [
        one
        for one in await desk.search(f"DetectedIssue?implicated={exam.reference}")
        if not one.source and rule_of(one.resource) in _RULES and not one.resource.get("mitigation")
    ]
    now_said = {finding.zh for finding in chosen.findings}
    over = [one for one in standing if one.resource.get("detail") not in now_said]
    known = {one.resource.get("detail") for one in standing}
    subject = reference_of(exam.resource.get("for"))
    return [
        *(resources.mitigated(one, "answered", "已改用其他方案或时段。", "Booked anew.", desk.now) for one in over),
        *(
            Save(as_detected_issue(one, id=desk.new_id(), subject=subject, about=exam.reference, now=desk.now))
            for one in chosen.findings
            if one.zh not in known
        ),
    ]


async def _named(named: Mapping[str, Any], request: Stored | None, scanner: Scanner, desk: Desk, at: str) -> Chosen:
    reference = reference_of(named)
    plan = await desk.read(reference) if reference.startswith("PlanDefinition/") else None
    if plan is None or not is_protocol(plan.resource):
        raise unprocessable(
            "The protocol is not known here.", "所指扫描方案不存在。", at=at, detail="order.protocol-unknown"
        )
    fits = request is not None and await suits(plan.resource, request.resource, scanner.device, desk)
    title = plan.resource.get("title") or plan.resource.get("name")
    shown = {"reference": reference} | ({"display": title} if title else {})
    facts = ProtocolFacts(approved=plan.resource.get("status") == "active", suits=fits)
    return Chosen(shown, _said(facts, desk))


def _kept(step: Stored | None, scanner: Scanner) -> Mapping[str, Any] | None:
    """What the exam has on this scanner already: another time changes nothing about it."""
    if step is None or step.resource["status"] in ENDED or reference_of(step.resource["owner"]) != scanner.reference:
        return None
    return protocol_in(step.resource)


def _said(facts: ProtocolFacts, desk: Desk) -> list[Finding]:
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    return check(facts, BOOKING_RULES, limits, desk.now)
