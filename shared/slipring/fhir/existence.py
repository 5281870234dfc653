"""References whose target must exist, where a rule relies on it: declared per kept type (`Keeps.must_exist`).

Only a literal reference into this service's own address is judged: what is elsewhere, contained, or named by identifier cannot be
looked up. History that is imported is exempt, and what the same transaction writes counts as existing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Desk, Keeps, Resource, Write

_LOCAL = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}", re.ASCII)


async def refuse_dangling(keeps: Keeps, write: Write, desk: Desk) -> None:
    """422 naming each declared reference that leads nowhere; one that stood before is not asked about again."""
    if write.method == "delete" or write.imported:
        return
    before = dict(_references(keeps, write.before.resource)).values() if write.before else ()
    issues = []
    for place, reference in _references(keeps, write.resource):
        local = reference.partition("/_history/")[0]
        if reference in before or not _LOCAL.fullmatch(local):
            continue
        if local != write.reference and await desk.read(local) is None:
            issues.append(
                Issue(
                    "not-found",
                    zh=f"{place}：所引用的资源在此处不存在。",
                    en=f"{place}: what it refers to does not exist here.",
                    at=place,
                    detail="kernel.reference-target",
                )
            )
    if issues:
        raise FhirError(422, issues)


def _references(keeps: Keeps, resource: Resource) -> Iterator[tuple[str, str]]:
    for member in keeps.must_exist:
        found: Any = resource.get(member, [])
        many = isinstance(found, list)
        for index, item in enumerate(found if many else [found]):
            place = f"{resource['resourceType']}.{member}" + (f"[{index}]" if many else "")
            if isinstance(item, dict) and isinstance(item.get("reference"), str):
                yield place, item["reference"]
