"""A reading room whose people ask for certificates, approve them and take them back, each in his own name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Changes, OperationHandler, Stored, Write
from slipring.signing.certificate import make_key_and_csr
from slipring_report.handlers import certificates, revoking, work_tasks
from slipring_report.settings import ReportSettings

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import ReadingRoom, a_physician, a_role, named

QUALITY, LEAD = "Practitioner/o-quality", "Practitioner/o-lead"


def a_request(csr: str, **members: Any) -> dict[str, Any]:
    task = {
        "resourceType": "Task",
        "id": "r-request",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "certificate-request"}]},
        "input": [
            {
                "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/certificate-parameter", "code": "csr"}]},
                "valueString": csr,
            }
        ],
    }
    return {**task, **members}


class CertificateRoom(ReadingRoom):
    """The reading room with a quality manager and a lead of diagnosis, who is also a radiologist."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.desk.settings = ReportSettings(
            trust=self.folder / "signing/root.pem", signing_folder=self.folder / "signing"
        )
        for person, licence, role in ((QUALITY, "L-8", "quality-manager"), (LEAD, "L-9", "diagnosis-lead")):
            self.desk.hold(a_physician(person, licence, "chief-physician", "2005-01-01"), source="elsewhere")
            self.desk.hold(a_role(person, role), source="elsewhere")

    def as_person(self, person: str | None) -> None:
        self.desk.caller = Caller(client="a-page", scopes=frozenset({"user/*.cruds"}), practitioner=person)

    async def ask(self, person: str | None, csr: bytes | str = b"", **members: Any) -> Changes:
        """Somebody posts a request; his key is kept."""
        key, made = make_key_and_csr("somebody")
        self.keys[person or ""] = (key, b"")
        text = csr or made
        task = a_request(text.decode() if isinstance(text, bytes) else text, **members)
        self.as_person(person)
        return await self.write(work_tasks.task_written, task)

    async def decide(self, person: str | None, decision: str = "approve", reason: str = "") -> Changes:
        self.as_person(person)
        said: dict[str, Any] = {"decision": {"valueCode": decision}}
        return await self.act(
            certificates.request_decided,
            "Task/r-request",
            **said,
            **({"reason": {"valueString": reason}} if reason else {}),
        )

    async def revoke(self, person: str, certificate: str, reason: str = "keyCompromise", since: str = "") -> Changes:
        self.as_person(person)
        more = {"since": {"valueDateTime": since}} if since else {}
        return await self.act(revoking.certificate_revoked, certificate, reason={"valueCode": reason}, **more)

    async def act(self, operation: OperationHandler, on: str, **values: Any) -> Changes:
        listed = [{"name": name, **value} for name, value in values.items()]
        changes = await operation(
            Call({"resourceType": "Parameters", "parameter": listed}, self.desk.held.get(on)), self.desk
        )
        self.desk.carry_out(changes)
        return changes

    async def certified(self, person: str, by: str = QUALITY) -> str:
        """The reference of a certificate that a person asked for and another approved; his key signs with it from now on."""
        await self.ask(person)
        changes = await self.decide(by)
        answer = named(changes.answer)
        self.keys[person] = (self.keys[person][0], answer["chain"]["valueString"].encode())
        self.desk.held.pop("Task/r-request")
        return str(answer["certificate"]["valueReference"]["reference"])

    def task(self) -> dict[str, Any]:
        return self.desk.held["Task/r-request"].resource

    async def rewritten(self, person: str, **members: Any) -> Changes:
        self.as_person(person)
        before: Stored = self.desk.held["Task/r-request"]
        return await work_tasks.task_written(Write("update", {**before.resource, **members}, before), self.desk)


def says(refusal: pytest.ExceptionInfo[FhirError]) -> tuple[int, str]:
    return refusal.value.status, refusal.value.issues[0].detail.removeprefix("report.")
