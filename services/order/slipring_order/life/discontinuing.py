"""Why an exam that had begun was ended: the coded reasons of DICOM, as `discontinuations.toml` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource

from slipring_order.reading import codings


def reasons() -> Mapping[str, Mapping[str, str]]:
    """Every reason with its names, `zh` and `en`."""
    return dict(_data()["codes"])


def reason_concept(code: str) -> Resource:
    """A reason as a CodeableConcept."""
    names = reasons()[code]
    return {"coding": [{"system": _data()["system"], "code": code, "display": names["en"]}], "text": names["zh"]}


def coded_reason(concept: Mapping[str, Any] | None) -> str:
    """The code of the list that a CodeableConcept carries, or an empty string."""
    found = (str(c.get("code", "")) for c in codings(concept) if c.get("system") == _data()["system"])
    return next((code for code in found if code in _data()["codes"]), "")


def by_the_placer(concept: Mapping[str, Any] | None) -> Resource:
    """The placer's reason where it is one of the list; else that a doctor cancelled, in his words."""
    if coded_reason(concept):
        return dict(concept or {})
    told = reason_concept(str(_data()["by_the_placer"]))
    return {**told, "text": str(concept["text"])} if concept and concept.get("text") else told


@cache
def _data() -> Mapping[str, Any]:
    with (Path(__file__).parents[1] / "data" / "discontinuations.toml").open("rb") as file:
        return tomllib.load(file)
