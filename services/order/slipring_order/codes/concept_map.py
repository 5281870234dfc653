"""From a table of local codes to a ConceptMap and back; and what differs between two of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.fhir.service import CANONICAL, Resource

from slipring_order import catalogue
from slipring_order.codes.table import Row
from slipring_order.offer.mapping import EXAM_SYSTEM

DEFAULT_URL = f"{CANONICAL}/ConceptMap/local-exam-codes"
Mapped = dict[tuple[str, str], tuple[str, str]]  # (system, code) -> (target, equivalence)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new map changes, as codes."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.changed or self.removed)


def as_draft(rows: Sequence[Row], system: str, url: str, version: str) -> Resource:
    """The rows as a ConceptMap that waits for a second person."""
    return {
        "resourceType": "ConceptMap",
        "url": url,
        "version": version,
        "name": "LocalExamCodes",
        "title": "本院检查代码与科室目录对照 / local exam codes",
        "status": "draft",
        "group": [{"source": system, "target": EXAM_SYSTEM, "element": [_element(row) for row in rows]}],
    }


def _element(row: Row) -> Resource:
    element: Resource = {"code": row.code}
    if row.display:
        element["display"] = row.display
    if not row.target:
        return {**element, "target": [{"equivalence": "unmatched", "comment": "本科室不做 / not done here"}]}
    exam = catalogue.own_codes()[row.target]
    return {**element, "target": [{"code": row.target, "display": exam.zh, "equivalence": row.equivalence}]}


def mapped(concept_map: Resource | None) -> Mapped:
    """Code by code what a map says."""
    return {
        (str(group.get("source", "")), str(element.get("code", ""))): (
            str(target.get("code", "")),
            str(target.get("equivalence", "equivalent")),
        )
        for group in (concept_map or {}).get("group", [])
        for element in group.get("element", [])
        for target in element.get("target", [{}])
    }


def difference(before: Resource | None, after: Resource) -> Difference:
    """From one map to the next."""
    old, new = mapped(before), mapped(after)
    return Difference(
        added=[f"{code} -> {new[system, code][0] or '-'}" for system, code in new if (system, code) not in old],
        changed=[
            f"{key[1]}: {old[key][0] or '-'} -> {new[key][0] or '-'}"
            for key in new
            if key in old and old[key] != new[key]
        ],
        removed=[code for system, code in old if (system, code) not in new],
    )


def next_version(maps: Sequence[Resource]) -> str:
    """One more than the highest whole number in use."""
    numbers = [int(found["version"]) for found in maps if str(found.get("version", "")).isdigit()]
    return str(max(numbers, default=0) + 1)
