"""What a report says of its own versions: which one it changes and why, that it was withdrawn, which ones were released. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

AMENDMENT = f"{CANONICAL}/StructureDefinition/report-amendment"
WITHDRAWAL = f"{CANONICAL}/StructureDefinition/report-withdrawal"
RELEASED = ("final", "amended", "corrected", "appended")
WITHDRAWN = "entered-in-error"
_EMERGENCY = "emergency-single-signature"


@dataclass(frozen=True, slots=True)
class Change:
    """What a version, released or still a draft, says of the version that it changes."""

    report: str  # the id
    version: int
    kind: str  # amended, corrected, appended
    reason: Pair
    note: str
    author: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why and when a report was taken back."""

    reason: Pair
    at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Release:
    """One version that others were shown."""

    version: int
    report: Tree

    @property
    def issued(self) -> datetime | None:
        """When it was released."""
        return names.moment(self.report.get("issued"))

    @property
    def change(self) -> Change | None:
        """What it changed; None of the first."""
        return change_of(self.report)


def change_of(report: Tree | None) -> Change | None:
    """What this report changes; None for a first version."""
    parts = _parts(report, AMENDMENT)
    of, _, version = str(_member(parts, "of", {}).get("reference", "")).partition("/_history/")
    if not version.isdecimal():
        return None
    return Change(
        of.rpartition("/")[2],
        int(version),
        str(_member(parts, "kind", "")),
        names.concept_words(_member(parts, "reason", {})),
        str(_member(parts, "note", "")),
        names.reference_in(_member(parts, "author", {})),
    )


def withdrawal_of(report: Tree | None) -> Withdrawal | None:
    """That this report was withdrawn; None for one that stands."""
    if (report or {}).get("status") != WITHDRAWN:
        return None
    parts = _parts(report, WITHDRAWAL)
    by = names.reference_in(_member(parts, "by", {}))
    return Withdrawal(names.concept_words(_member(parts, "reason", {})), names.moment(_member(parts, "at", "")), by)


def in_emergency(report: Tree | None) -> bool:
    """Whether it was released by one signature and waits for the second."""
    tags: Sequence[Tree] = (report or {}).get("meta", {}).get("tag", [])
    return (report or {}).get("status") == "preliminary" and any(tag.get("code") == _EMERGENCY for tag in tags)


def released(report: Tree | None) -> bool:
    """Whether others read it: released by the whole chain, or in an emergency by one signature."""
    return (report or {}).get("status") in RELEASED or in_emergency(report)


def drafts(report: Tree) -> bool:
    """Whether it is the draft of another report's next version."""
    found = change_of(report)
    return found is not None and found.report != report.get("id")


def releases(history: Sequence[Tree]) -> list[Release]:
    """Of all versions of a report, newest first, those that were released, the newest first; each release once."""
    found: list[Release] = []
    for one in history:
        if not released(one):
            continue
        release = Release(int(one.get("meta", {}).get("versionId", 0)), one)
        if not found or _shown(found[-1].report) != _shown(one):
            found.append(release)
    return found


def _shown(report: Tree) -> tuple[Any, ...]:
    """What tells two releases apart: when they were made, and the digests of what was shown."""
    return report.get("status"), report.get("issued"), *(one.get("hash") for one in report.get("presentedForm", []))


def _parts(report: Tree | None, url: str) -> list[Tree]:
    extensions: Sequence[Tree] = (report or {}).get("extension", [])
    return next((list(one.get("extension", [])) for one in extensions if one.get("url") == url), [])


def _member(parts: Sequence[Mapping[str, Any]], name: str, otherwise: Any) -> Any:
    for part in parts:
        if part.get("url") == name:
            return next((value for member, value in part.items() if member.startswith("value")), otherwise)
    return otherwise
