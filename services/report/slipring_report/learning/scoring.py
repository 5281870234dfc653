"""The report scoring sheet: as shipped, as the department has edited it, and what a filled-in one comes to (4.14.7). Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import Resource

from slipring_report.learning.answers import SCORING

QUESTIONNAIRE_ID = "r-report-scoring-1"
MAX_VALUE = "http://hl7.org/fhir/StructureDefinition/maxValue"


def shipped() -> Resource:
    """The sheet as a Questionnaire: points as decimals with their most, vetoes as booleans."""
    sheet = _file()
    parts = [_item(link, entry, "decimal") for link, entry in sheet["part"].items()]
    return {
        "resourceType": "Questionnaire",
        "id": QUESTIONNAIRE_ID,
        "language": "zh-CN",
        "url": SCORING,
        "version": sheet["version"],
        "name": "ReportScoring",
        "title": sheet["title"]["zh"],
        "_title": _english(sheet["title"]["en"]),
        "status": "active",
        "subjectType": ["DiagnosticReport"],
        "date": sheet["effective_from"].isoformat(),
        "publisher": "slipring",
        "copyright": sheet["source"],
        "item": [*parts, *[_item(link, entry, "boolean") for link, entry in sheet["veto"].items()]],
    }


def most_of(sheet: Resource) -> dict[str, Decimal]:
    """The parts of a sheet with the most points each gives; vetoes are not among them."""
    return {
        item["linkId"]: Decimal(str(one["valueDecimal"]))
        for item in sheet.get("item", [])
        for one in item.get("extension", [])
        if item.get("type") == "decimal" and one.get("url") == MAX_VALUE and "valueDecimal" in one
    }


def asked_by(sheet: Resource, link: str) -> tuple[str, str]:
    """What a part asks, in Chinese and English."""
    item = next(one for one in sheet["item"] if one["linkId"] == link)
    parts = [
        {each["url"]: each for each in one.get("extension", [])}
        for one in item.get("_text", {}).get("extension", [])
        if one.get("url") == TRANSLATION
    ]
    english = (one["content"].get("valueString") for one in parts if one.get("lang", {}).get("valueCode") == "en")
    zh = str(item.get("text", link))
    return zh, str(next(english, zh))


def vetoes_of(sheet: Resource) -> set[str]:
    """What makes a report fail whatever its points."""
    return {item["linkId"] for item in sheet.get("item", []) if item.get("type") == "boolean"}


def result(points: Mapping[str, Decimal], vetoed: bool) -> tuple[Decimal, str, bool]:
    """Total, grade and whether the report passes; a veto is nought points.

    >>> result({"description": Decimal(80)}, False), result({"description": Decimal(100)}, True)
    ((Decimal('80'), 'b', True), (Decimal('0'), 'c', False))
    """
    total = Decimal(0) if vetoed else sum(points.values(), Decimal(0))
    grade = next(str(one["code"]) for one in _file()["grade"] if total >= one["least"])
    return total, grade, grade in _file()["passing"]


def grades() -> list[str]:
    """The grades, the best first."""
    return [str(one["code"]) for one in _file()["grade"]]


def _item(link: str, entry: Mapping[str, Any], kind: str) -> Resource:
    item = {"linkId": link, "text": entry["zh"], "_text": _english(entry["en"]), "type": kind}
    if kind == "boolean":
        return item
    return {"extension": [{"url": MAX_VALUE, "valueDecimal": Decimal(entry["points"])}], **item, "required": True}


def _english(text: str) -> Resource:
    parts = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": text}]
    return {"extension": [{"url": TRANSLATION, "extension": parts}]}


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "report_scoring.toml").read_text("utf-8"))
