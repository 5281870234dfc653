"""The reading room in memory with its work beside the reports: operations on any resource, in anybody's name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, OperationHandler, Resource

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import ReadingRoom, a_report


class WorkRoom(ReadingRoom):
    """A reading room whose department works beside its reports."""

    async def act(self, operation: OperationHandler, on: str = "", *, by: str = "", **values: Any) -> Resource:
        """An operation that must be done; the resource that it returns, else its whole answer."""
        answer = (await self.acted(operation, on, by=by, **values)).answer
        assert answer is not None
        returned = [one["resource"] for one in answer["parameter"] if one["name"] == "return"]
        return returned[0] if returned else answer

    async def acted(self, operation: OperationHandler, on: str = "", *, by: str = "", **values: Any) -> Changes:
        listed = [{"name": "by", "valueReference": {"reference": by}}] if by else []
        for name, value in values.items():
            every = value if isinstance(value, list) else [value]
            listed += [{"name": name.rstrip("_"), **one} for one in every]
        target = self.desk.held[on] if on else None
        changes = await operation(Call({"resourceType": "Parameters", "parameter": listed}, target), self.desk)
        self.desk.carry_out(changes)
        return changes

    async def refused(
        self, operation: OperationHandler, on: str = "", *, by: str = "", **values: Any
    ) -> tuple[int, str, str]:
        """How an operation is refused: status, code, element; in both languages, with nothing stored."""
        before = dict(self.desk.held)
        with pytest.raises(FhirError) as caught:
            await self.acted(operation, on, by=by, **values)
        issue = caught.value.issues[0]
        assert issue.zh and issue.en and self.desk.held == before
        return caught.value.status, issue.detail, issue.at

    async def texted(self, name: str = "r-text") -> None:
        """A draft with a text of its own."""
        composition = {
            "resourceType": "Composition",
            "id": name,
            "status": "preliminary",
            "subject": {"reference": "Patient/o-p"},
            "section": [{"title": "Findings", "text": {"status": "generated", "div": "<div>clear</div>"}}],
        }
        self.desk.hold(composition)
        url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
        await self.draft(extension=[{"url": url, "valueReference": {"reference": f"Composition/{name}"}}])

    def kept(self, kind: str) -> list[Resource]:
        return [
            one.resource for one in self.desk.held.values() if one.resource["resourceType"] == kind and not one.deleted
        ]


def code(text: str) -> dict[str, str]:
    return {"valueCode": text}


def text(words: str) -> dict[str, str]:
    return {"valueString": words}


def ref(reference: str) -> dict[str, dict[str, str]]:
    return {"valueReference": {"reference": reference}}


def state(task: Resource) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


__all__ = ["WorkRoom", "a_report", "code", "ref", "state", "text"]
