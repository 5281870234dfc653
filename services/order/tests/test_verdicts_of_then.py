"""A verdict on a past moment: by the limits of that time, and saying which copies it could only read as they are today."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import Desk, Evidence, Stored
from slipring.verdicts.looking import Look
from slipring.verdicts.period import Period
from slipring_order.clauses.owed import limits_then
from slipring_order.judging.rule_set import LIMIT, RULE_SET
from slipring_order.settings import OrderSettings

from tests.support.ordering import NOW

_ZONE = ZoneInfo("Asia/Shanghai")
_LIMIT = "child.age-below"


class Records:
    """What stood when, and copies as they are."""

    def __init__(self, *stood: tuple[datetime, dict[str, Any]], copies: tuple[Stored, ...] = ()) -> None:
        self.now, self.settings = NOW, OrderSettings()
        self._stood, self._copies = stood, copies

    async def evidence(self, query: str, at: datetime) -> AsyncIterator[Evidence]:
        """The last that was written by the moment."""
        written = [one for one in self._stood if one[0] <= at and query.startswith(one[1]["resourceType"])]
        for since, tree in written[-1:]:
            yield Evidence(Stored(tree, 1, since), "x")

    async def search(self, query: str) -> list[Stored]:
        """The copies."""
        return list(self._copies)


def a_look(desk: Records, at: datetime) -> Look:
    day = at.astimezone(_ZONE).date()
    return Look(cast("Desk", desk), Period(date(day.year, day.month, 1), day), at, _ZONE)


@pytest.mark.clause("4.14.7")
async def test_a_past_moment_is_judged_by_the_limits_that_the_department_had_then() -> None:
    began = NOW - timedelta(days=50)

    def of(version: str, value: int, start: datetime) -> dict[str, Any]:
        said = [{"url": "id", "valueString": _LIMIT}, {"url": "value", "valueDecimal": value}]
        return {
            "resourceType": "PlanDefinition", "id": version, "url": RULE_SET, "version": version, "status": "active",
            "extension": [{"url": LIMIT, "extension": said}], "effectivePeriod": {"start": start.isoformat()},
        }  # fmt: skip

    changed = NOW - timedelta(days=10)
    desk = Records((began, of("first", 15, began)), (changed, of("second", 17, changed)))
    before = (await limits_then(a_look(desk, NOW - timedelta(days=30)))).limit(_LIMIT)
    after = (await limits_then(a_look(desk, NOW))).limit(_LIMIT)
    assert (before.value, after.value) == (15, 17) and before.of != after.of
    never = (await limits_then(a_look(desk, NOW - timedelta(days=51)))).limit(_LIMIT)
    assert not never.of, "before the first set what is shipped counts"


async def test_a_copy_that_was_written_since_is_named_and_one_that_was_not_there_is_not_seen() -> None:
    at = NOW - timedelta(days=30)

    def a_copy(name: str, version: int, since: datetime) -> Stored:
        tree = {"resourceType": "Patient", "id": name, "meta": {"lastUpdated": since.isoformat()}}
        return Stored(tree, version, since, "consent")

    earlier, later = at - timedelta(days=1), at + timedelta(days=1)
    copies = (a_copy("old", 3, earlier), a_copy("changed", 2, later), a_copy("new", 1, later))
    look = a_look(Records(copies=copies), at)
    look.begin()
    found = await look.once("people", lambda: look.then.search("Patient?_id=old,changed,new"))
    assert [one.resource["id"] for one in found] == ["old", "changed"]
    assert look.not_then == ("Patient/changed",)
    look.begin()
    assert look.not_then == ()
    await look.once("people", lambda: look.then.search("not asked again"))
    assert look.not_then == ("Patient/changed",), "said by each check that rests on it"
