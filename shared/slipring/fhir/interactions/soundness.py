"""Whether a received resource may be stored at all: its type, its shape, no reference that nothing could resolve."""

from __future__ import annotations

from slipring.fhir.checks.shape import check
from slipring.fhir.interactions.references import refuse_conditional
from slipring.fhir.outcome import FhirError, invalid
from slipring.fhir.service import Resource


def checked(tree: Resource, text: str, resource_type: str) -> None:
    """400 with every fault of the resource, each with its place."""
    if tree.get("resourceType") != resource_type:
        raise invalid(
            f"The resource in the body is not a {resource_type}.",
            f"请求体中的资源不是 {resource_type}。",
            at="resourceType",
            detail="kernel.resource-body-not",
        )
    issues = check(tree)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)
    refuse_conditional(tree, text)
