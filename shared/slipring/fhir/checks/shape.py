"""The shape of a received resource: is it FHIR R4, and is it safe to keep and show.

The compiled schema finds what is missing, unknown, out of a required value set or points at the wrong type; a walk
finds what a schema cannot say. Resources inside (contained, Bundle entries, Parameters) are checked one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipring.fhir.checks import schema
from slipring.fhir.checks.content import Walk
from slipring.fhir.checks.finding import finding, missing
from slipring.fhir.checks.plan import plan_of
from slipring.fhir.outcome import Issue
from slipring.fhir.profiles.conformance import against

MOST_ISSUES = 100  # of one check


def check(resource: dict[str, Any], at: str | None = None, *, profiles: Sequence[str] | None = None) -> list[Issue]:
    """All that is wrong with a resource, each with a path such as `ServiceRequest.note[0].time`.

    A write asks for no profiles and hears errors only. `$validate` hands in the profiles it was asked for, or an empty
    list: then warnings are told as well, and the resource is held against those and against its `meta.profile`.
    """
    found = _checked(resource, at, None, advise=profiles is not None)
    if profiles is None:
        return _bounded(found)
    if any(issue.severity == "error" and not issue.detail.startswith("invariant.") for issue in found):
        return _bounded([*found, _NOT_ASKED] if profiles or _claimed(resource) else found)
    for url in dict.fromkeys([*profiles, *_claimed(resource)]):
        found += against(url, resource, at or resource["resourceType"])
    return _bounded(found)


_NOT_ASKED = Issue(
    "informational",
    zh="结构有误，未按 profile 检查。",
    en="The shape is wrong, so nothing was checked against profiles.",
    severity="information",
    detail="profile.not-checked",
)


def _claimed(resource: dict[str, Any]) -> list[str]:
    """The profiles that `meta.profile` names."""
    meta = resource.get("meta")
    named = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in named if isinstance(url, str)] if isinstance(named, list) else []


def _bounded(found: list[Issue]) -> list[Issue]:
    """As many as a person can read, errors first, and how many more there are."""
    if len(found) <= MOST_ISSUES:
        return found
    found.sort(key=lambda issue: issue.severity != "error")
    more = len(found) - MOST_ISSUES
    return [
        *found[:MOST_ISSUES],
        Issue(
            "too-costly",
            zh=f"另有 {more} 处问题未列出。",
            en=f"{more} more problems are not listed.",
            severity="information",
            detail="shape.more",
        ),
    ]


def warm(*resource_types: str) -> None:
    """Compile the validators of these types now, so that no request waits for it."""
    for resource_type in resource_types:
        schema.validator(resource_type)
        plan_of(resource_type)


def _checked(resource: dict[str, Any], at: str | None, around: dict[str, str] | None, *, advise: bool) -> list[Issue]:
    """`around`: ids and types `#` references may name, when this resource is a contained one."""
    resource_type = resource.get("resourceType")
    place = at or (resource_type if isinstance(resource_type, str) and resource_type.isalpha() else "Resource")
    if not isinstance(resource_type, str) or resource_type not in schema.supported():
        return [_unknown(place, absent=resource_type is None)]
    found = schema.issues(resource, place)
    listed = resource.get("contained")
    inside = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    named = around if around is not None else _named(resource_type, inside)
    walk = Walk(place, named, advise=advise and around is None, sound=not found)
    walk.over(resource, plan_of(resource_type))
    found += walk.issues
    if around is not None and "contained" in resource:
        found.append(
            finding(
                f"{place}.contained", "invariant", "contained", "contains resources itself", "内含资源不得再内含资源"
            )
        )
        return found
    for index, item in enumerate(inside):
        where = f"{place}.contained[{index}]"
        if "id" not in item:
            found.append(missing(f"{where}.id"))
        found += _checked(item, where, named, advise=advise)
    for child, where in walk.children:
        found += _checked(child, where, None, advise=advise)
    return found


def _named(resource_type: str, inside: list[dict[str, Any]]) -> dict[str, str]:
    """What `#id` may name; `#` alone is the containing resource itself."""
    ids = {"": resource_type}
    for item in inside:
        if isinstance(item.get("id"), str) and isinstance(item.get("resourceType"), str):
            ids[item["id"]] = item["resourceType"]
    return ids


def _unknown(place: str, *, absent: bool) -> Issue:
    where = f"{place}.resourceType"
    if absent:
        return missing(where)
    return finding(
        where,
        "not-supported",
        "unsupported",
        "is no FHIR R4 resource type known here",
        "不是此处支持的 FHIR R4 资源类型",
    )
