"""A row's verdict as parts of Parameters, and back as plain values (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slipring.clauses.register import Clause
from slipring.fhir.service import Resource
from slipring.verdicts.declared import filled
from slipring.verdicts.looking import Look
from slipring.verdicts.verdict import Breach, Outcome, digest, together

MOST_LISTED = 200


def said(one: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the parts of a parameter by their names; of a repeated part the last."""
    return {part["name"]: next((v for n, v in part.items() if n != "name"), None) for part in one["part"]}


def as_clause(row: Clause, outcomes: Sequence[Outcome], service: str, look: Look) -> Resource:
    """One row with its checks."""
    verdict = together(one.verdict for one in outcomes)
    lines = (line for one in outcomes for line in one.inputs)
    return {
        "name": "clause",
        "part": [
            {"name": "id", "valueString": row.id},
            {"name": "verdict", "valueCode": str(verdict)},
            {"name": "population", "valueInteger": sum(one.population for one in outcomes)},
            {"name": "exceptions", "valueInteger": sum(len(one.breaches) for one in outcomes)},
            {"name": "sha256", "valueString": digest(lines, before=f"{service} ")},
            *({"name": "check", "part": _check(one, service, look)} for one in outcomes),
        ],
    }


def _check(one: Outcome, service: str, look: Look) -> list[Resource]:
    start, end = look.period.span(look.zone)
    searches = [filled(query, start, end, look.at) for query in (*one.check.of, *one.check.breaks)]
    return [
        {"name": "service", "valueCode": service},
        {"name": "code", "valueCode": one.check.code},
        {"name": "zh", "valueString": one.check.says.zh},
        {"name": "en", "valueString": one.check.says.en},
        {"name": "verdict", "valueCode": str(one.verdict)},
        {"name": "population", "valueInteger": one.population},
        {"name": "exceptions", "valueInteger": len(one.breaches)},
        *({"name": "evidence", "valueUri": query} for query in searches),
        *({"name": "unconfirmed", "valueString": name} for name in one.unconfirmed),
        *({"name": "notThen", "valueReference": {"reference": name}} for name in one.not_then[:MOST_LISTED]),
        *({"name": "exception", "part": _breach(breach)} for breach in one.breaches[:MOST_LISTED]),
    ]


def _breach(breach: Breach) -> list[Resource]:
    parts: list[Any] = [{"name": "kind", "valueCode": breach.kind}]
    if breach.reference:
        parts.append({"name": "record", "valueReference": {"reference": breach.reference}})
    return [
        *parts,
        {"name": "zh", "valueString": breach.how.zh},
        {"name": "en", "valueString": breach.how.en},
    ]
