"""A draft report with all its parts, the department that may see it and the HIS that may not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from slipring.identity.clients import DEMO_HIS

from tests.support.department import FHIR, Department
from tests.support.one_exam import OneExam, one_exam

Tree = dict[str, Any]


@dataclass
class Walk:
    """A draft with all its parts, who may see it and who may not."""

    story: OneExam
    report: str
    parts: list[str]
    flag: str
    patient: str
    his: httpx.AsyncClient

    @property
    def everything(self) -> list[str]:
        return [self.report, self.flag, *self.parts]

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = None if body is None else json.dumps(body)
        return await self.his.request(method, path, content=content, headers={**FHIR, **headers})

    async def seen(self, path: str) -> str:
        """What the department is told at this address."""
        answer = await self.story.department.his.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


def a_part(kind: str, report: str, **members: Any) -> Tree:
    return {"resourceType": kind, "status": "final", **members}


@asynccontextmanager
async def a_walk(department: Department) -> AsyncIterator[Walk]:
    """A report signed once, flagged, with a text check and a document beside it."""
    story = await one_exam(department)
    await story.requested()
    report = await story.drafted()
    await story.flagged(report)
    about = {"reference": report}
    issue = await story.made(a_part("DetectedIssue", report, implicated=[about], detail="side differs"))
    paper = await story.made(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": "c2VjcmV0"}}],
            "context": {"related": [about]},
        }
    )
    first = await story.jws(report, "first reader", "author")
    answer = await story.signed(report, first, "author")
    assert answer.is_success, answer.text
    tree = await department.get(report)
    composition = next(e["valueReference"]["reference"] for e in tree["extension"] if "valueReference" in e)
    results = [one["reference"] for one in tree.get("result", [])]
    [provenance] = await department.found(f"Provenance?target={report}")
    [flag] = await department.found(f"Observation?focus={report}")
    parts = [composition, *results, f"Provenance/{provenance['id']}"]
    parts += [f"DetectedIssue/{issue['id']}", f"DocumentReference/{paper['id']}"]
    his = department.client(DEMO_HIS, "system/*.cruds")
    yield Walk(story, report, parts, f"Observation/{flag['id']}", tree["subject"]["reference"], his)
    await his.aclose()
