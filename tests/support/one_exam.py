"""One exam in a department whose clock stands still: the demo's papers, sent step by step, each answer looked at."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from slipring.fhir.service import CANONICAL as C
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import sign_payload
from slipring_consent.contrast.lots import as_decision
from slipring_demo.cast import cast_bundle, practitioner, role, staff_of
from slipring_demo.contrast import a_consent, a_screening, an_egfr, an_injection
from slipring_demo.lots import a_delivery, a_lot, a_weight
from slipring_demo.ordering import a_request, identity_confirmed, not_pregnant, stated
from slipring_demo.reading import FINDING, a_draft, a_route
from slipring_demo.receivers import Receiver
from slipring_demo.scene import Cast
from slipring_demo.story import made_by
from slipring_demo.teller import parameters, value_of

from tests.support.department import Department

Tree = dict[str, Any]


@contextmanager
def phones(*names: str) -> Iterator[dict[str, Receiver]]:
    """Phones that listen on this machine while a story is told."""
    receivers = {name: Receiver(name) for name in names}
    try:
        yield receivers
    finally:
        for receiver in receivers.values():
            receiver.close()


def texts(answer: httpx.Response) -> str:
    """All that an OperationOutcome says, in one string."""
    return "\n".join(issue["details"]["text"] for issue in answer.json()["issue"])


def rules(answer: httpx.Response) -> set[str]:
    """The rules that an OperationOutcome names."""
    return {coding["code"] for issue in answer.json()["issue"] for coding in issue["details"].get("coding", [])}


@dataclass
class OneExam:
    """The department, the cast, and what a story does with them."""

    department: Department
    cast: Cast

    async def made(self, resource: Tree) -> Tree:
        """POST a resource that must be taken."""
        answer = await self.department.post(resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        tree: Tree = answer.json()
        return tree

    async def joined(self, name: str, title: str, *roles: str) -> None:
        """One more member of staff, without any certificate."""
        person = await self.made(practitioner(f"X-{name}", "路", "示例", title))
        self.cast.staff[name] = f"Practitioner/{person['id']}"
        await self.made(role(self.cast.staff[name], self.cast.hospital, *roles))

    async def requested(self, *, complete: bool = True, **members: Any) -> Tree:
        """The HIS asks for the exam, with what is known before it: renal function, pregnancy status."""
        await self.made(an_egfr(self.cast))
        await self.made(a_weight(self.cast))
        status = await self.made(not_pregnant(self.cast))
        request = a_request(self.cast) | {"supportingInfo": [{"reference": f"Observation/{status['id']}"}]} | members
        if complete:
            request["extension"].append(stated("laboratory", "D-dimer 4.1 mg/L (synthetic)"))
        self.cast.request = await self.made(request)
        await self.department.settle()
        return self.cast.request

    async def task(self) -> Tree:
        """The exam's Task."""
        [task] = await self.department.found(f"Task?focus={self.cast.exam}&code=exam")
        return task

    async def state(self) -> str:
        """The exam's state."""
        return str((await self.task())["businessStatus"]["coding"][0]["code"])

    async def moved(self, *states: str) -> None:
        """Move the exam through these states."""
        for state in states:
            await self.department.settle()
            task = await self.task()
            if state == "ready":
                answer = await self.department.post(f"Task/{task['id']}/$check", identity_confirmed(self.cast))
                assert answer.status_code == 200, answer.text
                continue
            task["businessStatus"] = {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": state}]}
            answer = await self.department.put(task, If_Match=f'W/"{task["meta"]["versionId"]}"')
            assert answer.status_code == 200, answer.text

    async def injected(self) -> httpx.Response:
        """Ask the gate for contrast, with fresh copies."""
        await self.department.fresh()
        return await self.department.post("MedicationAdministration", an_injection(self.cast))

    async def cleared(self) -> Tree:
        """Screening answered and consent given; the consent."""
        await self.made(a_screening(self.cast))
        return await self.made(a_consent(self.cast))

    async def called(self, address: str, *, expect: int = 200, **values: Any) -> Tree:
        """An operation that must be answered so; what changes too quickly meanwhile (503) is asked again, as clients do."""
        for _ in range(40):
            answer = await self.department.post(address, parameters(**values))
            if answer.status_code != 503 or expect == 503:
                break
            await asyncio.sleep(0.05)
        assert answer.status_code == expect, answer.text
        tree: Tree = answer.json()
        return tree

    async def drafted(self) -> str:
        """A draft report; its reference."""
        answer = await self.department.post("", a_draft(self.cast))
        assert answer.status_code == 200, answer.text
        await self.department.settle()
        return made_by(answer.json())[0]

    async def rung_at(self, of: Tree, phone: Receiver) -> None:
        """Register a phone as contact route."""
        await self.made(a_route(of, phone.url))

    async def flagged(self, report: str) -> Tree:
        """Flag the critical finding; the case that critical has opened."""
        answer = await self.department.post(
            f"{report}/$flag-critical",
            parameters(
                finding=("Coding", {"system": f"{C}/CodeSystem/critical-finding", "code": FINDING}),
                level=("Code", "1"),
                recognisedAt=("DateTime", self.cast.moment()),
                performer=("Reference", self.cast.person("first reader")),
            ),
        )
        assert answer.status_code in (200, 201), answer.text
        await self.department.settle()
        handover = value_of(answer.json(), "handover")["reference"]
        [case] = await self.department.found(f"Task?based-on={handover}&code=critical-case")
        return case

    async def read_back(self, case: Tree, who: str, *, check: str = "") -> httpx.Response:
        """Somebody reads the finding back."""
        said = parameters(
            patientCheck=("String", check or self.cast.imaging_number[-4:]),
            finding=("Code", FINDING),
            medium=("Code", "webhook"),
            receiver=("Reference", self.cast.person(who)),
        )
        return await self.department.post(f"Task/{case['id']}/$acknowledge", said)

    async def amended(self, report: str, kind: str = "corrected", reason: str = "missed-finding") -> tuple[str, str]:
        """Begin the next version of a released report: its draft, and the draft's text."""
        coded = {"coding": [{"system": f"{C}/CodeSystem/amendment-reason", "code": reason}]}
        begun = await self.called(
            f"{report}/$amend",
            kind=("Code", kind),
            reason=("CodeableConcept", coded),
            author=("Reference", self.cast.person("first reader")),
        )
        return str(value_of(begun, "draft")["reference"]), str(value_of(begun, "composition")["reference"])

    async def payload(self, report: str, role: str) -> bytes:
        """What is to be signed."""
        return base64.b64decode(value_of(await self.called(f"{report}/$signing-input", role=("Code", role)), "payload"))

    async def stood_for(self, report: str) -> None:
        """The author answers for what the checks of the text question: here that the clinic was told by telephone."""
        asked = await self.called(f"{report}/$check-text")
        for part in asked["parameter"]:
            if part["name"] != "issue" or part["resource"].get("mitigation"):
                continue
            await self.called(
                f"{report}/$answer-text-check",
                key=("String", part["resource"]["identifier"][0]["value"]),
                reason=("String", "Told by telephone before signing. 签名前已电话通知。"),
                by=("Reference", self.cast.person("first reader")),
            )

    async def jws(self, report: str, who: str, role: str, previous: str = "") -> str:
        """A person's signature, made with a key of his own, over words that somebody stands for."""
        await self.stood_for(report)
        now = self.department.clock.now()
        authority = make_authority(self.department.data_dir / "signing", now=now)
        key, csr = make_key_and_csr(who)
        chain = issue(authority, csr, self.cast.staff[who], who, now=now)
        return sign_payload(await self.payload(report, role), key, chain, role, previous, now)

    async def signed(self, report: str, jws: str, role: str) -> httpx.Response:
        """Hand a signature in."""
        return await self.department.post(f"{report}/$sign", parameters(jws=("String", jws), role=("Code", role)))


async def one_exam(department: Department) -> OneExam:
    """The demo's people and patient in this department, and an exam nobody has asked for yet."""
    loading = department.client(DEMO_DEPARTMENT, LOADING)
    answer = await department.post("", cast_bundle(with_patient=True), loading)
    assert answer.status_code == 200, answer.text
    made = made_by(answer.json())
    patient = await department.get(made[-1])
    now = department.clock.now
    cast = Cast(staff=staff_of(made), hospital=made[0], ward=made[1], patient=patient, now=now)
    await loading.aclose()
    cast.lot = await on_the_shelf(department, cast)
    await department.settle()
    return OneExam(department, cast)


async def on_the_shelf(department: Department, cast: Cast) -> str:
    """A lot that came in and was accepted before the story begins; no two stories take from one."""
    accepted = as_decision("accepted", cast.staff["nurse"], cast.moment())
    lot = a_lot(f"SYN-{uuid4().hex[:8]}", extension=[accepted])
    entries = [
        {"fullUrl": "urn:uuid:lot", "resource": lot, "request": {"method": "POST", "url": "Medication"}},
        {"resource": a_delivery(cast, "urn:uuid:lot"), "request": {"method": "POST", "url": "SupplyDelivery"}},
    ]
    loading = department.client(DEMO_DEPARTMENT, LOADING)
    answer = await department.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}, loading)
    await loading.aclose()
    assert answer.status_code == 200, answer.text
    return made_by(answer.json())[0]
