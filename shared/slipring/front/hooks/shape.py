"""What a hook's request must be: every fault at its place (CDS Hooks 2.0, `order-select`, `order-sign`). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.outcome import Issue

Tree = dict[str, Any]
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def faults(tree: Mapping[str, Any], context: Mapping[str, Any], hook: str) -> Iterator[Issue]:
    """Everything in a call that is missing or not as the specification wants it."""
    if tree.get("hook") != hook:
        yield fault("value", "hook", f"hook 须为 {hook}", f"hook must be {hook}", "front.hook-other-hook")
    if not isinstance(tree.get("hookInstance"), str) or not _UUID.fullmatch(tree["hookInstance"]):
        yield fault("value", "hookInstance", "须为 UUID", "hookInstance must be a UUID", "front.hook-instance")
    yield from _of_context(context, hook)
    yield from _of_authorization(tree)
    given = tree.get("prefetch")
    if given is not None and not isinstance(given, dict):
        yield fault("structure", "prefetch", "须为对象", "prefetch must be an object", "front.hook-prefetch")
    for key, value in given.items() if isinstance(given, dict) else ():
        if value is not None and not isinstance(value, dict):
            at = f"prefetch.{key}"
            yield fault(
                "structure", at, "须为资源或 null", "A prefetched value is a resource or null", "front.hook-prefetch"
            )


def _of_context(context: Mapping[str, Any], hook: str) -> Iterator[Issue]:
    for name in ("userId", "patientId"):
        if not isinstance(context.get(name), str) or not context[name]:
            yield _missing(f"context.{name}")
    if context.get("encounterId") is not None and not isinstance(context["encounterId"], str):
        yield _missing("context.encounterId")
    for name in ("patientId", "encounterId"):
        if isinstance(context.get(name), str) and context[name] and not _ID.fullmatch(bare(context[name])):
            yield fault("value", f"context.{name}", "须为 FHIR id", f"{name} must be a FHIR id", "front.hook-id")
    drafts = context.get("draftOrders")
    if not isinstance(drafts, dict) or drafts.get("resourceType") != "Bundle":
        yield _missing("context.draftOrders")
        return
    yield from _of_drafts(drafts, context.get("patientId"))
    if hook == "order-select":
        yield from _of_selections(context.get("selections"), drafts)


def _of_drafts(drafts: Tree, patient: Any) -> Iterator[Issue]:
    """A draft can be named, and it is for the patient of the call: advice about another one's order would mislead."""
    entries, known = drafts.get("entry"), isinstance(patient, str) and _ID.fullmatch(bare(patient)) is not None
    for place, entry in enumerate(entries if isinstance(entries, list) else ()):
        at = f"context.draftOrders.entry[{place}].resource"
        for order in resources_of(entry.get("resource") if isinstance(entry, dict) else None):
            if order["resourceType"] != "ServiceRequest":
                continue
            if not isinstance(order.get("id"), str) or not _ID.fullmatch(order["id"]):
                yield fault(
                    "required", f"{at}.id", "草拟的申请须有 id", "A draft order has an id", "front.hook-draft-id"
                )
            subject = order.get("subject")
            named = subject.get("reference") if isinstance(subject, dict) else None
            if known and _is_address(named) and bare(named) != bare(patient):
                yield fault(
                    "value",
                    f"{at}.subject",
                    "申请的患者与 context.patientId 不一致",
                    "The order is for another patient than context.patientId",
                    "front.hook-other-patient",
                )


def _of_selections(selections: Any, drafts: Tree) -> Iterator[Issue]:
    if not isinstance(selections, list):
        yield _missing("context.selections")
        return
    held = {f"{one['resourceType']}/{one.get('id')}" for one in resources_of(drafts)}
    for place, selected in enumerate(selections):
        if not isinstance(selected, str) or (held and relative(selected) not in held):
            yield fault(
                "value",
                f"context.selections[{place}]",
                "须指明 draftOrders 中的一项",
                "A selection names one of the draftOrders",
                "front.hook-selection",
            )


def _of_authorization(tree: Mapping[str, Any]) -> Iterator[Issue]:
    """Access to the caller's server is not made use of here; what is given of it must be whole all the same."""
    given, server = tree.get("fhirAuthorization"), tree.get("fhirServer")
    if server is not None and not (isinstance(server, str) and server.startswith(("http://", "https://"))):
        yield fault("value", "fhirServer", "须为网址", "fhirServer must be a URL", "front.hook-fhir-server")
    if given is None:
        return
    if not isinstance(given, dict) or not isinstance(given.get("access_token"), str):
        yield fault(
            "structure",
            "fhirAuthorization",
            "须为含 access_token 的对象",
            "fhirAuthorization must be an object with an access_token",
            "front.hook-authorization",
        )
    if server is None:
        yield _missing("fhirServer")


def fault(code: str, at: str, zh: str, en: str, detail: str) -> Issue:
    """One thing that is wrong, at its place."""
    return Issue(code, zh=f"{zh}。", en=f"{en}.", at=at, detail=detail)


def _missing(at: str) -> Issue:
    return fault(
        "required", at, f"缺少 {at}，或其类型不对", f"{at} is missing, or of another kind", "front.hook-missing"
    )


def _is_address(reference: Any) -> bool:
    """Whether a reference is `Patient/id`, here or at another server; a urn and a fragment name nobody."""
    return isinstance(reference, str) and reference.rpartition("/")[0].endswith("Patient")


def relative(reference: Any) -> str:
    """`Type/id` of a reference, absolute or not, without its version."""
    return "/".join(str(reference).partition("/_history/")[0].split("/")[-2:])


def bare(reference: Any) -> str:
    """The id alone."""
    return str(reference).partition("/_history/")[0].rpartition("/")[2]


def resources_of(value: Any) -> Iterator[Tree]:
    """The resources of a prefetch value or a Bundle; a null and an OperationOutcome stand for nothing found."""
    if not isinstance(value, dict):
        return
    if value.get("resourceType") == "Bundle":
        entries = value.get("entry")
        for one in entries if isinstance(entries, list) else ():
            yield from resources_of(one.get("resource") if isinstance(one, dict) else None)
    elif isinstance(value.get("resourceType"), str) and value["resourceType"] != "OperationOutcome":
        yield value
