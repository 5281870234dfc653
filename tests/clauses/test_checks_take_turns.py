"""A check of many records gives everything else in the service its turn: an alarm does not wait for a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import Desk, Evidence, OpenAccount, Stored
from slipring.runtime.settings import Settings
from slipring.verdicts.looking import Judge, Look
from slipring.verdicts.period import Period
from slipring_consent.clauses.judges import entitled as gave
from slipring_consent.clauses.judges import lots, observed, permitted, reactions, received, traced
from slipring_consent.settings import ConsentSettings
from slipring_critical.clauses.judges import acted, told
from slipring_order.clauses.accounts import accounts
from slipring_order.clauses.doses import doses
from slipring_order.clauses.exams import attended, complete, justified, numbered, operated
from slipring_order.clauses.protocols import protocols
from slipring_order.clauses.sample import sample
from slipring_order.settings import OrderSettings
from slipring_report.clauses.images import images_given
from slipring_report.clauses.judges import answered, entitled, in_time, levels, two_signers, wording
from slipring_report.settings import ReportSettings

from tests.support.one_case import rung

_NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
_MANY, _TURNS = 1_500, 3  # judged, and how often others were at work meanwhile at the least
_ZONE = ZoneInfo("Asia/Shanghai")

_GIVEN = {"resourceType": "MedicationAdministration", "effectiveDateTime": "2026-09-01T08:00:00Z"}
_REPORT = {"resourceType": "DiagnosticReport", "status": "final"}
_EXAM = {"resourceType": "Task", "status": "completed", "executionPeriod": {"start": "2026-09-01T08:00:00Z"}}
_JUDGED: tuple[tuple[Judge, dict[str, Any]], ...] = (
    *((judge, _GIVEN) for judge in (gave, lots, permitted, received, traced)),
    (observed, {"resourceType": "Task", "status": "completed"}),
    (reactions, {"resourceType": "AdverseEvent", "actuality": "actual", "date": "2026-09-01T08:00:00Z"}),
    *((judge, _REPORT) for judge in (levels, two_signers, wording)),
    (images_given, {**_REPORT, "issued": "2026-09-01T08:00:00Z"}),
    (answered, {"resourceType": "Communication", "status": "completed"}),
    (entitled, {"resourceType": "Provenance", "recorded": "2026-09-01T08:00:00Z"}),
    (in_time, {"resourceType": "Task", "status": "completed"}),
    (accounts, {"resourceType": "Practitioner"}),
    (doses, {"resourceType": "Observation", "status": "final"}),
    *((judge, _EXAM) for judge in (attended, complete, justified, numbered, operated, protocols, sample)),
)
_SETTINGS: dict[str, type[Settings]] = {
    "slipring_consent": ConsentSettings, "slipring_order": OrderSettings, "slipring_report": ReportSettings,
}  # fmt: skip


class Bare:
    """A desk on which nothing else is found, and that answers without waiting for anything."""

    now = _NOW

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def evidence(self, query: str, at: datetime) -> AsyncIterator[Evidence]:
        """Nothing."""
        for one in ():
            yield one

    async def search(self, query: str) -> list[Stored]:
        """Nothing."""
        return []

    async def open_accounts(self, at: datetime) -> list[OpenAccount]:
        """Of as many people."""
        return [OpenAccount(f"Practitioner/n{number}", at) for number in range(_MANY)]


async def turns_while(judge: Judge, tree: dict[str, Any], settings: Settings) -> int:
    """How often something else is at work while many such records are judged."""
    look = Look(cast("Desk", Bare(settings)), Period(date(2026, 7, 1), date(2026, 9, 30)), _NOW, _ZONE)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    look.begin()
    await judge(look, [Evidence(Stored({**tree, "id": f"n{number}"}, 1, _NOW), "x") for number in range(_MANY)])
    waiting.cancel()
    return turns


@pytest.mark.parametrize(("judge", "tree"), _JUDGED, ids=lambda one: getattr(one, "__qualname__", ""))
async def test_others_are_at_work_while_records_are_judged(judge: Judge, tree: dict[str, Any]) -> None:
    assert await turns_while(judge, tree, _SETTINGS[judge.__module__.partition(".")[0]]()) >= _TURNS


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize("judge", [acted, told])
async def test_others_are_at_work_while_cases_are_judged(judge: Judge) -> None:
    ringing = await rung()
    assert await turns_while(judge, ringing.case, ringing.desk.settings) >= _TURNS
