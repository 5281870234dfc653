"""A resource in part (R4 search 3.1.1.5.8 and .9): stored text with members left out, every other character as it was.

What is left out is said by the tag SUBSETTED. Kept always: `resourceType`, `id`, `meta`, and what changes the meaning
of the rest (`implicitRules`, `modifierExtension`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from slipring.fhir.search.elements import Element, elements_of
from slipring.fhir.text import encode

_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}

_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items_of = msgspec.json.Decoder(list[msgspec.Raw]).decode
_type_of = msgspec.json.Decoder(str).decode


def shown(text: str, *, summary: str = "", elements: Collection[str] = ()) -> str:
    """The text with the elements that `_summary` (true, text, data) and `_elements` keep; whole without either.

    With both, an element stays when both keep it. Mandatory elements stay, but for the narrative under `data`.
    """
    if summary in ("", "false", "count") and not elements:
        return text
    members = _members_of(text.encode())
    declared = elements_of(_type_of(members["resourceType"]))
    kept = {}
    for name, raw in members.items():
        element = declared.get(name.removeprefix("_"), _UNKNOWN)
        if name in _ALWAYS or (_in_summary(name, element, summary) and _in_elements(name, element, elements)):
            written = bytes(raw).decode().strip()
            kept[name] = _pruned(written, element.inside) if summary == "true" and element.inside else written
    kept["meta"] = _tagged(kept.get("meta", "{}"))
    return _joined(kept)


_UNKNOWN = Element(summary=False, mandatory=False)


def _in_summary(name: str, element: Element, summary: str) -> bool:
    if summary == "true":
        return element.summary or element.mandatory
    if summary == "text":
        return name == "text" or element.mandatory
    return summary != "data" or name != "text"


def _in_elements(name: str, element: Element, elements: Collection[str]) -> bool:
    if not elements or element.mandatory:
        return True
    return name.removeprefix("_") in elements or (element.choice != "" and element.choice in elements)


def _pruned(written: str, structure: str) -> str:
    """A part of a resource without what a summary leaves out of it."""
    if written.startswith("["):
        return "[" + ",".join(_pruned(bytes(raw).decode().strip(), structure) for raw in _items_of(written)) + "]"
    if not written.startswith("{"):
        return written
    declared = elements_of(structure)
    kept = {}
    for name, raw in _members_of(written.encode()).items():
        element = declared.get(name.removeprefix("_"))
        if element is None or element.summary or element.mandatory:  # extensions and ids are not declared: they stay
            part = bytes(raw).decode().strip()
            kept[name] = _pruned(part, element.inside) if element is not None and element.inside else part
    return _joined(kept)


def _tagged(meta: str) -> str:
    members = {name: bytes(raw).decode().strip() for name, raw in _members_of(meta.encode()).items()}
    tags = [bytes(raw).decode().strip() for raw in _items_of(members.get("tag", "[]"))]
    members["tag"] = "[" + ",".join([*tags, encode(_SUBSETTED)]) + "]"
    return _joined(members)


def _joined(members: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{encode(name)}:{text}" for name, text in members.items()) + "}"
