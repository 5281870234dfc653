"""Holds a notification against the IG's profiles, by the slices and invariants of `backport_r4.toml` and FHIRPath."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fhirpathpy import evaluate

_RULES = tomllib.loads((Path(__file__).parents[1] / "fhir" / "backport_r4.toml").read_text("utf-8"))


def faults(bundle: Mapping[str, Any], content: str = "") -> list[str]:
    """What the IG would find wrong; `content` adds what it says of that content."""
    found = [name for name, rule in _RULES["invariants"].items() if evaluate(dict(bundle), rule) != [True]]
    return [*found, *status_faults(bundle["entry"][0]["resource"]), *_content_faults(bundle, content)]


def status_faults(status: Mapping[str, Any]) -> list[str]:
    """What is wrong with a status Parameters."""
    found = [] if status["resourceType"] == "Parameters" else ["no Parameters"]
    found += _slices(_RULES["status"], status["parameter"])
    for parameter in status["parameter"]:
        if parameter["name"] == "notification-event":
            found += _slices(_RULES["event"], parameter["part"])
    return found


def _slices(rules: Mapping[str, Any], listed: list[Mapping[str, Any]]) -> Iterator[str]:
    for name, rule in rules.items():
        held = [one for one in listed if one["name"] == name]
        if not rule["min"] <= len(held) <= rule.get("max", len(held)):
            yield f"{name}: {len(held)} times"
        for one in held:
            if set(one) != {"name", rule["value"]}:
                yield f"{name}: {sorted(one)}"
            elif "codes" in rule and one[rule["value"]] not in rule["codes"]:
                yield f"{name}: {one[rule['value']]}"
    unknown = {one["name"] for one in listed} - set(rules)
    yield from (f"{name}: of no slice" for name in sorted(unknown))


def _content_faults(bundle: Mapping[str, Any], content: str) -> Iterator[str]:
    """Payloads, of the IG: what each content must and must not hold."""
    parameters = bundle["entry"][0]["resource"]["parameter"]
    events = [p for p in parameters if p["name"] == "notification-event"]
    named = [{part["name"] for part in event["part"]} for event in events]
    others = bundle["entry"][1:]
    if content == "empty":
        if others or any(names & {"focus", "additional-context"} for names in named):
            yield "empty says what it is about"
        if any(p["name"] == "topic" for p in parameters):
            yield "empty names its topic"
    elif content:
        if not all("focus" in names for names in named):
            yield "an event has no focus"
        if any("fullUrl" not in entry for entry in others):
            yield "an entry has no fullUrl"
        for entry in others:
            bare = content == "id-only" or entry["request"]["method"] == "DELETE"
            if ("resource" in entry) is bare:
                yield f"{entry['fullUrl']} with or without its resource"
