"""How often the gate was overridden: which rule, for which reason, by whom, of how many injections (4.13). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.gate.override import OVERRIDE_REASON
from slipring_consent.reading import codes_in, reference_of

OUTCOME = f"{CANONICAL}/CodeSystem/gate-outcome"
OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Use:
    """One rule that was passed for one reason by one physician, with the injections."""

    rule: str
    reason: str
    by: str
    administrations: tuple[str, ...]


def as_overridden(issue: Resource) -> Resource:
    """A finding marked as passed at the gate, so that a search finds all of them."""
    code = issue["code"]
    coding = {"system": OUTCOME, "code": OVERRIDDEN, "display": "passed by a named physician"}
    return {**issue, "code": {**code, "coding": [*code["coding"], coding]}}


def uses(issues: Iterable[Resource]) -> list[Use]:
    """What was passed, the most frequent first; what was marked as wrong does not count."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for issue in issues:
        if issue.get("status") in ("entered-in-error", "cancelled"):
            continue
        about = {reference_of(one) for one in issue.get("implicated", [])}
        for mitigation in issue.get("mitigation", []):
            reasons = (code for system, code in codes_in(mitigation.get("action")) if system == OVERRIDE_REASON)
            key = (rule_of(issue), next(reasons, ""), reference_of(mitigation.get("author")))
            found.setdefault(key, set()).update(about)
    counted = [Use(*key, tuple(sorted(about))) for key, about in found.items()]
    return sorted(counted, key=lambda use: (-len(use.administrations), use.rule, use.reason, use.by))
