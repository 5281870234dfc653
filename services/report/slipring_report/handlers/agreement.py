"""`$rereading-agreement`: how well the second readings of a period agree with the first (5.6.2.3); nothing is stored."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import get_args

from slipring.fhir.service import Call, Changes, Desk, Resource
from slipring.qc.proportion import wilson
from slipring.qc.report.agreement import Kappa, Weighting, cohens_kappa, cross_table

from slipring_report.emergency.policy import grades
from slipring_report.learning import answers
from slipring_report.learning.gathering import demand_department, found_within, period_asked, said_in
from slipring_report.learning.re_reading import categories, is_case
from slipring_report.learning.telling import decimal, interval_parts, part
from slipring_report.resources import parameters, reference, written
from slipring_report.vocabulary import READING_CATEGORY, codes_of

_OPEN = ("requested", "in-progress")


async def agreement_told(call: Call, desk: Desk) -> Changes:
    """Grades with the interval of their agreement, kappa of the categories, and the cases; what was not blind is apart."""
    demand_department(desk)
    start, end = period_asked(call, desk)
    every = await said_in(answers.RE_READING, start, end, desk)
    blind = [one for one in every if answers.told(one, "shown-before") == "no"]
    counted = Counter(answers.code(one, "grade") for one in blind)
    pairs = [categories(one) for one in blind]
    table = cross_table(pairs, list(codes_of(READING_CATEGORY)))
    tasks = await found_within("Task?code=re-reading&", "authored-on", start, end, desk)
    waiting = [one for one in tasks if is_case(one.resource) and one.resource["status"] in _OPEN]
    answer = parameters(
        ("period", "Period", {"start": written(start), "end": written(end)}),
        ("cases", "Integer", len(blind)),
        ("notBlind", "Integer", len(every) - len(blind)),
        ("open", "Integer", len(waiting)),
        ("agreed", "Integer", counted["agree"]),
    )
    answer["parameter"] += interval_parts(wilson(counted["agree"], len(blind)))
    answer["parameter"] += [_group("grade", ("code", "Code", code), counted[code]) for code in grades()]
    for weighting in get_args(Weighting):
        if kappa := cohens_kappa(table, weighting):
            answer["parameter"].append(_kappa(weighting, kappa))
    answer["parameter"] += [_member(one) for one in every]
    return Changes(answer=answer)


def _group(name: str, code: tuple[str, str, str], count: int) -> Resource:
    return {"name": name, "part": [part(*code), part("count", "Integer", count)]}


def _kappa(weighting: str, kappa: Kappa) -> Resource:
    figures = [part(name, "Decimal", decimal(getattr(kappa, name))) for name in ("value", "low", "high", "error")]
    return {
        "name": "kappa",
        "part": [part("weighting", "Code", weighting), *figures, part("level", "Decimal", Decimal("0.95"))],
    }


def _member(response: Resource) -> Resource:
    said = [
        part("record", "Reference", reference(f"QuestionnaireResponse/{response['id']}")),
        part("report", "Reference", reference(answers.report_of(response))),
        part("grade", "Code", answers.code(response, "grade")),
        part("blind", "Boolean", answers.told(response, "shown-before") == "no"),
    ]
    return {"name": "member", "part": said}
