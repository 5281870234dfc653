"""Overrides are counted: by rule, reason and physician, beside how often contrast was given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource, Write
from slipring_consent.gate.uses import OUTCOME, OVERRIDDEN
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.override_use import overrides_counted
from slipring_consent.reading import instant

from tests.support.contrast import a_department, a_screening, an_egfr, an_injection, an_override
from tests.support.desk import A_NOON, ADesk


async def counted(desk: ADesk, **period: str) -> dict[str, Any]:
    given: list[Resource] = [{"name": "period", "valuePeriod": period}] if period else []
    changes = await overrides_counted(Call({"resourceType": "Parameters", "parameter": given}), desk)
    assert changes.answer is not None
    assert not changes.save
    answer: dict[str, Any] = {"use": []}
    for one in changes.answer["parameter"]:
        if one["name"] == "use":
            answer["use"].append([next(v for n, v in part.items() if n != "name") for part in one["part"]])
        else:
            answer[one["name"]] = next(value for name, value in one.items() if name != "name")
    return answer


async def passed(desk: ADesk, injection_id: str, reason: str) -> None:
    injection = an_injection(id=injection_id, extension=an_override(reason))
    changes = await contrast_written(Write("create", injection), desk)
    assert changes.refuse is None
    desk.carry_out(changes, injection)
    desk.hold(injection | {"status": "completed"})


@pytest.mark.clause("5.3.2.5")
@pytest.mark.clause("4.13")
async def test_who_passed_what_for_which_reason_is_counted_beside_what_was_given() -> None:
    desk = a_department(an_egfr(), a_screening())
    await passed(desk, "c-1", "emergency-no-capacity")
    await passed(desk, "c-2", "emergency-no-capacity")
    desk.hold(an_injection(id="c-3", status="completed"))
    marked = await desk.search(f"DetectedIssue?code={OUTCOME}|{OVERRIDDEN}")
    assert len(marked) == 2, "a plain search finds them"
    answer = await counted(desk)
    assert (answer["given"], answer["overridden"]) == (3, 2)
    [row] = answer["use"]
    assert row[0] == "consent.consent-valid"
    assert row[1]["code"] == "emergency-no-capacity"
    assert row[2:4] == [{"reference": "Practitioner/o-physician"}, 2]


async def test_outside_the_period_nothing_is_counted() -> None:
    desk = a_department(an_egfr(), a_screening())
    await passed(desk, "c-1", "emergency-no-capacity")
    earlier = {"start": instant(A_NOON - timedelta(days=9)), "end": instant(A_NOON - timedelta(days=2))}
    answer = await counted(desk, **earlier)
    assert (answer["given"], answer["overridden"], answer["use"]) == (0, 0, [])


@pytest.mark.parametrize(
    "period",
    [{"start": "2026-03-02", "end": "2026-03-01"}, {"start": "2024-01-01", "end": "2026-01-01"}, {"start": "2026"}],
)
async def test_a_period_that_is_none_is_refused_at_its_place(period: dict[str, str]) -> None:
    with pytest.raises(FhirError) as refused:
        await counted(a_department(), **period)
    assert (refused.value.status, refused.value.issues[0].at) == (422, "Parameters.parameter[0]")
