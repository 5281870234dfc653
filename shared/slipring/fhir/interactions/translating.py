"""What a stored ConceptMap says about one code."""

from __future__ import annotations

from collections.abc import Iterator

from slipring.fhir.service import Resource

Match = tuple[str, Resource | None, str]  # equivalence, the target Coding (none for "unmatched"), the map's url


def translations(concept_map: Resource, system: str, code: str, target_system: str = "") -> Iterator[Match]:
    """Each target of a code, in the order of the map; without a system any source system fits.

    Where a group lists the code nowhere, its `unmapped` rule answers: the same code, a fixed one, or nothing.
    """
    source = str(concept_map.get("url", ""))
    for group in concept_map.get("group", ()):
        if system and group.get("source", system) != system:
            continue
        if target_system and group.get("target", target_system) != target_system:
            continue
        mapped = [element for element in group.get("element", ()) if element.get("code") == code]
        for element in mapped:
            for target in element.get("target", ()):
                yield target.get("equivalence", "equivalent"), _coding(group, target), source
        if not mapped and (fallback := _unmapped(group, code)):
            yield fallback, _fallback(group, code), source


def _unmapped(group: Resource, code: str) -> str:
    mode = group.get("unmapped", {}).get("mode")
    return {"provided": "equal", "fixed": "inexact"}.get(str(mode), "") if code else ""


def _fallback(group: Resource, code: str) -> Resource:
    unmapped = group["unmapped"]
    given = unmapped if unmapped["mode"] == "fixed" else {"code": code}
    return _coding(group, given) or {}


def _coding(group: Resource, target: Resource) -> Resource | None:
    if "code" not in target:
        return None
    coding = {"system": group.get("target"), "code": target["code"], "display": target.get("display")}
    return {name: value for name, value in coding.items() if value}
