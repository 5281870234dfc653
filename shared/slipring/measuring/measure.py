"""A version of a definition as a Measure: read-only, one resource per version. Pure."""

from __future__ import annotations

from slipring.fhir.service import Resource
from slipring.measuring.spelling import (
    BASIS,
    CLAUSE,
    SCORING,
    english,
    improvement,
    measure_id,
    measure_url,
    population,
    target_extension,
)
from slipring.qc.indicators.definition import Definition, Words, every_version, populations


def measures(service: str, letter: str) -> tuple[Resource, ...]:
    """All that a service ships."""
    return tuple(as_measure(one, letter) for one in every_version(service))


def as_measure(definition: Definition, letter: str) -> Resource:
    """The definition as it is served."""
    basis: dict[str, Resource] = {
        "source": {"valueString": definition.source},
        "confidence": {"valueCode": definition.confidence},
        "confirmed": {"valueBoolean": definition.confirmed},
        "period": {"valueCode": definition.period},
        "population": {"valueCode": definition.population},
    }
    extension: list[Resource] = [{"url": BASIS, "extension": [{"url": name, **value} for name, value in basis.items()]}]
    if definition.target is not None:
        extension.append(target_extension(definition.target))
    return {
        "resourceType": "Measure",
        "id": measure_id(definition, letter),
        "extension": extension,
        "language": "zh-CN",
        "url": measure_url(definition),
        "version": definition.version,
        "name": "".join(part.capitalize() for part in definition.id.split("-")),
        "title": definition.name.zh,
        "_title": english(definition.name),
        "status": "active",
        "date": definition.valid_from.isoformat(),
        "publisher": "slipring",
        "description": definition.counts.zh,
        "_description": english(definition.counts),
        **_guidance(definition),
        "topic": [{"coding": [{"system": CLAUSE, "code": definition.clause}]}],
        "scoring": {"coding": [{"system": SCORING, "code": _scoring(definition)}]},
        **improvement(definition),
        "group": [{"population": _populations(definition)}],
    }


def _guidance(definition: Definition) -> Resource:
    """By which moment members belong to a period, and what could be counted otherwise."""
    said = populations()[definition.population].get("guidance")
    return {"guidance": said["zh"], "_guidance": english(Words(**said))} if said else {}


def _scoring(definition: Definition) -> str:
    return {"continuous": "continuous-variable"}.get(definition.scoring, definition.scoring)


def _populations(definition: Definition) -> list[Resource]:
    counted = populations()[definition.population]
    within = [] if definition.within is None else [f"value <= {definition.within:g} {counted['unit']}"]
    found = [
        ("initial-population", Words(counted["zh"], counted["en"]), [f"population {definition.population}"]),
        ("denominator", definition.over, definition.denominator),
        ("denominator-exclusion", Words("不计入者", "left out"), [" or ".join(definition.exclusions)]),
        ("numerator", definition.counts, [*definition.numerator, *within]),
    ]
    return [
        {
            "code": population(code),
            "description": words.zh,
            "_description": english(words),
            "criteria": {"language": "text/plain", "expression": " and ".join(filter(None, asked)) or "all"},
        }
        for code, words, asked in found
        if code != "denominator-exclusion" or definition.exclusions
    ]
