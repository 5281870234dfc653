"""The coded reasons that the pages offer, read from `reasons.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from slipring.department.names import Pair
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason; `fits`: the decisions it is offered for."""

    code: str
    words: Pair
    fits: tuple[str, ...] = ()


@cache
def reasons(kind: str) -> tuple[Reason, ...]:
    """The reasons of one kind: `decision`, `discontinued`."""
    data = tomllib.loads(Path(__file__).with_name("reasons.toml").read_text(encoding="utf-8"))[kind]
    return tuple(Reason(code, (one["zh"], one["en"]), tuple(one.get("for", ()))) for code, one in data.items())


def concept_of(kind: str, code: str) -> Tree | None:
    """The chosen reason as a CodeableConcept; None when nothing that is offered was chosen."""
    found = next((reason for reason in reasons(kind) if reason.code == code), None)
    if found is None:
        return None
    system = _DICOM if kind == "discontinued" else f"{CANONICAL}/CodeSystem/{kind}-reason"
    return {"coding": [{"system": system, "code": code, "display": found.words[1]}], "text": found.words[0]}
