"""What a Task of the reading room carries: coded inputs and outputs, with names in both languages. Pure."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

from slipring_report.reading import code_of

VOCABULARY = "work_vocabulary.toml"
PARAMETER = f"{CANONICAL}/CodeSystem/work-parameter"


def said(kind: str, **value: Any) -> Resource:
    """One input or output of a Task: `said("note", valueString="...")`."""
    return {"type": named(("work-parameter", kind)), **value}


def told(task: Resource, kind: str, member: str = "input") -> list[Any]:
    """The values of the inputs (or outputs) of one kind."""
    return [
        value
        for entry in task.get(member, [])
        if code_of(entry.get("type"), PARAMETER) == kind
        for name, value in entry.items()
        if name.startswith("value")
    ]


def first(task: Resource, kind: str, member: str = "input") -> Any:
    """The first of them, or None."""
    return next(iter(told(task, kind, member)), None)


def without(task: Resource, *kinds: str, member: str = "input") -> list[Resource]:
    """The inputs (or outputs) that are of none of these kinds."""
    return [entry for entry in task.get(member, []) if code_of(entry.get("type"), PARAMETER) not in kinds]


def named(*codes: tuple[str, str]) -> Resource:
    """A CodeableConcept of one code or more of our own code systems, as (system, code), in both languages."""
    names = [_vocabulary()[system]["codes"][code] for system, code in codes]
    english = {"url": "content", "valueString": "; ".join(name["en"] for name in names)}
    return {
        "coding": [
            {"system": f"{CANONICAL}/CodeSystem/{system}", "code": code, "display": name["zh"]}
            for (system, code), name in zip(codes, names, strict=True)
        ],
        "text": "；".join(name["zh"] for name in names),
        "_text": {"extension": [{"url": TRANSLATION, "extension": [{"url": "lang", "valueCode": "en"}, english]}]},
    }


def codes_of(system: str) -> tuple[str, ...]:
    """The codes of one of the room's code systems, in the order of the file."""
    return tuple(_vocabulary()[system]["codes"])


@cache
def _vocabulary() -> dict[str, Any]:
    return tomllib.loads(files("slipring_report").joinpath("data", VOCABULARY).read_text(encoding="utf-8"))
