"""Requests that somebody has to speak to, in a department with a scanner: asked, answered, written again, decided."""

from __future__ import annotations

from typing import Any

import httpx
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL as C
from slipring_demo.teller import parameters

from tests.dicom.scheduled import a_patient, a_request
from tests.stories.test_a_day_in_the_rooms import Rooms, state

Tree = dict[str, Any]
LOINC = "http://loinc.org"
BENEFIT = {"coding": [{"system": f"{C}/CodeSystem/decision-reason", "code": "benefit"}]}


class Asked(Rooms):
    """The rooms, and a request that somebody has to speak to."""

    async def requested(self, number: str, person: Tree, **members: Any) -> tuple[Tree, Tree]:
        """A request of a patient of his own; with its exam's Task."""
        patient = await self.made(a_patient(number, **person))
        return await self.of(patient, **members)

    async def of(self, patient: Tree, **members: Any) -> tuple[Tree, Tree]:
        """One more request of a patient."""
        asked = a_request(patient, self.staff["requester"], **members)
        request = await self.made({name: value for name, value in asked.items() if value is not None})
        return request, await self.exam_of(request)

    async def exam_of(self, request: Tree) -> Tree:
        [task] = await self.department.found(f"Task?focus=ServiceRequest/{request['id']}&code=exam")
        return task

    async def state(self, request: Tree) -> str:
        return state(await self.exam_of(request))

    async def open_findings(self, request: Tree) -> dict[str, Tree]:
        """What stands against a request, by rule."""
        found = await self.department.found(f"DetectedIssue?implicated=ServiceRequest/{request['id']}")
        return {rule_of(issue): issue for issue in found if not issue.get("mitigation")}

    async def written_again(self, request: Tree, **members: Any) -> None:
        """The HIS writes its order over."""
        now = await self.department.get(f"ServiceRequest/{request['id']}")
        answer = await self.department.put(now | members)
        assert answer.status_code == 200, answer.text

    async def decided(self, request: Tree, decision: str, who: str = "second reader", **more: Any) -> httpx.Response:
        """A named physician's decision."""
        given = {"decision": ("Code", decision), "reason": ("CodeableConcept", BENEFIT)} | more
        performer = ("Reference", {"reference": self.staff[who]})
        return await self.asked(await self.exam_of(request), "decide", performer=performer, **given)

    async def checked(self, exam: Tree, number: str, born: str, *items: str, **more: Any) -> httpx.Response:
        """The technologist confirms items, with number and birth date."""
        body = parameters(
            identifier=("Identifier", {"value": number}),
            birthDate=("Date", born),
            performer=("Reference", {"reference": self.staff["technologist"]}),
            **more,
        )
        body["parameter"] += [{"name": "item", "valueCode": item} for item in items]
        return await self.department.post(f"Task/{exam['id']}/$check", body)


def answered(rule: str, answer: str) -> Tree:
    parts = [{"url": "rule", "valueCode": rule}, {"url": "answer", "valueString": answer}]
    return {"url": f"{C}/StructureDefinition/rule-answer", "extension": parts}


def a_status(request: Tree, code: str, at: str) -> Tree:
    return {
        "resourceType": "Observation", "status": "final", "subject": request["subject"], "effectiveDateTime": at,
        "basedOn": [{"reference": f"ServiceRequest/{request['id']}"}],
        "code": {"coding": [{"system": LOINC, "code": "82810-3"}]},
        "valueCodeableConcept": {"coding": [{"system": LOINC, "code": code}]},
    }  # fmt: skip
