"""The dialogue of a justification: what a physician chose, and the call it becomes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipring.department.reasons import concept_of
from slipring.department.road import Tree

DECISIONS = ("justified", "rejected", "ask", "replace")
FIELDS = ("decision", "reason", "note", "replacement", "agreed", "consent")


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands in the form."""

    decision: str = ""
    reason: str = ""
    note: str = ""
    replacement: str = ""
    agreed: str = ""  # anything: the requester agrees
    consent: str = ""  # the number of the paper that the patient signed

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Decision:
        """From the fields of the form."""
        said = {name: form.get(name, "").strip() for name in FIELDS}
        return cls(**said)


def decision_call(given: Decision, replacement: str = "", requester: str = "") -> list[Tree]:
    """The parameters of `$decide`; what was not chosen is left for the operation to ask.

    `replacement`: the request that the typed imaging number names; `requester`: who asked for the exam.
    """
    found: list[Tree] = []
    if given.decision:
        found.append({"name": "decision", "valueCode": given.decision})
    if reason := concept_of("decision", given.reason):
        found.append({"name": "reason", "valueCodeableConcept": reason})
    if given.note:
        found.append({"name": "note", "valueString": given.note})
    if replacement:
        found.append({"name": "replacement", "valueReference": {"reference": replacement}})
    if given.agreed and requester:
        found.append({"name": "agreedBy", "valueReference": {"reference": requester}})
    if given.consent:
        found.append({"name": "consent", "valueReference": {"display": given.consent}})
    return found
