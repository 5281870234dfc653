"""`ServiceRequest/$advise`: the rules at ordering time, on several draft orders at once; stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_order.gathering.request import order_facts
from slipring_order.judgement import judge
from slipring_order.judging.surroundings import rules_in_force, surroundings
from slipring_order.offer.mapping import exam_of_concept
from slipring_order.reading import Pool, codes, codings, reference_of

_DRAFT = frozenset({"draft", "active"})
_CT = frozenset({"CT", "77477000"})  # DICOM modality and v2-0074 section; SNOMED CT computed tomography
_IMAGING = frozenset({"363679005", "imaging", "RAD"})


async def advised(call: Call, desk: Desk) -> Changes:
    """What the rules will say about each CT order of the Bundle when it is placed, as they will judge it.

    Orders for anything but a CT are left out; `order` names those that are asked about, without it all are.
    """
    bundle = call.value("data") or {}
    wanted = {reference_of(element) for element in call.values("order")}
    answer: list[Resource] = []
    rules, settings = await rules_in_force(desk), desk.settings
    for address, order in _orders(bundle, wanted):
        # Each order is judged by itself: a draft beside it is no examination.
        pool = _pool(bundle)
        await surroundings(order, desk, pool)
        if not _is_ct(order, pool):
            continue
        facts = order_facts(order, pool, desk.now, settings.zone, settings.institution)
        judgement = judge(facts, rules.book, desk.now, settings.zone, rules.off)
        subject = reference_of(order.get("subject"))
        parts: list[Resource] = [
            {"name": "order", "valueReference": {"reference": address}},
            {"name": "outcome", "valueCode": judgement.outcome},
        ]
        for position, finding in enumerate(judgement.findings, 1):
            issue = as_detected_issue(finding, id=f"issue-{position}", subject=subject, about=address, now=desk.now)
            parts.append({"name": "issue", "resource": issue})
        answer.append({"name": "advice", "part": parts})
    return Changes(answer={"resourceType": "Parameters", **({"parameter": answer} if answer else {})})


def _orders(bundle: Mapping[str, Any], wanted: set[str]) -> list[tuple[str, Resource]]:
    """The orders asked about by the address that the caller knows them by, as they will be when they are placed."""
    found = []
    for position, entry in enumerate(bundle.get("entry", [])):
        resource = entry.get("resource") or {}
        if resource.get("resourceType") != "ServiceRequest" or resource.get("status") not in _DRAFT:
            continue
        address = f"ServiceRequest/{resource['id']}" if resource.get("id") else ""
        names = {address, str(entry.get("fullUrl", "")), reference_of({"reference": entry.get("fullUrl", "")})} - {""}
        if not wanted or names & wanted:
            chosen = address or next(iter(sorted(names)), f"entry-{position}")
            found.append((chosen, {**resource, "status": "active"}))
    return found


def _pool(bundle: Mapping[str, Any]) -> Pool:
    """All that came along; of requests only those that were carried out."""
    pool = Pool()
    for entry in bundle.get("entry", []):
        resource = entry.get("resource") or {"resourceType": ""}
        if resource["resourceType"] == "ServiceRequest" and resource.get("status") != "completed":
            continue
        if resource.get("id"):
            pool.add(resource)
        if entry.get("fullUrl"):
            pool.name(reference_of({"reference": entry["fullUrl"]}), resource)
    return pool


def _is_ct(order: Resource, pool: Pool) -> bool:
    """Whether a CT is ordered: by the catalogue, by its category, or by the letters CT in an imaging order's name."""
    if exam_of_concept(order.get("code"), pool) is not None:
        return True
    held = {code for concept in order.get("category", []) for code in codes(concept)}
    concept = order.get("code") or {}
    named = [concept.get("text"), *(coding.get("display") for coding in codings(concept))]
    return bool(held & _CT) or bool(held & _IMAGING and any("CT" in str(text) for text in named if text))
