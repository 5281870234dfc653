"""How soon a ward's telephone rings after a finding was flagged, while many cases are open.

One case is opened as in life; the others are copies of it in the database, each open with its own deadline ahead.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from slipring.fhir.caller import DRAFT_READ
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING
from slipring.runtime.postgres import ensure_running
from slipring_demo.cast import SYNTHETIC, C, cast_bundle
from slipring_demo.teller import parameters, value_of

from tests.bench import serving
from tests.support.subscriber import Subscriber

_SEARCH = ("search_token", "search_reference", "search_date", "search_string", "search_quantity")
_PATIENCE_SECONDS = 30
Tree = dict[str, Any]


def measure(folder: Path, port: int, cases: int, flags: int) -> list[float]:
    """Seconds from the flag's commit to the moment the message had come in."""
    return asyncio.run(_measure(folder, port, cases, flags))


async def _measure(folder: Path, port: int, cases: int, flags: int) -> list[float]:
    phone = Subscriber()
    await phone.listen()
    database = await asyncpg.connect(ensure_running(folder), server_settings={"search_path": "critical"})
    try:
        ward = await asyncio.to_thread(_Ward, folder, port)
        await asyncio.to_thread(ward.post, "Endpoint", ward.route(phone.address("ward")))
        await _rung(phone, 1)  # the code that proves the route
        report = await asyncio.to_thread(ward.report, 0)
        await asyncio.to_thread(ward.flag, report)
        await _rung(phone, 2)
        await copy_case(database, cases)
        spans = []
        for number in range(1, flags + 1):
            report = await asyncio.to_thread(ward.report, number)
            before = len(phone.got)
            handover = await asyncio.to_thread(ward.flag, report)
            await _rung(phone, before + 1)
            committed = await database.fetchval(
                "SELECT created_at FROM report.outbox WHERE type = 'Task' AND resource_id = $1 AND version = 1",
                handover,
            )
            spans.append(phone.got[before].at - committed.timestamp())
        return spans
    finally:
        await database.close()
        await phone.refuse()


async def _rung(phone: Any, count: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while len(phone.got) < count:
        if time.monotonic() > end:
            raise SystemExit("nobody was rung")
        await asyncio.sleep(0.002)


async def copy_case(database: Any, cases: int, schema: str = "critical") -> None:
    """As many open cases as asked for, each with its search rows and an armed timer an hour or more ahead."""
    case = await database.fetchrow(
        "SELECT r.key, r.id FROM resource r JOIN search_token t ON t.key = r.key AND t.parameter = 'Task.code' "
        "AND t.code = 'critical-case' WHERE r.type = 'Task' AND r.source = '' AND NOT r.deleted LIMIT 1"
    )
    async with database.transaction():
        await database.execute(
            "CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT nextval(pg_get_serial_sequence('resource', 'key')) AS key, "
            "$1 || '-' || n AS id FROM generate_series(1, $2::int) n", case["id"], cases
        )  # fmt: skip
        await database.execute(
            "INSERT INTO resource (key, type, id, version, updated_at) SELECT m.key, r.type, m.id, 1, r.updated_at "
            "FROM made m, resource r WHERE r.key = $1", case["key"]
        )  # fmt: skip
        await database.execute(
            "INSERT INTO version (key, version, updated_at, method, body) SELECT m.key, 1, v.updated_at, 'POST', "
            "replace(v.body, $2, m.id) FROM made m, version v JOIN resource r USING (key, version) WHERE r.key = $1",
            case["key"], case["id"],
        )  # fmt: skip
        for table in _SEARCH:
            columns, read = await database.fetchrow(
                "SELECT string_agg(column_name, ', '), string_agg('t.' || column_name, ', ') FROM information_schema.columns "
                "WHERE table_schema = $2 AND table_name = $1 AND column_name <> 'key'", table, schema
            )  # fmt: skip
            await database.execute(
                f"INSERT INTO {table} (key, {columns}) SELECT m.key, {read} FROM made m, {table} t WHERE t.key = $1",
                case["key"],
            )
        await database.execute(
            "INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id) SELECT t.kind, t.name, "
            "'Task/' || m.id, replace(t.timer_key, $1, m.id), clock_timestamp() + interval '1 hour' + random() * interval '1 hour', "
            "t.payload, gen_random_uuid()::text FROM made m, timer t WHERE t.subject = 'Task/' || $1 AND t.kind = 'timer'",
            case["id"],
        )
    await database.execute("ANALYZE")


class _Ward:
    """People, requests and reports of the demo's department, posted over HTTP."""

    def __init__(self, folder: Path, port: int) -> None:
        token = serving.access_token(folder, DEMO_DEPARTMENT, f"system/*.cruds {DRAFT_READ}")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False)
        loading = {**headers, "Authorization": f"Bearer {serving.access_token(folder, DEMO_DEPARTMENT, LOADING)}"}
        cast = json.dumps(cast_bundle(with_patient=True))
        made = self._checked(self._http.post("/fhir", content=cast, headers=loading))
        self._people = ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in made["entry"]]

    def post(self, kind: str, tree: Tree) -> Tree:
        """Store something that must be taken."""
        return self._checked(self._http.post(f"/fhir/{kind}", content=json.dumps(tree)))

    def route(self, address: str) -> Tree:
        """The ward's telephone."""
        return {
            "resourceType": "Endpoint",
            "status": "active",
            "extension": [{"url": f"{C}/StructureDefinition/route-of", "valueCode": "ward"}],
            "connectionType": {"system": f"{C}/CodeSystem/channel", "code": "webhook"},
            "payloadType": [{"text": "slipring critical message"}],
            "address": address,
        }

    def report(self, number: int) -> str:
        """A draft report on a request of its own."""
        placer = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
        request = {
            "resourceType": "ServiceRequest",
            "meta": SYNTHETIC,
            "status": "active",
            "intent": "order",
            "identifier": [{"type": placer, "system": f"{C}/his-order", "value": f"BENCH-{number}"}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "30799-1"}]},
            "subject": {"reference": self._people[-1]},
            "requester": {"reference": self._people[3]},
        }
        made = self.post("ServiceRequest", request)
        draft = {
            "resourceType": "DiagnosticReport",
            "meta": SYNTHETIC,
            "status": "registered",
            "basedOn": [{"reference": f"ServiceRequest/{made['id']}"}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]},
            "subject": {"reference": self._people[-1]},
        }
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:  # the report service has to know the request: its copy arrives within a moment
            answer = self._http.post("/fhir/DiagnosticReport", content=json.dumps(draft))
            if answer.is_success or time.monotonic() > end:
                return f"DiagnosticReport/{self._checked(answer)['id']}"
            time.sleep(0.02)

    def flag(self, report: str) -> str:
        """Flag a critical finding; the id of the hand-over that was committed with it."""
        body = parameters(
            finding=("Coding", {"system": f"{C}/CodeSystem/critical-finding", "code": "CV-CT-02"}),
            level=("Code", "1"),
            performer=("Reference", {"reference": self._people[7]}),
        )
        told = self._checked(self._http.post(f"/fhir/{report}/$flag-critical", content=json.dumps(body)))
        return str(value_of(told, "handover")["reference"]).rpartition("/")[2]

    def _checked(self, answer: httpx.Response) -> Tree:
        if not answer.is_success:
            raise SystemExit(answer.text)
        tree: Tree = answer.json()
        return tree
