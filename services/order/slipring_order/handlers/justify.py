"""`ServiceRequest/$justify`: the same rules as a dry run that stores nothing."""

from __future__ import annotations

from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_order.gathering.request import order_facts
from slipring_order.judgement import judge_in_full
from slipring_order.judging.surroundings import rules_in_force, surroundings
from slipring_order.reading import Pool, reference_of


async def justified(call: Call, desk: Desk) -> Changes:
    """Judge the only active request of the Bundle by the full pack; each issue says whether its limit is confirmed."""
    bundle = call.value("data") or {}
    pool, request, address = _opened(bundle, call)
    await surroundings(request, desk, pool)
    rules, settings = await rules_in_force(desk), desk.settings
    facts = order_facts(request, pool, desk.now, settings.zone, settings.institution)
    judgement = judge_in_full(facts, rules.book, desk.now, settings.zone, rules.off)
    answer: list[Resource] = [{"name": "outcome", "valueCode": judgement.outcome}]
    subject = reference_of(request.get("subject"))
    for position, finding in enumerate(judgement.findings, 1):
        issue = as_detected_issue(finding, id=f"issue-{position}", subject=subject, about=address, now=desk.now)
        answer.append({"name": "issue", "resource": issue})
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


def _opened(bundle: dict[str, Any], call: Call) -> tuple[Pool, Resource, str]:
    pool, active = Pool(), []
    for position, entry in enumerate(bundle.get("entry", [])):
        resource = entry.get("resource")
        if not resource:
            continue
        if resource.get("id"):
            pool.add(resource)
        address = str(entry.get("fullUrl", "")) or f"entry-{position}"
        pool.name(reference_of({"reference": address}), resource)
        if resource["resourceType"] == "ServiceRequest" and resource.get("status") == "active":
            known = f"ServiceRequest/{resource['id']}" if resource.get("id") else address
            active.append((resource, known))
    if len(active) != 1:
        raise unprocessable(
            f"The Bundle must hold exactly one active ServiceRequest; it holds {len(active)}.",
            f"Bundle 中须恰有一个 active 的 ServiceRequest，现有 {len(active)} 个。",
            at=call.at("data"),
            code="invalid",
            detail="order.one-active-request",
        )
    return pool, *active[0]
