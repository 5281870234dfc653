"""Scan protocols as PlanDefinitions (CL02-A011:5.5.3): drafts that a department confirms, for all scanners or for one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.catalogue import Exam, own_codes
from slipring_order.offer.defined import PROTOCOL_GROUP
from slipring_order.offer.words import concept, in_english, usage, words

PROTOCOL_NUMBER = f"{CANONICAL}/sid/protocol"
AGE_GROUP = f"{CANONICAL}/CodeSystem/age-group"
PARAMETER = f"{CANONICAL}/StructureDefinition/scan-parameter"
PROCEDURE_TEXT = f"{CANONICAL}/StructureDefinition/procedure-text"
CONFIDENCE = f"{CANONICAL}/StructureDefinition/confidence"
TISSUES = "tissue-ct-numbers"
_UCUM = "http://unitsofmeasure.org"
_UNITS = {
    "kvp": "kV", "reference-mas": "mA.s", "pitch": "1", "slice": "mm", "delay": "s",
    "contrast-dose": "mL/kg", "contrast-rate": "mL/s",
}  # fmt: skip
_PHASES: Mapping[str, tuple[bool, bool]] = {"none": (True, False), "with": (False, True), "both": (True, True)}


def protocol_id(name: str) -> str:
    """The id of a shipped protocol."""
    return f"o-protocol-{name}"


def protocols() -> Iterator[Resource]:
    """One for each group, use of contrast and age group that the catalogue's exams need; then the CT numbers of tissues."""
    for group in _data()["group"]:
        needed = {exam.phases for exam in own_codes().values() if exam.protocol == group}
        for phases in sorted(needed):
            yield from (_protocol(group, phases, age) for age in ("adult", "child"))
    yield _tissues()


def group_names() -> dict[str, dict[str, str]]:
    """The groups of protocols with their names."""
    return {name: {"zh": group["zh"], "en": group["en"]} for name, group in _data()["group"].items()}


def tissue_names() -> dict[str, dict[str, str]]:
    """The tissues that CT numbers are stated for."""
    return {name: {"zh": one["zh"], "en": one["en"]} for name, one in _data()["tissues"]["values"].items()}


def child_until_years() -> int:
    """The age from which the protocols for adults count."""
    return int(_data()["child_until_years"])


def group_of(exam: Exam) -> Resource:
    """The exam's group of protocols as a concept."""
    names = _data()["group"][exam.protocol]
    return {"coding": [{"system": PROTOCOL_GROUP, "code": exam.protocol}], "text": names["zh"]}


def _protocol(group: str, phases: str, age: str) -> Resource:
    data = _data()["group"][group]
    name = f"{group}-{phases}-{age}"
    said = words()["exam-contrast"]["codes"][phases], words()["age-group"]["codes"][age]
    contexts = [
        usage("exam", {"coding": [{"system": PROTOCOL_GROUP, "code": group}], "text": data["zh"]}),
        usage("contrast", concept("exam-contrast", phases)),
        usage("age-group", concept("age-group", age)),
    ]
    return {
        **_draft(
            name, f"{data['zh']}·{said[0]['zh']}·{said[1]['zh']}", f"{data['en']}, {said[0]['en']}, {said[1]['en']}"
        ),
        "extension": [{"url": CONFIDENCE, "valueCode": _data()["confidence"]}, *_texts(phases)],
        "useContext": contexts,
        "action": list(_actions(data, phases, age)),
    }


def _draft(name: str, zh: str, en: str) -> Resource:
    return {
        "resourceType": "PlanDefinition",
        "id": protocol_id(name),
        "url": f"{CANONICAL}/PlanDefinition/protocol-{name}",
        "identifier": [{"system": PROTOCOL_NUMBER, "value": name}],
        "version": _data()["version"],
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": zh,
        "_title": in_english(en),
        "type": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/plan-definition-type", "code": "clinical-protocol"}
            ]
        },
        "status": "draft",
        "date": _data()["effective_from"].isoformat(),
    }


def _texts(phases: str) -> Iterator[Resource]:
    for part, said in _data()["texts"].items():
        if part != "contrast" or phases != "none":
            text = {"url": "text", "valueString": said["zh"], "_valueString": in_english(said["en"])}
            yield {"url": PROCEDURE_TEXT, "extension": [{"url": "part", "valueCode": part}, text]}


def _actions(group: Mapping[str, Any], phases: str, age: str) -> Iterator[Resource]:
    tube = group[age]
    scan = [
        _parameter("kvp", tube["kvp"]), _parameter("reference-mas", tube["reference_mas"]),
        _parameter("pitch", tube["pitch"]), _parameter("slice", tube["slice_mm"]),
    ]  # fmt: skip
    yield _action("localizer", [_parameter("kvp", tube["kvp"])])
    plain, enhanced = _PHASES[phases]
    if plain:
        yield from (_action(phase, scan) for phase in group.get("plain", ["plain"]))
    if enhanced:
        dose = _parameter("contrast-dose", _data()["contrast"][age]["dose_ml_kg"])
        for one in group["enhanced"]:
            injection = [dose, _parameter("contrast-rate", one["rate_ml_s"]), _parameter("delay", one["delay_s"])]
            yield _action(one["phase"], [*scan, *injection])


def _action(phase: str, parameters: list[Resource]) -> Resource:
    named = concept("scan-phase", phase)
    return {"extension": parameters, "title": named["text"], "code": [named]}


def _parameter(code: str, value: Decimal | int) -> Resource:
    unit = _UNITS[code]
    quantity = {"value": value, "unit": unit, "system": _UCUM, "code": unit}
    return {
        "url": PARAMETER,
        "extension": [{"url": "code", "valueCode": code}, {"url": "value", "valueQuantity": quantity}],
    }


def _tissues() -> Resource:
    table = _data()["tissues"]
    return {
        **_draft(TISSUES, "各组织的CT值（120 kV）", "CT numbers of tissues at 120 kV"),
        "extension": [{"url": CONFIDENCE, "valueCode": table["confidence"]}],
        "goal": [_tissue(name, one) for name, one in table["values"].items()],
    }


def _tissue(name: str, one: Mapping[str, Any]) -> Resource:
    ends = {"low": one["from"]} | ({"high": one["to"]} if "to" in one else {})
    unit = {"unit": "HU", "system": _UCUM, "code": "[hnsf'U]"}
    measure = {"coding": [{"system": f"{CANONICAL}/CodeSystem/tissue", "code": name}], "text": one["zh"]}
    detail = {end: {"value": value, **unit} for end, value in ends.items()}
    return {
        "description": {"text": one["zh"], "_text": in_english(one["en"])},
        "target": [{"measure": measure, "detailRange": detail}],
    }


@cache
def _data() -> Mapping[str, Any]:
    with (Path(__file__).parents[1] / "data" / "protocols.toml").open("rb") as file:
        return tomllib.load(file, parse_float=Decimal)
