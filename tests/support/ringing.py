"""The critical service on a fake clock, without a database: what it wakes fires in order, what it sends is heard.

It carries out `Changes` as the kernel does: versions must fit, business keys are taken once, a key armed again
replaces its deadline, an errand that fails comes back under the same attempt id.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from slipring.fhir.caller import Caller, itself
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Arrival, Call, Changes, Due, Errand, Resource, Wake
from slipring_critical.cases.facts import CASE_STATE, CRITICAL_FINDING, ROUTE_OF, TASK_CODE, code_of, is_case
from slipring_critical.channels.channel import DeliveryFailed
from slipring_critical.channels.providers import Providers
from slipring_critical.directory.proving import CHECK
from slipring_critical.lifecycle import OPEN
from slipring_critical.service import SERVICE
from slipring_critical.settings import CriticalSettings

from tests.support.alerting import in_role
from tests.support.desk import A_NOON, ADesk

_AGAIN = timedelta(seconds=30)
IMAGING_NUMBER = "CT20260302000123"
FINDING = "CV-CT-07"


@dataclass(slots=True)
class Armed:
    """One deadline or errand that waits."""

    wake: Wake
    due_at: datetime
    attempt_id: str
    attempts: int = 0


@dataclass(slots=True)
class Heard:
    """One message as a receiver's system got it."""

    at: datetime
    host: str
    headers: Mapping[str, str]
    body: dict[str, Any]  # {} of what is encrypted
    content: bytes = b""


@dataclass
class Receivers:
    """The outside world: every host answers 200 unless told otherwise."""

    answers: dict[str, int] = field(default_factory=dict)  # host -> status; 0 = cannot be reached
    heard: list[Heard] = field(default_factory=list)
    now: datetime = A_NOON

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Hear one request."""
        host = request.url.host
        status = self.answers.get(host, 200)
        if status == 0:
            raise httpx.ConnectError("no such host")
        plain = request.headers["content-type"] != "application/octet-stream"
        body = json.loads(request.content) if plain else {}
        self.heard.append(Heard(self.now, host, dict(request.headers), body, request.content))
        return httpx.Response(status)


class ARinging:
    """The service, its deadlines and its receivers."""

    def __init__(self, *holding: Resource, settings: CriticalSettings | None = None) -> None:
        known = Providers(self._seconds)  # a provider rests by the same clock
        settings = replace(settings or CriticalSettings(), providers=known)
        self.desk = ADesk(holding=holding, caller=itself("critical"), settings=settings, letter="k")
        self.armed: dict[str, Armed] = {}
        self.keys: set[str] = set()
        self.receivers = Receivers()
        self.saved: list[Resource] = []
        self._attempts = itertools.count(1)
        self._client = httpx.AsyncClient(transport=httpx.MockTransport(self.receivers))

    def _seconds(self) -> float:
        return self.desk.now.timestamp()

    @property
    def case(self) -> Resource:
        """The one case."""
        (case,) = self.cases
        return case

    @property
    def cases(self) -> list[Resource]:
        """All cases."""
        tasks = [s.resource for s in self.desk.held.values() if s.resource["resourceType"] == "Task"]
        return [task for task in tasks if is_case(task)]

    @property
    def state(self) -> str:
        """The state of the one case."""
        return code_of(self.case["businessStatus"], CASE_STATE)

    @property
    def rung(self) -> list[str]:
        """The hosts that were rung, in order."""
        return [heard.host for heard in self.receivers.heard]

    async def arrive(self, resource: Resource) -> None:
        """A followed resource is delivered by the service that keeps it, which its id tells."""
        source = "consent" if resource["id"].startswith("c-") else "report"
        before = self.desk.held.get(f"{resource['resourceType']}/{resource['id']}")
        stored = self.desk.hold(resource, source=source)
        arrival = Arrival(source, resource, stored.version, before=before)
        for follows in SERVICE.follows:
            if (follows.service, follows.type) == (source, resource["resourceType"]) and follows.then:
                self.carry_out(await follows.then(arrival, self.desk))
        await self.settle()

    def of(self, finding: str) -> Resource:
        """The case of a finding."""
        (case,) = [one for one in self.cases if code_of(one.get("reasonCode"), CRITICAL_FINDING) == finding]
        return case

    async def call(
        self, name: str, caller: Caller | None = None, on: Resource | None = None, **values: Any
    ) -> Resource:
        """Invoke an operation on the one case, or on one of several; a refusal is put on record, then raised."""
        operation = next(o for o in SERVICE.operations if o.name == name)
        given = [{"name": key, **_valued(value)} for key, value in values.items()]
        self.desk.caller = caller or itself("his")
        target = self.desk.held[f"Task/{(on or self.case)['id']}"] if operation.level == "instance" else None
        changes = await operation.handler(Call({"resourceType": "Parameters", "parameter": given}, target), self.desk)
        self.desk.caller = itself("critical")
        self.carry_out(changes)
        if changes.refuse:
            raise changes.refuse
        return changes.answer or {}

    async def settle(self) -> None:
        """Fire everything that is due now."""
        while due := [key for key, armed in self.armed.items() if armed.due_at <= self.desk.now]:
            await self._fire(min(due, key=lambda key: self.armed[key].due_at))

    async def wait(self, minutes: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        until = self.desk.now + timedelta(minutes=minutes)
        while due := [armed.due_at for armed in self.armed.values() if armed.due_at <= until]:
            self._set_clock(max(min(due), self.desk.now))
            await self.settle()
        self._set_clock(until)

    def carry_out(self, changes: Changes) -> None:
        """Commit as the kernel does."""
        assert not self.keys & set(changes.keys), "a business key was taken twice"
        self.keys |= set(changes.keys)
        for save in changes.save:
            held = self.desk.held.get(f"{save.resource['resourceType']}/{save.resource['id']}")
            assert (save.replaces or 0) == (held.version if held else 0), "a save on a version that does not stand"
            issues = check(save.resource)
            assert not issues, [(issue.at, issue.en) for issue in issues]
            self.saved.append(save.resource)
        self.desk.carry_out(changes)
        for key in changes.cancel:
            self.armed.pop(key, None)
        for wake in changes.wake:
            assert wake.key, "nothing of this service is armed without a key"
            assert wake.after >= timedelta(0), "nothing is armed in the past"
            self.armed[wake.key] = Armed(wake, self.desk.now + wake.after, f"attempt-{next(self._attempts)}")

    def silent_cases(self) -> list[str]:
        """Open cases without any deadline in the future: there must be none, ever."""
        return [
            case["id"]
            for case in self.cases
            if code_of(case["businessStatus"], CASE_STATE) in OPEN
            and not any(
                armed.wake.subject == f"Task/{case['id']}" and armed.due_at >= self.desk.now
                for armed in self.armed.values()
                if armed.wake.name in SERVICE.timers
            )
        ]

    async def _fire(self, key: str) -> None:
        armed = self.armed.pop(key)
        wake = armed.wake
        if wake.name in SERVICE.timers:
            due = Due(wake.name, wake.subject, key, armed.due_at, wake.payload)
            self.carry_out(await SERVICE.timers[wake.name](due, self.desk))
            return
        armed.attempts += 1
        errand = Errand(
            wake.name, wake.subject, key, armed.attempt_id, armed.attempts > 1, armed.attempts, wake.payload
        )
        try:
            self.carry_out(await SERVICE.errands[wake.name](errand, self.desk, self._client))
        except DeliveryFailed:
            self.armed[key] = Armed(wake, self.desk.now + _AGAIN, armed.attempt_id, armed.attempts)

    def _set_clock(self, now: datetime) -> None:
        self.desk.now = self.receivers.now = now


async def refused(call: Any) -> FhirError:
    """The error an act was refused with."""
    try:
        await call
    except FhirError as error:
        return error
    raise AssertionError("the act was not refused")


def a_request(**members: Any) -> Resource:
    """The CT order, with its imaging number."""
    return {
        "resourceType": "ServiceRequest",
        "id": "o-ct",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/o-p"},
        "requester": {"reference": "Practitioner/o-requester"},
        "encounter": {"reference": "Encounter/o-stay"},
        "identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "value": IMAGING_NUMBER}],
        **members,
    }


def a_stay() -> Resource:
    """The patient lies on a ward."""
    return {
        "resourceType": "Encounter",
        "id": "o-stay",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "location": [{"location": {"reference": "Location/o-ward"}}],
        "serviceProvider": {"reference": "Organization/o-surgery"},
    }


def a_doctor(name: str, *, may_receive: bool = True) -> list[Resource]:
    """A person, with or without the permission to receive critical findings."""
    return in_role(name, "may-receive-critical" if may_receive else "receptionist")


def a_route(owner: str, host: str, **members: Any) -> Resource:
    """A webhook of a person or place ("Type/id") or of an office (a code), proven the day before."""
    of = {"valueReference": {"reference": owner}} if "/" in owner else {"valueCode": owner}
    proven = {"url": CHECK, "extension": [{"url": "verified", "valueInstant": "2026-03-01T08:00:00.000Z"}]}
    return {
        "resourceType": "Endpoint",
        "id": f"k-{host}",
        "extension": [{"url": ROUTE_OF, **of}, proven],
        "status": "active",
        "connectionType": {"system": f"{CANONICAL}/CodeSystem/channel", "code": "webhook"},
        "payloadType": [{"text": "slipring critical message"}],
        "address": f"https://{host}/ring",
        **members,
    }


def a_finding(code: str = FINDING, **members: Any) -> Resource:
    """The flagged finding, as report keeps it."""
    return {
        "resourceType": "Observation",
        "id": "r-finding",
        "status": "preliminary",
        "code": {"coding": [{"system": CRITICAL_FINDING, "code": code}]},
        "subject": {"reference": "Patient/o-p"},
        "basedOn": [{"reference": "ServiceRequest/o-ct"}],
        "performer": [{"reference": "Practitioner/o-author"}],
        **members,
    }


def a_handover(task_id: str = "r-handover", **members: Any) -> Resource:
    """The hand-over Task that goes with it."""
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": "hand-over"}]},
        "focus": {"reference": "Observation/r-finding"},
        "basedOn": [{"reference": "DiagnosticReport/r-report"}],
        "for": {"reference": "Patient/o-p"},
        **members,
    }


def a_department() -> list[Resource]:
    """An order, a ward, people, and a contact route for everyone on the ladder."""
    return [
        a_request(),
        a_stay(),
        *a_doctor("requester"),
        *a_doctor("duty"),
        *a_doctor("author"),
        *a_doctor("porter", may_receive=False),
        a_route("Practitioner/o-requester", "requester.test"),
        a_route("Location/o-ward", "ward.test"),
        a_route("ward-duty", "duty.test"),
        a_route("department-head", "head.test"),
        a_route("medical-affairs", "affairs.test"),
    ]


def _valued(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, dict):
        return {"valueReference": value} if "reference" in value else {"valueCodeableConcept": value}
    return {"valueString": value}
