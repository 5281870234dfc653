"""How bad a reaction is: the grade as it was given, in its own scale, and what it means in R4's three words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in

SEVERITY = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"
GRADES = ("mild", "moderate", "severe")  # the required codes of AdverseEvent.severity, and the ACR's words


def scales() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every scale by the address of its code system, with what each grade means."""
    for scale in data_file("reactions.toml")["scale"]:
        yield f"{CANONICAL}/CodeSystem/{scale['system']}", scale["map"]


def meant(system: str, code: str) -> str:
    """The grade of one coding as mild, moderate or severe; empty when the scale or the grade is not known."""
    if system in ("", SEVERITY):
        return code if code in GRADES else ""
    return next((map_.get(code, "") for known, map_ in scales() if known == system), "")


def worst_of(concept: Resource | None) -> str:
    """The worst grade that a severity says in any scale; empty when it says none.

    Two scales that disagree are read as the worse: a patient is not endangered by a slip of the other.
    """
    said = [grade for system, code in codes_in(concept) if (grade := meant(system, code))]
    return max(said, key=GRADES.index, default="")


def disagreeing(concept: Resource | None) -> bool:
    """Whether the grades that were given in several scales mean different things."""
    return len({grade for system, code in codes_in(concept) if (grade := meant(system, code))}) > 1


def as_severity(given: Mapping[str, Any]) -> Resource:
    """A grade in any scale as AdverseEvent.severity: the required code, and the grade as it was given beside it."""
    system, code = str(given.get("system", "")), str(given.get("code", ""))
    required = {"system": SEVERITY, "code": meant(system, code)}
    if system in ("", SEVERITY):
        return {"coding": [required]}
    return {"coding": [required, {"system": system, "code": code, "userSelected": True}]}
