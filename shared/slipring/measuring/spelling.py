"""How what indicators say is spelt in FHIR R4: addresses, extensions, words in both languages. Pure."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.profiles import read_profiles
from slipring.fhir.service import CANONICAL, Resource
from slipring.fhir.terminology.own import own_system
from slipring.qc.indicators.definition import Definition, Target, Words

POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
IMPROVEMENT = "http://terminology.hl7.org/CodeSystem/measure-improvement-notation"
SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"
UCUM = "http://unitsofmeasure.org"
CLAUSE = f"{CANONICAL}/CodeSystem/clause"
MISSED = "missed"
TARGET_OF = f"{CANONICAL}/sid/indicator-target"  # the indicator that a target of the department is of
REPORT_SYSTEM = f"{CANONICAL}/sid/indicator-report"
INPUTS_HASH = f"{CANONICAL}/StructureDefinition/inputs-hash"
INTERVAL = f"{CANONICAL}/StructureDefinition/score-interval"
TARGET = f"{CANONICAL}/StructureDefinition/indicator-target"
BASIS = f"{CANONICAL}/StructureDefinition/indicator-basis"
SCOPE = f"{CANONICAL}/StructureDefinition/indicator-scope"
MEMBERS = own_system(
    "indicator-population",
    "Members of an indicator beside the populations of FHIR",
    "指标成员",
    {MISSED: {"zh": "分母中未达到者", "en": "in the denominator, not in the numerator"}},
)
PROFILES = read_profiles(Path(__file__).with_name("profiles.toml"))
_PLACES = Decimal("0.000001")


def measure_url(definition: Definition) -> str:
    """The canonical address without a version."""
    return f"{CANONICAL}/Measure/{definition.id}"


def measure_id(definition: Definition, letter: str) -> str:
    """The id of a version at the service that keeps it, told by the service's letter."""
    return f"{letter}-{definition.id}-{definition.version}"


def decimal(value: float) -> Decimal:
    """A figure to six places.

    >>> decimal(2 / 3)
    Decimal('0.666667')
    """
    return Decimal(value).quantize(_PLACES)


def english(words: Words) -> Resource:
    """The translation of an element whose text is Chinese."""
    parts = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": words.en}]
    return {"extension": [{"url": TRANSLATION, "extension": parts}]}


def population(code: str) -> Resource:
    """The code of a population."""
    return {"coding": [{"system": MEMBERS.url if code == MISSED else POPULATION, "code": code}]}


def improvement(definition: Definition) -> Resource:
    """Which way is better; nothing where neither is."""
    codes = {"higher": "increase", "lower": "decrease"}
    if definition.better not in codes:
        return {}
    return {"improvementNotation": {"coding": [{"system": IMPROVEMENT, "code": codes[definition.better]}]}}


def target_extension(target: Target, met: bool | None = None) -> Resource:
    """What a figure is held against, and whether it meets it."""
    parts: list[Resource] = [
        {"url": "value", "valueDecimal": decimal(target.value)},
        {"url": "at", "valueCode": target.at},
        {"url": "source", "valueString": target.source},
        {"url": "confidence", "valueCode": target.confidence},
    ]
    if met is not None:
        parts.append({"url": "met", "valueBoolean": met})
    return {"url": TARGET, "extension": parts}


def target_in(element: Resource) -> Target | None:
    """The target that a Measure, or a group of a report, names."""
    for one in element.get("extension", []):
        if one.get("url") == TARGET:
            parts = {part["url"]: next(v for k, v in part.items() if k != "url") for part in one["extension"]}
            value, *words = (parts[name] for name in ("value", "at", "source", "confidence"))
            return Target(float(value), *map(str, words))
    return None


def interval_extension(**values: float) -> Resource:
    """The bounds of a score, and of a spread of values its tenths."""
    parts = [{"url": name, "valueDecimal": decimal(value)} for name, value in values.items()]
    return {"url": INTERVAL, "extension": parts}
