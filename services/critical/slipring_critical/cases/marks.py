"""Marks: what a flag says beside its finding, and what tells a drill from the real thing."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import CANONICAL, Resource

FLAG_MARK = f"{CANONICAL}/CodeSystem/flag-mark"
UNCHANGED, RING_ALL_THE_SAME = "unchanged", "ring-all-the-same"
CASE_KIND = f"{CANONICAL}/CodeSystem/case-kind"
DRILL = "drill"


def is_marked(observation: Resource, mark: str) -> bool:
    """Whether the author set a mark on a flag: a component of that code that says true."""
    return any(
        part.get("valueBoolean") is True and _has(part.get("code"), FLAG_MARK, mark)
        for part in observation.get("component", [])
    )


def is_drill(resource: Resource) -> bool:
    """Whether a case or an attempt is of a drill; every resource of one carries the tag."""
    return any(
        tag.get("system") == CASE_KIND and tag.get("code") == DRILL for tag in resource.get("meta", {}).get("tag", [])
    )


def drill_meta(drill: bool) -> dict[str, Any]:
    """The member that marks what belongs to a drill; none for what is real."""
    return {"meta": {"tag": [{"system": CASE_KIND, "code": DRILL}]}} if drill else {}


def _has(concept: Any, system: str, code: str) -> bool:
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    return any(coding.get("system") == system and coding.get("code") == code for coding in codings)
