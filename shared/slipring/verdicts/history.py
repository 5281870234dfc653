"""Verdicts kept for good: a MeasureReport each time a row stands otherwise, or on other records, than it did before.

Each service keeps its own part (`Measure/clause-check`). Order follows the others' and keeps what they come to together
(`Measure/clause-verdict`): that is what a subscriber hears of. Each names the one before it with the SHA-256 of its stored
text, so that none is altered, left out or put in between unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipring.clauses.register import DOCUMENT, Words
from slipring.fhir.service import CANONICAL, Evidence, Resource
from slipring.qc.indicators.definition import named_by_the_standard
from slipring.verdicts.looking import Judge, Judged, Look, broken
from slipring.verdicts.verdict import Breach

CHECK = f"{CANONICAL}/Measure/clause-check"
VERDICT = f"{CANONICAL}/Measure/clause-verdict"
KEPT_AS = f"{CANONICAL}/sid/clause-verdict"
EXTENSION = f"{CANONICAL}/StructureDefinition/clause-verdict"
TOGETHER = "all"  # stands for the service where a verdict is that of all
_CLAUSE = f"{CANONICAL}/CodeSystem/clause"
_QUARTER = 90  # days of the shortest quarter: indicators by the quarter are asked of no shorter period
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"


@dataclass(frozen=True, slots=True)
class Kept:
    """One verdict of one row over one period, by one service or by all together."""

    service: str
    row: str
    first: str  # the period's days
    last: str
    verdict: str
    population: int
    exceptions: int
    sha256: str  # of the inputs
    at: str = ""

    @property
    def key(self) -> str:
        """The business identifier that all versions of this verdict bear, without signs that a search reads otherwise."""
        return key(self.service, self.row, self.first, self.last)


def key(service: str, row: str, first: str, last: str) -> str:
    """The identifier of a row's verdicts: `report/5.7.1/2026-07-01/2026-09-30`."""
    return f"{service}/{re.sub('[^A-Za-z0-9.+]+', '-', row)}/{first}/{last}"


def as_report(kept: Kept, previous: str, *, id: str, now: datetime) -> Resource:
    """The MeasureReport; `previous`: the one before it, `MeasureReport/id sha256`, '' for the first."""
    parts: list[Resource] = [
        {"url": "clause", "valueString": kept.row},
        {"url": "service", "valueCode": kept.service},
        {"url": "verdict", "valueCode": kept.verdict},
        {"url": "inputs", "valueString": kept.sha256},
    ]
    if previous:
        parts.append({"url": "previous", "valueString": previous})
    counts = (("initial-population", kept.population), ("numerator", kept.exceptions))
    return {
        "resourceType": "MeasureReport",
        "id": id,
        "extension": [{"url": EXTENSION, "extension": parts}],
        "identifier": [{"system": KEPT_AS, "value": kept.key}],
        "status": "complete",
        "type": "summary",
        "measure": VERDICT if kept.service == TOGETHER else CHECK,
        "date": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "period": {"start": kept.first, "end": kept.last},
        "group": [
            {
                "code": {"coding": [{"system": _CLAUSE, "code": f"{DOCUMENT}:{kept.row}"}]},
                "population": [
                    {"code": {"coding": [{"system": _POPULATION, "code": code}]}, "count": count}
                    for code, count in counts
                ],
            }
        ],
    }


def kept_in(report: Mapping[str, Any]) -> Kept | None:
    """The verdict that a MeasureReport keeps; None for any other."""
    if report.get("measure") not in (CHECK, VERDICT):
        return None
    parts = {
        one["url"]: one for e in report.get("extension", []) if e.get("url") == EXTENSION for one in e["extension"]
    }
    population, exceptions = (int(one["count"]) for one in report["group"][0]["population"])
    return Kept(
        parts["service"]["valueCode"],
        parts["clause"]["valueString"],
        report["period"]["start"],
        report["period"]["end"],
        parts["verdict"]["valueCode"],
        population,
        exceptions,
        parts["inputs"]["valueString"],
        str(report["date"]),
    )


def previous_of(report: Mapping[str, Any]) -> str:
    """The one before it with its hash, as it names it."""
    for extension in report.get("extension", []):
        for one in extension.get("extension", []):
            if extension.get("url") == EXTENSION and one["url"] == "previous":
                return str(one["valueString"])
    return ""


def indicators_of(service: str) -> Judge:
    """The judge of 4.14.7 at a service: figures were computed and kept, each of the named ones that it serves among them."""
    named = named_by_the_standard(service)

    async def indicators(look: Look, counted: Sequence[Evidence]) -> Judged:
        figures = [one for one in counted if one.stored.resource.get("measure") not in (CHECK, VERDICT)]
        empty = [one for one in figures if not one.stored.resource.get("group")]
        faults = [broken(one, "没有数值", "it holds no figure") for one in empty]
        kept = {str(one.stored.resource.get("measure", "")).partition("|")[0] for one in figures}
        long = (look.period.last - look.period.first).days + 1 >= _QUARTER
        wanted = [one for one in named if long or one.period == "month"]
        lacking = [one for one in wanted if f"{CANONICAL}/Measure/{one.id}" not in kept]
        if figures:  # where none was computed at all, there is nothing to judge by
            says = [
                Words(f"{one.name.zh}：本期未计算", f"{one.name.en}: not computed in the period") for one in lacking
            ]
            faults += [Breach("", one, "absent") for one in says]
        return Judged(faults, len(figures))

    return indicators
