"""Whoever opens a report is shown that report, not the patient's other reports: the trail tells who was shown what."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
from slipring.department.road import Hand
from slipring.reading.beside import priors_of
from slipring.reading.one_report import of_report

REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "r-1",
    "status": "final",
    "basedOn": [{"reference": "ServiceRequest/o-1"}],
}
EARLIER = {"resourceType": "DiagnosticReport", "id": "r-0", "status": "final", "conclusion": "Clear."}
EXAM = {
    "resourceType": "Task",
    "id": "o-t",
    "authoredOn": "2026-03-02T08:00:00+08:00",
    "focus": {"reference": "ServiceRequest/o-1"},
    "for": {"reference": "Patient/o-p"},
}


async def test_earlier_reports_are_looked_for_where_they_are_shown_and_without_their_renderings() -> None:
    asked: list[tuple[str, dict[str, list[str]]]] = []

    def front(request: httpx.Request) -> httpx.Response:
        path, form = request.url.path.removeprefix("/fhir/"), parse_qs(request.content.decode())
        asked.append((path, form))
        found: list[dict[str, Any]] = []
        if path.endswith("/_search"):
            found = {"Task": [EXAM], "DiagnosticReport": [EARLIER, REPORT]}.get(path.partition("/")[0], [])
        tree = REPORT if path == "DiagnosticReport/r-1" else {"entry": [{"resource": one} for one in found]}
        return httpx.Response(200, content=json.dumps(tree))

    async with httpx.AsyncClient(transport=httpx.MockTransport(front), base_url="http://front") as client:
        hand = Hand(client, "token")
        one = await of_report(hand, "r-1")
        assert one.report == REPORT and [path for path, _ in asked if path.startswith("DiagnosticReport")] == [
            "DiagnosticReport/r-1"
        ]
        assert [earlier["id"] for earlier in await priors_of(hand, one)] == ["r-0"]
    path, form = asked[-1]
    assert (path, form["subject"]) == ("DiagnosticReport/_search", ["Patient/o-p"])
    assert "presentedForm" not in form["_elements"][0] and "conclusion" in form["_elements"][0]
