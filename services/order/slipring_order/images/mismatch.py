"""A finding that images do not match their order: how it is recognised, and what makes it settled."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import has_code

CATEGORY = "image-mismatch"  # the `domain` of the rules on images
_DEPARTMENT_RULE = f"{CANONICAL}/CodeSystem/department-rule"


def is_mismatch(issue: Resource) -> bool:
    """Whether a DetectedIssue says that images do not match their order."""
    return has_code(issue.get("code"), _DEPARTMENT_RULE, CATEGORY)
