"""A hook's request: what of it must be there, and the Bundle it makes for the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipring.fhir.outcome import FhirError, Issue

Tree = dict[str, Any]
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_WHO = ("Practitioner/", "PractitionerRole/", "Patient/", "RelatedPerson/")
_MOST = 500  # resources of one call


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of a service, shaped as the specification wants it."""

    user: str
    patient: str  # Patient/id
    encounter: str
    orders: tuple[Tree, ...]  # the draft orders to be judged
    known: tuple[Tree, ...]  # everything else that came along

    @property
    def patient_sent(self) -> bool:
        """Whether the patient came along."""
        return any(f"{one['resourceType']}/{one.get('id')}" == self.patient for one in self.known)

    def bundle(self) -> Tree:
        """All of it as a collection; what the context says of an order is written into it."""
        entries = [{"resource": self._completed(order)} for order in self.orders]
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [*entries, *({"resource": resource} for resource in self.known)],
        }

    def _completed(self, order: Tree) -> Tree:
        said = {"subject": self.patient, "requester": self.user, "encounter": self.encounter}
        given = {name: {"reference": reference} for name, reference in said.items() if reference and name not in order}
        return {**order, **given}


def asked(body: Any, hook: str) -> Asked:
    """Read the body of a call; 400 names every member that is missing or not as the specification wants it."""
    tree: Tree = body if isinstance(body, dict) else {}
    given = tree.get("context")
    context: Tree = given if isinstance(given, dict) else {}
    faults = list(_faults(tree, context, hook))
    if faults:
        raise FhirError(400, faults)
    orders = list(_resources(context["draftOrders"]))
    if hook == "order-select":
        chosen = {str(reference) for reference in context["selections"]}
        orders = [order for order in orders if f"{order['resourceType']}/{order.get('id')}" in chosen]
    others = [one for one in _resources(context["draftOrders"]) if one["resourceType"] != "ServiceRequest"]
    sent = [one for value in (tree.get("prefetch") or {}).values() for one in _resources(value)]
    if len(orders) + len(others) + len(sent) > _MOST:
        raise FhirError(
            413, [_fault("too-costly", "prefetch", "资源过多", "Too many resources", "front.hook-too-many")]
        )
    return Asked(
        user=str(context["userId"]) if str(context["userId"]).startswith(_WHO) else "",
        patient=f"Patient/{_bare(context['patientId'])}",
        encounter=f"Encounter/{_bare(context['encounterId'])}" if context.get("encounterId") else "",
        orders=tuple(order for order in orders if order["resourceType"] == "ServiceRequest" and order.get("id")),
        known=tuple(_each_once([*others, *sent])),
    )


def _faults(tree: Mapping[str, Any], context: Mapping[str, Any], hook: str) -> Iterator[Issue]:
    if tree.get("hook") != hook:
        yield _fault("value", "hook", f"hook 须为 {hook}", f"hook must be {hook}", "front.hook-other-hook")
    if not isinstance(tree.get("hookInstance"), str) or not _UUID.fullmatch(tree["hookInstance"]):
        yield _fault("value", "hookInstance", "须为 UUID", "hookInstance must be a UUID", "front.hook-instance")
    for name in ("userId", "patientId"):
        if not isinstance(context.get(name), str) or not context[name]:
            yield _missing(f"context.{name}")
    for name in ("patientId", "encounterId"):
        if isinstance(context.get(name), str) and context[name] and not _ID.fullmatch(_bare(context[name])):
            yield _fault("value", f"context.{name}", "须为 FHIR id", f"{name} must be a FHIR id", "front.hook-id")
    drafts = context.get("draftOrders")
    if not isinstance(drafts, dict) or drafts.get("resourceType") != "Bundle":
        yield _missing("context.draftOrders")
    if hook == "order-select" and not isinstance(context.get("selections"), list):
        yield _missing("context.selections")
    if tree.get("prefetch") is not None and not isinstance(tree["prefetch"], dict):
        yield _fault("structure", "prefetch", "须为对象", "prefetch must be an object", "front.hook-prefetch")


def _missing(at: str) -> Issue:
    return _fault(
        "required", at, f"缺少 {at}，或其类型不对", f"{at} is missing, or of another kind", "front.hook-missing"
    )


def _fault(code: str, at: str, zh: str, en: str, detail: str) -> Issue:
    return Issue(code, zh=f"{zh}。", en=f"{en}.", at=at, detail=detail)


def _resources(value: Any) -> Iterator[Tree]:
    """The resources of a prefetch value or a Bundle; a null and an OperationOutcome stand for nothing found."""
    if not isinstance(value, dict):
        return
    if value.get("resourceType") == "Bundle":
        entries = value.get("entry")
        for one in entries if isinstance(entries, list) else ():
            yield from _resources(one.get("resource") if isinstance(one, dict) else None)
    elif isinstance(value.get("resourceType"), str) and value["resourceType"] != "OperationOutcome":
        yield value


def _each_once(resources: list[Tree]) -> Iterator[Tree]:
    seen: set[str] = set()
    for resource in resources:
        name = f"{resource['resourceType']}/{resource.get('id') or id(resource)}"
        if name not in seen:
            seen.add(name)
            yield resource


def _bare(reference: Any) -> str:
    return str(reference).rpartition("/")[2]
