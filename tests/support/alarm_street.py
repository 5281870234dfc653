"""The critical service on the real database, with sisters that keep what it follows and phones that really listen.

Everything runs in this process: what is measured is the service's own work and the database's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from slipring.fhir.service import CANONICAL, Keeps, Service
from slipring_critical.cases.facts import CASE_STATE, CHANNEL, CRITICAL_FINDING, FINDING_LEVEL, TASK_CODE, code_of
from slipring_critical.lifecycle import OPEN
from slipring_critical.service import SERVICE
from slipring_critical.settings import CriticalSettings

from tests.fhir.place import Street, opened, until
from tests.support.ringing import IMAGING_NUMBER, a_route

_ORDER = ("ServiceRequest", "Patient", "Encounter", "Practitioner", "PractitionerRole", "Location", "Organization")
ORDER = Service("order", "o", "x", keeps=[Keeps(kind) for kind in _ORDER])
REPORT = Service("report", "r", "y", keeps=[Keeps("Task"), Keeps("Observation"), Keeps("DiagnosticReport")])
_PATIENCE_SECONDS = 60.0
CONSENT = Service("consent", "c", "z", keeps=[Keeps("Task"), Keeps("Observation")])
Tree = dict[str, Any]


@dataclass
class Phone:
    """A provider on a loopback address of its own; `mode`: fine, failing (500) or hanging."""

    host: str
    mode: str = "fine"
    got: list[tuple[float, str]] = field(default_factory=list)  # when, and the case it was about
    port: int = 0
    _server: asyncio.Server | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Take messages from now on."""
        self._server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def answers(self) -> None:
        """One that hangs is well again, and takes what it was holding."""
        self.mode = "fine"
        self._over.set()

    async def close(self) -> None:
        """And no more."""
        self._over.set()
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                if case := _case_in(json.loads(body)):
                    self.got.append((time.time(), case))
                if self.mode == "hanging":
                    await self._over.wait()
                status = b"500 No" if self.mode == "failing" else b"201 Taken"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.transport.abort()


def _case_in(message: Tree) -> str:
    """The case a message is about: of a webhook by name, of a CommunicationRequest by what groups its attempts; '' of a check."""
    return str(message.get("case") or message.get("groupIdentifier", {}).get("value", ""))


@asynccontextmanager
async def alarm_street(data_dir: Path, **around: Any) -> AsyncIterator[Street]:
    """All four, with their loops running; `asleep` names one that is down: nobody reaches it until `wakes` is called.

    `endpoints`: where routes may lead; of a demo when it is left out. `timeout`: seconds that a provider has for its answer.
    """
    timeout = float(around.pop("timeout", 2.0))
    settings = CriticalSettings(
        data_dir=data_dir, channel_timeout_seconds=timeout, ladder=str(around.pop("ladder", ""))
    )
    settings = replace(settings, endpoints=around.pop("endpoints", settings.endpoints))
    critical, asleep = replace(SERVICE, settings=lambda: settings), str(around.pop("asleep", ""))
    world = httpx.AsyncClient(limits=httpx.Limits(max_connections=None), trust_env=False)
    async with opened(data_dir, ORDER, REPORT, CONSENT, critical, http=world, pool_size=16, **around) as street:
        down = {asleep: street.places.pop(asleep)} if asleep else {}
        for place in street.places.values():
            await place.running.start()
        try:
            street.down = down
            yield street
        finally:
            street.places.update(down)


async def wakes(street: Street, name: str) -> None:
    """One that was down is back."""
    place = street.places[name] = street.down.pop(name)
    await place.running.start()


def a_way(owner: str, address: str, channel: str = "webhook") -> Tree:
    """A contact route of a person, or of an office (a code)."""
    by = {"system": CHANNEL, "code": channel}
    route = a_route(owner, "phone.test", connectionType=by, address=address)
    return {name: value for name, value in route.items() if name != "id"}


async def flagged(street: Street, requester: str, number: int, level: str) -> tuple[str, float]:
    """One exam with one finding: the Observation, and when its hand-over was committed."""
    report = street["report"]
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/o-{number}"},
        "requester": {"reference": requester},
        "identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "value": IMAGING_NUMBER}],
    }
    order = await street["order"].make(request)
    level_of = {"coding": [{"system": FINDING_LEVEL, "code": level}]}
    finding = await report.make(
        {
            "resourceType": "Observation",
            "status": "preliminary",
            "code": {"coding": [{"system": CRITICAL_FINDING, "code": "CV-CT-07"}]},
            "subject": {"reference": f"Patient/o-{number}"},
            "basedOn": [{"reference": f"ServiceRequest/{order['id']}"}],
            "performer": [{"reference": "Practitioner/o-author"}],
            "component": [{"code": {"text": "level"}, "valueCodeableConcept": level_of}],
        }
    )
    await report.make(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "code": {"coding": [{"system": TASK_CODE, "code": "hand-over"}]},
            "focus": {"reference": f"Observation/{finding['id']}"},
            "for": {"reference": f"Patient/o-{number}"},
        }
    )
    return str(finding["id"]), time.time()


async def cases(street: Street) -> list[Tree]:
    """All cases as they stand."""
    rows = await street["critical"].rows(
        "SELECT v.body FROM resource r JOIN version v USING (key, version) WHERE r.type = 'Task' AND r.source = ''"
    )
    trees = [json.loads(row["body"]) for row in rows]
    code = {"system": f"{CANONICAL}/CodeSystem/task-code", "code": "critical-case"}
    return [tree for tree in trees if tree.get("code", {}).get("coding") == [code]]


async def reads_back(street: Street, person: str) -> None:
    """The receiver of the one open case confirms it by telephone, as soon as the case takes it."""
    given = {"patientCheck": ("valueString", IMAGING_NUMBER[-4:]), "finding": ("valueCode", "CV-CT-07"),
             "receiver": ("valueReference", {"reference": person}), "medium": ("valueCode", "phone")}  # fmt: skip
    body = {"resourceType": "Parameters", "parameter": [{"name": n, m: v} for n, (m, v) in given.items()]}
    [case] = [one for one in await cases(street) if code_of(one["businessStatus"], CASE_STATE) in OPEN]

    async def taken() -> bool:
        return (await street["critical"].ask("POST", f"Task/{case['id']}/$acknowledge", body)).status_code == 200

    await until(taken, _PATIENCE_SECONDS)
