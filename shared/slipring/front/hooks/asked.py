"""A hook's request: what of it must be there, and the Bundle it makes for the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slipring.fhir.outcome import FhirError
from slipring.front.hooks.shape import Tree, bare, fault, faults, relative, resources_of

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
    found = list(faults(tree, context, hook))
    if found:
        raise FhirError(400, found)
    orders = list(resources_of(context["draftOrders"]))
    if hook == "order-select":
        chosen = {relative(reference) for reference in context["selections"]}
        orders = [order for order in orders if f"{order['resourceType']}/{order.get('id')}" in chosen]
    others = [one for one in resources_of(context["draftOrders"]) if one["resourceType"] != "ServiceRequest"]
    sent = [one for value in (tree.get("prefetch") or {}).values() for one in resources_of(value)]
    if len(orders) + len(others) + len(sent) > _MOST:
        raise FhirError(413, [fault("too-costly", "prefetch", "资源过多", "Too many resources", "front.hook-too-many")])
    return Asked(
        user=str(context["userId"]) if str(context["userId"]).startswith(_WHO) else "",
        patient=f"Patient/{bare(context['patientId'])}",
        encounter=f"Encounter/{bare(context['encounterId'])}" if context.get("encounterId") else "",
        orders=tuple(order for order in orders if order["resourceType"] == "ServiceRequest" and order.get("id")),
        known=tuple(_each_once([*others, *sent])),
    )


def _each_once(resources: list[Tree]) -> Iterator[Tree]:
    seen: set[str] = set()
    for resource in resources:
        name = f"{resource['resourceType']}/{resource.get('id') or id(resource)}"
        if name not in seen:
            seen.add(name)
            yield resource
