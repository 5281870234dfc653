"""A reading room in memory: people with keys, a request, a report, and the operations on it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Call, Changes, OperationHandler, Stored, Write, WriteHandler
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import jws_sha256, sign_payload
from slipring_report.handlers import amending, signing, signing_input, text_checks, verifying, writes
from slipring_report.settings import ReportSettings

from tests.support.desk import A_NOON, ADesk

PATIENT, REQUEST, REPORT = "Patient/o-p", "ServiceRequest/o-q", "DiagnosticReport/r-1"
AUTHOR, REVIEWER, TRAINEE, TWIN = (f"Practitioner/o-{name}" for name in ("author", "reviewer", "trainee", "twin"))


def a_qualification(system: str, code: str, **period: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/{system}", "code": code}]}}
    return {**entry, "period": period} if period else entry


def a_physician(reference: str, licence: str, title: str, since: str, **spoilt: dict[str, str]) -> dict[str, Any]:
    held = {
        "radiation-worker-certificate": {"start": "2018-01-01", "end": "2027-12-31"},
        "ct-equipment-certificate": {"start": "2018-01-01", "end": "2027-12-31"},
        "imaging-diagnosis": {"start": since},
        "competence": {"start": "2025-06-01", "end": "2026-06-01"},
    } | {name.replace("_", "-"): period for name, period in spoilt.items()}
    return {
        "resourceType": "Practitioner",
        "id": reference.partition("/")[2],
        "active": True,
        "identifier": [{"type": {"coding": [{"code": "MD"}]}, "value": licence}],
        "qualification": [
            a_qualification("staff-title", title),
            *[a_qualification("staff-qualification", code, **period) for code, period in held.items()],
        ],
    }


def a_role(reference: str, *codes: str) -> dict[str, Any]:
    person = reference.partition("/")[2]
    return {
        "resourceType": "PractitionerRole",
        "id": f"{person}-role",
        "practitioner": {"reference": reference},
        "code": [{"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": code}]} for code in codes],
    }


def the_department() -> list[dict[str, Any]]:
    return [
        {"resourceType": "Patient", "id": "o-p"},
        {"resourceType": "ServiceRequest", "id": "o-q", "subject": {"reference": PATIENT}},
        a_physician(AUTHOR, "L-1", "resident-physician", "2022-01-01"),
        a_role(AUTHOR, "radiologist", "level-b"),
        a_physician(REVIEWER, "L-2", "attending-physician", "2015-01-01"),
        a_role(REVIEWER, "radiologist", "level-c"),
        a_physician(TRAINEE, "L-3", "resident-physician", "2025-01-01"),
        a_role(TRAINEE, "level-a"),
        a_physician(TWIN, "L-1", "attending-physician", "2015-01-01"),
        a_role(TWIN, "level-c"),
    ]


def a_report(**members: Any) -> dict[str, Any]:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r-1",
        "status": "partial",
        "code": {"text": "CT of the chest"},
        "subject": {"reference": PATIENT},
        "basedOn": [{"reference": REQUEST}],
        "conclusion": "No <embolism>.",
    } | members
    return {name: value for name, value in report.items() if value is not None}


@dataclass
class ReadingRoom:
    """The desk with its people; each act is carried out as the kernel would."""

    folder: Path
    chain_length: int = 2
    as_of: dict[str, datetime] | None = None
    desk: ADesk = field(init=False)
    keys: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    pdf: bool = False  # takes a second a page
    at: str = REPORT  # which report the operations are called on

    def __post_init__(self) -> None:
        self.authority = make_authority(self.folder / "signing", now=A_NOON)
        settings = ReportSettings(trust=self.folder / "signing/root.pem", chain_length=self.chain_length, pdf=self.pdf)
        self.desk = ADesk(copies=the_department(), settings=settings, letter="r", as_of=self.as_of)

    def key_of(self, person: str) -> tuple[bytes, bytes]:
        if person not in self.keys:
            key, csr = make_key_and_csr("somebody")
            self.keys[person] = (key, issue(self.authority, csr, person, "somebody", now=A_NOON))
        return self.keys[person]

    def report(self) -> Stored:
        return self.desk.held[self.at]

    @property
    def status(self) -> str:
        return str(self.report().resource["status"])

    async def write(self, handler: WriteHandler, resource: dict[str, Any], *, imported: bool = False) -> Changes:
        reference = f"{resource['resourceType']}/{resource['id']}"
        before = await self.desk.read(reference)
        changes = await handler(Write("update" if before else "create", resource, before, imported), self.desk)
        amended = {**deepcopy(resource), **changes.members}
        self.desk.hold({name: value for name, value in amended.items() if value is not None})
        self.desk.carry_out(changes)
        return changes

    async def draft(self, **members: Any) -> Changes:
        return await self.write(writes.report_written, a_report(**members))

    async def write_again(self, **members: Any) -> Changes:
        """Write what is there once more, with other members, as a client does that has just read it."""
        return await self.write(writes.report_written, {**self.report().resource, **members})

    async def amended(self, kind: str = "corrected", reason: str = "missed-finding", **members: Any) -> str:
        """Begin the next version of the report, change it, and go on with the draft."""
        coded = {"coding": [{"system": f"{CANONICAL}/CodeSystem/amendment-reason", "code": reason}]}
        changes = await self.call(
            amending.amendment_begun,
            kind={"valueCode": kind},
            reason={"valueCodeableConcept": coded},
            author={"valueReference": {"reference": AUTHOR}},
        )
        self.at = str(named(changes.answer)["draft"]["valueReference"]["reference"])
        await self.write(writes.report_written, {**self.report().resource, **members})
        return self.at

    async def stood_for(self) -> None:
        """The author answers for whatever the checks of the text question."""
        answer = (await self.call(text_checks.text_checked)).answer or {}
        for part in answer["parameter"]:
            if part["name"] == "issue" and "mitigation" not in part["resource"]:
                key = {"valueString": part["resource"]["identifier"][0]["value"]}
                by = {"valueReference": {"reference": AUTHOR}}
                await self.call(text_checks.check_answered, key=key, reason={"valueString": "told by telephone"}, by=by)

    async def release(self) -> None:
        """Both sign, over words that the author stands for."""
        await self.stood_for()
        first = await self.jws(AUTHOR, "author")
        assert (await self.sign(AUTHOR, "author", jws=first)).refuse is None
        await self.release_second(first)

    async def release_second(self, first: str) -> None:
        """The reviewer signs over the author."""
        second = await self.jws(REVIEWER, "reviewer", jws_sha256(first))
        assert (await self.sign(REVIEWER, "reviewer", jws=second)).refuse is None

    async def call(self, operation: OperationHandler, **values: Any) -> Changes:
        listed = [{"name": name, **value} for name, value in values.items()]
        changes = await operation(Call({"resourceType": "Parameters", "parameter": listed}, self.report()), self.desk)
        self.desk.carry_out(changes)
        return changes

    async def payload(self) -> bytes:
        answer = (await self.call(signing_input.signing_input_asked, role={"valueCode": "author"})).answer
        return base64.b64decode(named(answer)["payload"]["valueBase64Binary"])

    async def jws(self, person: str, role: str, prev: str = "") -> str:
        return sign_payload(await self.payload(), *self.key_of(person), role, prev, self.desk.now)

    async def sign(self, person: str, role: str, prev: str = "", *, jws: str = "", **more: Any) -> Changes:
        text = jws or await self.jws(person, role, prev)
        self.desk.now += timedelta(seconds=1)
        return await self.call(signing.report_signed, jws={"valueString": text}, role={"valueCode": role}, **more)

    async def seals(self) -> list[dict[str, Any]]:
        answer = (await self.call(verifying.verification_asked)).answer
        assert answer is not None
        return [{part["name"]: part for part in p["part"]} for p in answer["parameter"] if p["name"] == "seal"]

    async def verified(self) -> tuple[bool, list[dict[str, Any]]]:
        answer = (await self.call(verifying.verification_asked)).answer
        assert answer is not None
        parts = [{part["name"]: part for part in p["part"]} for p in answer["parameter"] if p["name"] == "signature"]
        return named(answer)["valid"]["valueBoolean"], parts


def named(answer: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    assert answer is not None
    return {parameter["name"]: parameter for parameter in answer["parameter"]}


def refused(changes: Changes) -> set[str]:
    assert changes.refuse is not None and changes.refuse.status == 422
    kept = {save.resource["code"]["coding"][0]["code"] for save in changes.save}
    said = {problem.detail for problem in changes.refuse.issues}
    assert said <= kept, "each refusal is on record as a DetectedIssue"
    assert all(problem.zh and problem.en for problem in changes.refuse.issues)
    return {code.removeprefix("report.") for code in said}
