"""The department's own critical findings can be flagged from the editor, and are called by their names wherever they are shown."""

from __future__ import annotations

import json

import httpx
import pytest
from slipring.clauses.critical_findings import critical_findings
from slipring.department.road import Hand
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource
from slipring.quality.critical_catalogue import catalogue
from slipring.quality.flagging import as_concept
from slipring.reading.flags import finding_words, findings_in_force
from slipring_critical.handlers.catalogue import catalogue_told

from tests.support.alerting import a_catalogue, an_entry
from tests.support.laying_down import a_desk, approved

OWN = an_entry("DEPT-01", "stat", "脊髓受压", "spinal cord compression")


async def offered(status: int, answer: Resource) -> list[tuple[str, tuple[str, str], int]]:
    def front(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/fhir/PlanDefinition/$critical-catalogue"
        return httpx.Response(status, content=json.dumps(answer))

    async with httpx.AsyncClient(transport=httpx.MockTransport(front), base_url="http://front") as client:
        return [(one.code, one.words, one.level) for one in await findings_in_force(Hand(client, "token"))]


@pytest.mark.clause("5.9.1")
async def test_what_the_department_added_is_offered_at_its_level() -> None:
    desk = a_desk()
    await approved(desk, a_catalogue(OWN, an_entry("CV-CT-07", "stat")))
    told = (await catalogue_told(Call({"resourceType": "Parameters"}), desk)).answer
    found = {code: (words, level) for code, words, level in await offered(200, told or {})}
    assert found.keys() == {*critical_findings(), "DEPT-01"}
    assert found["DEPT-01"] == (("脊髓受压", "spinal cord compression"), 1) and found["CV-CT-07"][1] == 1


@pytest.mark.parametrize("status", [403, 502, 503])
async def test_a_catalogue_that_is_not_told_keeps_nobody_from_flagging(status: int) -> None:
    assert [code for code, _, _ in await offered(status, {"issue": []})] == list(critical_findings())


async def test_a_catalogue_that_asks_for_something_else_is_no_silence() -> None:
    with pytest.raises(FhirError):
        await offered(401, {"issue": []})


async def test_a_finding_is_called_by_its_name() -> None:
    desk = a_desk()
    known = catalogue([await approved(desk, a_catalogue(OWN))], desk.now)
    assert "spinal cord compression" in finding_words(as_concept(known["DEPT-01"]))[1]
    assert finding_words(as_concept(known["CV-CT-06"])) == (known["CV-CT-06"].zh, known["CV-CT-06"].en)
    assert finding_words(None) == ("", "")
