"""What the gate weighs is fetched by one statement: it foresees nearly all that it then looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.search.criteria import parse
from slipring.fhir.search.pointed import pointed
from slipring.fhir.service import Ahead, Call, Stored, Write
from slipring_consent.gate.ahead import ahead
from slipring_consent.handlers.check import checked_only
from slipring_consent.handlers.contrast_record import administration_written
from slipring_consent.service import SERVICE

from tests.support.contrast import a_cleared_department, an_injection, an_override
from tests.support.desk import ADesk

# What only the answers tell: the pack in force, what was decided on the screening, the day's doses, the carts and their checks.
AFTERWARDS = {"PlanDefinition", "DetectedIssue", "MedicationAdministration", "Device", "QuestionnaireResponse"}


class AWatchedDesk(ADesk):
    """A desk that notes what was looked at and had not been foreseen."""

    def __init__(self, of: ADesk) -> None:
        super().__init__(letter="c", settings=of.settings)
        self.held, self.versions = of.held, of.versions
        self.foreseen: set[str] = set()
        self.unforeseen: list[str] = []

    async def foresee(self, ahead: Ahead) -> None:
        """Noted; a search that cannot be fetched so is none."""
        queries = [one for one in ahead.queries if _fetched(one)]
        self.foreseen |= {*ahead.references, *queries}

    async def read(self, reference: str) -> Stored | None:
        """Noted, the first time."""
        self._looked(reference)
        return await super().read(reference)

    async def search(self, query: str) -> list[Stored]:
        """Noted, the first time."""
        self._looked(query)
        return await super().search(query)

    async def searches(self, queries: Sequence[str]) -> list[list[Stored]]:
        """Each noted."""
        return [await self.search(query) for query in queries]

    def _looked(self, at: str) -> None:
        if at and at not in self.foreseen:
            self.foreseen.add(at)
            self.unforeseen.append(at)


def _fetched(query: str) -> bool:
    kind, _, text = query.partition("?")
    types = [one.type for one in (*SERVICE.keeps, *SERVICE.follows)]
    return pointed(parse(kind, parse_qsl(text), zone=ZoneInfo("UTC"), types=types)) is not None


@pytest.mark.parametrize("members", [{}, {"extension": an_override("emergency")}], ids=["permission", "override"])
async def test_a_permission_foresees_all_but_what_only_answers_tell(members: dict[str, Any]) -> None:
    desk = AWatchedDesk(a_cleared_department())
    write = Write("create", an_injection(**members))
    await desk.foresee(ahead(write))
    assert (await administration_written(write, desk)).refuse is None
    assert {one.partition("?")[0] for one in desk.unforeseen} <= AFTERWARDS
    assert len(desk.unforeseen) == len(AFTERWARDS), desk.unforeseen


async def test_a_dry_run_foresees_the_same() -> None:
    desk = AWatchedDesk(a_cleared_department())
    sent = {"resourceType": "Parameters", "parameter": [{"name": "administration", "resource": an_injection()}]}
    answer = (await checked_only(Call(sent), desk)).answer
    assert answer and answer["parameter"][0] == {"name": "permitted", "valueBoolean": True}
    assert len(desk.unforeseen) == len(AFTERWARDS), desk.unforeseen


def test_what_is_neither_asked_nor_told_foresees_nothing() -> None:
    for write in (Write("delete", an_injection()), Write("create", an_injection(status="not-done"))):
        assert ahead(write) == Ahead()
