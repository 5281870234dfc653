"""What `slipring load` does before it sends: entries out of files, references resolved, one order. Pure.

Original ids stay (`urn:uuid:<x>` becomes `Type/<x>`), so loading twice meets what is already there.
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

Tree = dict[str, Any]
# Numbers keep the characters they were written with.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")
_CONDITIONAL = re.compile(r"^(?P<type>[A-Z][A-Za-z]+)\?(?P<query>.+)$")

# Who is pointed at comes first; all other types follow in the order of the file.
_FIRST = (
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "RelatedPerson",
    "Device",
    "Medication",
    "Questionnaire",
    "Encounter",
    "Condition",
    "AllergyIntolerance",
    "ServiceRequest",
    "Procedure",
    "ImagingStudy",
    "Observation",
    "Task",
)
_LAST = ("DiagnosticReport", "Composition", "Provenance")


class Unreadable(Exception):
    """A file that holds no FHIR JSON; the message names the file."""


@dataclass(slots=True)
class Part:
    """One resource to load, under the id it keeps."""

    resource: Tree
    full_url: str = ""
    if_none_exist: str = ""

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def reference(self) -> str:
        """The reference it will have."""
        return f"{self.type}/{self.resource['id']}"


@dataclass(slots=True)
class Load:
    """All parts of all files, those of types nobody keeps set apart by count."""

    parts: list[Part] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)  # fullUrl -> Type/id


def read_file(path: Path) -> Tree:
    """One JSON resource out of a plain, bzip2 or gzip file."""
    unpacked = {".bz2": bz2.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)
    try:
        tree = _DECODER.decode(unpacked(path.read_bytes()))
    except (OSError, EOFError, ValueError) as problem:
        raise Unreadable(f"{path}: {type(problem).__name__}, not a readable JSON file.") from None
    if not isinstance(tree, dict) or "resourceType" not in tree:
        raise Unreadable(f"{path}: not a FHIR resource.")
    return tree


def gathered(trees: Iterable[Tree], kept: Callable[[str], bool], new_id: Callable[[], str]) -> Load:
    """The parts of all trees, in the order they are to be stored."""
    load = Load()
    for tree in trees:
        for part in _parts_of(tree, new_id):
            if part.full_url:
                load.references[part.full_url] = part.reference
            if kept(part.type):
                load.parts.append(part)
            else:
                load.skipped[part.type] = load.skipped.get(part.type, 0) + 1
    load.parts.sort(key=lambda part: _rank(part.type))
    return load


def _parts_of(tree: Tree, new_id: Callable[[], str]) -> Iterator[Part]:
    entries = tree.get("entry", ()) if tree["resourceType"] == "Bundle" else ({"resource": tree},)
    for entry in entries:
        resource = entry.get("resource")
        if not isinstance(resource, dict) or "resourceType" not in resource:
            continue
        full_url = str(entry.get("fullUrl", ""))
        if "id" not in resource:
            given = full_url.removeprefix("urn:uuid:").rpartition("/")[2]
            resource = {**resource, "id": given if _ID.match(given) else new_id()}
        yield Part(resource, full_url, str(entry.get("request", {}).get("ifNoneExist", "")))


def _rank(kept_type: str) -> int:
    if kept_type in _LAST:
        return 1000 + _LAST.index(kept_type)
    return _FIRST.index(kept_type) if kept_type in _FIRST else len(_FIRST)


def conditions_in(parts: Iterable[Part]) -> list[str]:
    """All conditional references (`Practitioner?identifier=...`), each once."""
    found: dict[str, None] = {}

    def note(reference: Tree) -> Tree:
        if _CONDITIONAL.match(str(reference.get("reference", ""))):
            found[reference["reference"]] = None
        return reference

    for part in parts:
        _walk(part.resource, note)
    return list(found)


def resolved(part: Part, references: dict[str, str], conditional: dict[str, str | None]) -> Part:
    """The part with every reference it makes pointing at a stored resource.

    A condition that matched nothing becomes a logical reference: the identifier is still true.
    """

    def replace(reference: Tree) -> Tree:
        text = str(reference.get("reference", ""))
        if text in references:
            return {**reference, "reference": references[text]}
        match = _CONDITIONAL.match(text)
        if not match:
            return reference
        if found := conditional.get(text):
            return {**reference, "reference": found}
        rest = {name: value for name, value in reference.items() if name != "reference"}
        return {"type": match["type"], "identifier": _identifier(match["query"]), **rest}

    return Part(_walk(part.resource, replace), part.full_url, part.if_none_exist)


def _identifier(query: str) -> Tree:
    value = next((pair.partition("=")[2] for pair in query.split("&") if pair.startswith("identifier=")), query)
    system, bar, code = value.partition("|")
    return {"system": system, "value": code} if bar and system else {"value": code or value}


def _walk(tree: Any, change: Callable[[Tree], Tree]) -> Any:
    if isinstance(tree, list):
        return [_walk(item, change) for item in tree]
    if not isinstance(tree, dict):
        return tree
    walked = {name: _walk(value, change) for name, value in tree.items()}
    return change(walked) if isinstance(walked.get("reference"), str) else walked


def in_batches(parts: Sequence[Part], owner_of: Callable[[Tree], str], size: int) -> Iterator[tuple[str, list[Part]]]:
    """Parts of one type and owner together, at most `size` at once, in the order given."""
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        groups.setdefault((owner_of(part.resource), part.type), []).append(part)
    for (owner, _), group in groups.items():
        for start in range(0, len(group), size):
            yield owner, group[start : start + size]


def as_batch(parts: Sequence[Part]) -> bytes:
    """A batch that stores each part under its own id."""
    entries = [{"resource": part.resource, "request": {"method": "PUT", "url": part.reference}} for part in parts]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    return msgspec.json.Encoder(decimal_format="number").encode(bundle)
