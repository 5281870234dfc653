"""Resources made up for searching: for every parameter some that have a value there, from a small vocabulary."""

from __future__ import annotations

import random
from typing import Any

from slipring.fhir.search.parameter import Path, SearchParameter, parameters_for

Resource = dict[str, Any]
CODES, SYSTEMS = ["x", "y"], ["", "urn:a", "urn:b"]
TEXTS = ["Alpha", "\u00c1lpha beta", "gamma \u80ba\u7ed3\u8282", "GAM"]
DAYS = ["2026", "2026-01", "2026-01-15", "2026-01-15T10:00:00Z", "2026-01-16T00:00:00+08:00", "2025-12-31"]
URLS = ["http://a.example/p", "http://a.example/p/q", "urn:oid:1.2", "http://a.example/pq"]
NUMBERS = [5.4, 5, 0.0054, 100, 60]
UCUM = "http://unitsofmeasure.org"
UNITS: list[Resource] = [{}, {"unit": "mg"}, {"system": UCUM, "code": "mg"}, {"system": UCUM, "code": "g"}]


def coding(draw: random.Random) -> Resource:
    """A code, perhaps with its system and name."""
    made = {"system": draw.choice(SYSTEMS), "code": draw.choice(CODES), "display": draw.choice(["", *TEXTS])}
    return {name: value for name, value in made.items() if value}


def concept(draw: random.Random) -> Resource:
    """Codes, text or both."""
    made: Resource = {"coding": [coding(draw) for _ in range(draw.randint(0, 2))]}
    return {
        name: value for name, value in (made | {"text": draw.choice(TEXTS)}).items() if value and draw.random() < 0.8
    }


def amount(draw: random.Random) -> Resource:
    """A number with a unit and now and then a comparator."""
    compared = {"comparator": draw.choice(["<", "<=", ">", ">="])} if draw.random() < 0.2 else {}
    return {"value": draw.choice(NUMBERS), **compared, **draw.choice(UNITS)}


def interval(draw: random.Random) -> Resource:
    """A Range; both sides in one unit."""
    unit = draw.choice(UNITS)
    sides = {"low": {"value": draw.choice(NUMBERS[:2]), **unit}, "high": {"value": draw.choice(NUMBERS[3:]), **unit}}
    return {name: side for name, side in sides.items() if draw.random() < 0.7} or {"low": sides["low"]}


def reference(draw: random.Random, parameter: SearchParameter) -> Resource:
    """A literal, an absolute or a logical reference to one of the targets."""
    target = draw.choice([*parameter.targets[:3] * 2, "Patient", "Group"])
    made = [
        {"reference": f"{target}/{draw.choice(['1', '2'])}"},
        {"reference": f"{target}/1/_history/3"},
        {"reference": f"http://his.example/fhir/{target}/1"},
        {"type": target, "identifier": {"system": "urn:a", "value": draw.choice(CODES)}},
        {"reference": "#inside"},
    ]
    return draw.choice(made)


def a_value(draw: random.Random, parameter: SearchParameter, kind: str) -> Any:
    """An element of a FHIR type."""
    period = {name: draw.choice(DAYS) for name in ("start", "end") if draw.random() < 0.7}
    kinds: dict[str, Any] = {
        "CodeableConcept": concept(draw),
        "Coding": coding(draw),
        "Identifier": {"system": draw.choice(SYSTEMS[1:]), "value": draw.choice(CODES), "type": concept(draw)},
        "ContactPoint": {"system": draw.choice(["phone", "email"]), "value": draw.choice(CODES)},
        "boolean": draw.choice([True, False]),
        "Reference": reference(draw, parameter),
        "Period": period,
        "Timing": draw.choice([{"event": [draw.choice(DAYS)]}, {"repeat": {"boundsPeriod": period}}]),
        "HumanName": {"family": draw.choice(TEXTS), "given": [draw.choice(TEXTS)]},
        "Address": {"line": [draw.choice(TEXTS)], "city": draw.choice(TEXTS)},
        "Range": interval(draw),
        "SampledData": {
            "origin": {"value": 5, **draw.choice(UNITS)},
            "factor": 2,
            "data": draw.choice(["1 2.5 E", "-3 U"]),
        },
    }
    kinds |= dict.fromkeys(("date", "dateTime", "instant"), draw.choice(DAYS))
    kinds |= dict.fromkeys(("uri", "url", "oid"), draw.choice(URLS))
    kinds["canonical"] = draw.choice(URLS) + draw.choice(["", "|2"])
    kinds |= dict.fromkeys(("code", "id"), draw.choice(CODES))
    kinds |= dict.fromkeys(("string", "markdown"), draw.choice(CODES if parameter.type == "token" else TEXTS))
    kinds |= dict.fromkeys(("Quantity", "Age", "Duration"), amount(draw))
    return kinds[kind]


def _put(tree: Resource, path: Path, value: Any, draw: random.Random) -> None:
    """Write a value at the end of a path; lists and single elements as it comes."""
    for step in path.steps[:-1]:
        inside: Any = tree.setdefault(step.name, [{}] if draw.random() < 0.5 or step.name == "coding" else {})
        tree = inside[0] if isinstance(inside, list) else inside
        if step.where:
            tree[step.where[0]] = step.where[1]
    last = path.steps[-1]
    if last.where:
        value = {**value, last.where[0]: last.where[1]}
    tree[last.name] = value


def of_parameter(draw: random.Random, parameter: SearchParameter, number: int) -> Resource:
    """A resource with a value where the parameter looks, and now and then none."""
    made: Resource = {"resourceType": parameter.resource, "id": f"{parameter.code}-{number}"}
    if parameter.of:
        parameter = parameters_for(parameter.resource)[draw.choice(parameter.of)]
    if draw.random() < 0.15:
        return made
    path = draw.choice(parameter.paths)
    if parameter.parts:
        element: Resource = {}
        for part in parameter.parts:
            inner = draw.choice(part.paths)
            _put(element, inner, a_value(draw, part.parameter, inner.kind), draw)
        if not path.steps:
            return made | element
        _put(made, path, element, draw)
    elif path.kind == "presence":
        made[path.steps[0].name] = draw.choice([True, False]) if "Boolean" in path.steps[0].name else "2026-01-01"
    else:
        _put(made, path, a_value(draw, parameter, path.kind), draw)
    return made
