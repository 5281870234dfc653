"""Order's verdict on scanners side by side: from the values that were measured on each, without anybody keeping a sheet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.service import Call
from slipring.qc.indicators.definition import named_by_the_standard
from slipring.verdicts.wire import said
from slipring_order.clauses.answering import CLAUSES

from tests.support.desk import ADesk
from tests.support.ordering import NOW
from tests.support.qc_rounds import a_qc_desk, approved, value
from tests.support.rooms import a_scanner


async def compared(desk: ADesk) -> tuple[str, int, list[tuple[str, str]]]:
    """Verdict, pairs looked at, kind and record of each exception."""
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "clause", "valueString": "5.6.4"},
            {"name": "periodStart", "valueDate": (NOW - timedelta(days=10)).date().isoformat()},
            {"name": "periodEnd", "valueDate": NOW.date().isoformat()},
        ],
    }
    changes = await CLAUSES.told(Call(given), desk)
    assert changes.answer is not None
    [row] = [one for one in changes.answer["parameter"] if one["name"] == "clause"]
    checks: list[Any] = [one for one in row["part"] if one["name"] == "check"]
    [check] = [one for one in checks if said(one)["code"] == "scanners-compared"]
    faults = [said(one) for one in check["part"] if one["name"] == "exception"]
    told = said(check)
    return told["verdict"], told["population"], [(one["kind"], one["record"]["reference"]) for one in faults]


@pytest.mark.clause("5.6.4")
@pytest.mark.parametrize(
    ("there", "faults"), [((0.1, 0.4, 0.2), []), ((6.0, 6.2, 6.1), [("unconfirmed", "Device/o-ct1")]), ((1, 9, 4), [])]
)
async def test_scanners_that_differ_by_more_than_is_allowed_are_named(
    there: tuple[float, ...], faults: list[tuple[str, str]]
) -> None:
    desk = a_qc_desk(a_scanner("o-ct2"))
    for days in (30, 29, 28):  # before the period
        await approved(desk, value("water", days), at=NOW - timedelta(days=days))
        await approved(desk, value("water", -days), at=NOW - timedelta(days=days), scanner="Device/o-ct2")
    assert await compared(desk) == ("no-data", 0, []), "nothing was measured on both"
    for number, measured in enumerate(there):
        at = NOW - timedelta(days=8 - number)
        await approved(desk, value("water", [0.0, 0.2, -0.1][number]), at=at)
        await approved(desk, value("water", measured), at=at, scanner="Device/o-ct2")
    assert await compared(desk) == ("unconfirmed", 1, faults), "what is allowed is a figure that nobody has confirmed"


@pytest.mark.clause("4.14.7")
async def test_of_the_indicators_that_the_standard_names_those_not_computed_are_told() -> None:
    named = named_by_the_standard("order")
    monthly = [one for one in named if one.period == "month"]
    assert len({one.id for one in named} | {one.id for one in named_by_the_standard("report")}) >= 9

    async def verdict(*computed: str) -> tuple[str, int]:
        desk = a_qc_desk(*[_figure(one) for one in computed])
        days = {"periodStart": "2026-01-01", "periodEnd": "2026-01-31"}
        given = [{"name": "clause", "valueString": "4.14.7"}, *({"name": n, "valueDate": d} for n, d in days.items())]
        answer = (await CLAUSES.told(Call({"resourceType": "Parameters", "parameter": given}), desk)).answer
        [row] = [one for one in (answer or {})["parameter"] if one["name"] == "clause"]
        [check] = [one for one in row["part"] if one["name"] == "check" and said(one)["code"] == "indicators-computed"]
        return said(check)["verdict"], len([one for one in check["part"] if one["name"] == "exception"])

    assert await verdict() == ("no-data", 0)
    assert await verdict(*(one.id for one in monthly)) == ("met", 0)
    assert await verdict(*(one.id for one in monthly[1:])) == ("not-met", 1)


def _figure(indicator: str) -> dict[str, Any]:
    return {
        "resourceType": "MeasureReport", "id": f"o-{indicator}", "status": "complete", "type": "summary",
        "measure": f"https://slipring.example/fhir/Measure/{indicator}|1",
        "period": {"start": "2026-01-02T00:00:00Z", "end": "2026-01-31T00:00:00Z"}, "group": [{"measureScore": {"value": 1}}],
    }  # fmt: skip
