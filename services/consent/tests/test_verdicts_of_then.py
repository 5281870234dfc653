"""A past period is judged by the numbers that were in force then."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import Desk, Evidence, Stored
from slipring.rules.limits import UnknownLimit
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.period import Period
from slipring_consent.clauses.judges import reactions
from slipring_consent.settings import ConsentSettings

_NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
_ZONE = ZoneInfo("Asia/Shanghai")


async def judged(began: datetime, period: Period) -> Judged:
    """A reaction that was never closed."""
    event = {"resourceType": "AdverseEvent", "id": "c-1", "actuality": "actual", "date": began.isoformat()}
    look = Look(cast("Desk", SimpleNamespace(now=_NOW, settings=ConsentSettings())), period, _NOW, _ZONE)
    return await reactions(look, [Evidence(Stored(event, 1, began), "x")])


@pytest.mark.clause("4.13")
async def test_a_call_is_asked_for_by_the_hours_of_the_end_of_the_period() -> None:
    found = await judged(datetime(2026, 4, 3, tzinfo=UTC), Period(date(2026, 4, 1), date(2026, 6, 30)))
    assert [one.figure for one in found.breaches] == ["follow_up.hours_reaction"]
    with pytest.raises(UnknownLimit):  # then no hours were laid down: a check demands nothing by them
        await judged(datetime(2017, 4, 3, tzinfo=UTC), Period(date(2017, 4, 1), date(2017, 6, 30)))
