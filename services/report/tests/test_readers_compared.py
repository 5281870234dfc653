"""Readers are compared on what they read twice, blind: too little agreement beyond chance is told with its cases (5.6.4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import Desk, Evidence, Stored
from slipring.verdicts.looking import Look
from slipring.verdicts.period import Period
from slipring_report.clauses.readers import readers_agree
from slipring_report.learning.answers import RE_READING
from slipring_report.settings import ReportSettings

NOW = datetime(2026, 9, 30, 8, tzinfo=UTC)
NO, MINOR, YES = "negative", "minor", "significant"


class Bare:
    """A desk of which nothing is read but its numbers."""

    settings = ReportSettings()


def response(first: str, second: str, *, shown: str = "no") -> dict[str, Any]:
    said = {"first-category": first, "category": second}
    items = [{"linkId": link, "answer": [{"valueCoding": {"code": value}}]} for link, value in said.items()]
    items.append({"linkId": "shown-before", "answer": [{"valueString": shown}]})
    return {"resourceType": "QuestionnaireResponse", "questionnaire": RE_READING, "item": items}


async def judged(*cases: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    look = Look(cast("Desk", Bare()), Period(date(2026, 7, 1), date(2026, 9, 30)), NOW, ZoneInfo("Asia/Shanghai"))
    look.begin()
    kept = [Evidence(Stored({**one, "id": f"r{number}"}, 1, NOW), "x") for number, one in enumerate(cases)]
    found = await readers_agree(look, kept)
    return found.population, [(one.reference.rpartition("/")[2], one.figure) for one in found.breaches]


@pytest.mark.clause("5.6.4")
@pytest.mark.parametrize(
    ("cases", "wrong"),
    [
        ([response(NO, NO)] * 20 + [response(YES, YES)] * 20, []),
        ([response(NO, NO)] * 18 + [response(YES, YES)] * 18 + [response(NO, MINOR)] * 4, []),
        ([response(NO, YES)] * 20 + [response(YES, NO)] * 20, [f"r{n}" for n in range(40)]),
        ([response(NO, YES), response(YES, NO), *[response(NO, YES, shown="yes")] * 30], ["r0", "r1"]),
        ([response(NO, NO)] * 9, []),  # one category by both: kappa is not defined
        ([response(NO, YES), response(YES, YES), response(NO, NO)], []),  # so few that the interval reaches the least
    ],
)
async def test_too_little_agreement_beyond_chance_names_its_cases(cases: list[Any], wrong: list[str]) -> None:
    population, faults = await judged(*cases)
    assert population == len([one for one in cases if one["item"][2]["answer"][0]["valueString"] == "no"])
    assert faults == [(one, "readers.kappa_least") for one in wrong]
