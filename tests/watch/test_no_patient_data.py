"""A whole exam of a marked patient, and errors of every kind: nothing that watches holds a mark."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import structlog
from slipring.fhir.wire import on_the_wire
from slipring.process import installed_services
from slipring.runtime.logs import configure_logs, with_request_log
from slipring.signing.jws import jws_sha256
from slipring.watch.words import words_of
from slipring_demo.ordering import stated
from slipring_demo.reading import a_subscription

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones

# What a person would recognise the patient by; each is told once more in the address, headers and broken bodies.
NAME, NUMBER, BORN, STREET, TEXT = "Zzfamily", "ZZ-4711-ID", "1931-02-27", "Zzstreet", "Zzcomplaint"
MARKS = (NAME, NUMBER, BORN, STREET, TEXT)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged, at the level that says most."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logs("debug", to=written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def anyone(department: Department) -> AsyncIterator[httpx.AsyncClient]:
    """A client that comes through the whole wire, with the request log."""
    application = with_request_log(on_the_wire(department.house), words_of(installed_services().values()))
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8100", auth=department.his.auth
    ) as http:
        yield http


async def the_exam(department: Department, heard: list[Any]) -> OneExam:
    """From the request to the released report, with an alert that is read back."""
    story = await one_exam(department)
    cast = story.cast
    marked = {
        **cast.patient,
        "name": [{"family": NAME, "text": NAME}],
        "identifier": [{"system": "urn:his:patient", "value": NUMBER}],
        "birthDate": BORN,
        "address": [{"text": STREET}],
    }
    assert (await department.put(marked)).status_code == 200
    with phones("requester", "HIS") as phone:
        await story.made(a_subscription("DiagnosticReport?status=final", phone["HIS"].url))
        await story.rung_at({"valueReference": cast.person("requester")}, phone["requester"])
        await story.requested(note=[{"text": TEXT}], extension=[stated("laboratory", TEXT)])
        report = await story.drafted()
        case = await story.flagged(report)
        assert (await story.read_back(case, "requester")).status_code == 200
        first = await story.jws(report, "first reader", "author")
        assert (await story.signed(report, first, "author")).is_success
        second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
        await story.signed(report, second, "reviewer")
        await department.settle()
        heard += phone["requester"].received + phone["requester"].headers
    return story


async def every_error(anyone: httpx.AsyncClient, patient: str) -> list[int]:
    """The marks in every part of a request that may be wrong, at the front and at each service; the statuses."""
    fhir = {"Content-Type": "application/fhir+json"}
    told = []
    for base in ("/fhir", *(f"/{name}/fhir" for name in ("order", "consent", "report", "critical"))):
        for mark in MARKS:
            for path in (f"Patient?name={mark}", f"Patient?{mark}=1", f"Patient?name:{mark}=1", f"Patient/{mark}",
                         f"{mark}", f"Task?patient.name={mark}", f"Task?_has:{mark}:x:y=1", f"Patient?birthdate={mark}",
                         f"Patient?_sort={mark}", f"Patient/{mark}/_history/{mark}", f"Patient/1/${mark.lower()}"):  # fmt: skip
                told.append((await anyone.get(f"{base}/{path}")).status_code)
            broken: list[tuple[str, str, Any]] = [
                ("POST", "Patient", f'{{"resourceType":"Patient","{mark}'),
                ("POST", "Patient", json.dumps({"resourceType": "Patient", "birthDate": f"{mark}x", mark: mark})),
                ("POST", "Task", json.dumps({"resourceType": "Task", "status": mark})),
                ("POST", "", json.dumps({"resourceType": "Bundle", "type": "batch", "entry": [{"fullUrl": mark}]})),
                ("PATCH", patient, json.dumps([{"op": "test", "path": f"/{mark}", "value": mark}])),
                ("POST", f"Task/1/$acknowledge?x={mark}", json.dumps({"resourceType": "Parameters", "id": mark})),
            ]
            for method, path, body in broken:
                for headers in (
                    fhir,
                    {**fhir, "If-None-Exist": f"identifier={mark}", "If-Match": mark, "Prefer": mark},
                ):
                    sent = {**headers, "X-Request-Id": mark, "Referer": mark, "User-Agent": mark}
                    told.append(
                        (await anyone.request(method, f"{base}/{path}", content=body, headers=sent)).status_code
                    )
    return told


async def test_nothing_that_watches_holds_a_mark(
    department: Department, anyone: httpx.AsyncClient, lines: io.StringIO
) -> None:
    alerts: list[Any] = []
    story = await the_exam(department, alerts)
    statuses = await every_error(anyone, story.cast.patient["id"])
    assert {400, 404} <= set(statuses)
    assert max(statuses) < 500
    assert alerts, "an alert was heard"
    watching = {"log": lines.getvalue(), "alerts": json.dumps(alerts)}
    for place in ("", *(f"/{name}" for name in department.house.services)):
        for what in ("metrics", "health/engine", "health/ready"):
            watching[f"{place}/{what}"] = (await anyone.get(f"{place}/{what}")).text
    pool = department.house.services["order"].kernel.store.pool
    for service in department.house.services:
        rows = await pool.fetch(
            f"SELECT (to_jsonb(a) - 'request_id' - 'resource')::text AS told FROM watched_{service}.audit a"
        )
        assert rows
        watching[f"audit of {service}"] = "\n".join(row["told"] for row in rows)
    assert len(watching["log"].splitlines()) >= len(statuses)
    for what, text in watching.items():
        low = text.lower()
        places = {mark: low.find(mark.lower()) for mark in MARKS}
        found = {mark: low[max(0, at - 200) : at + 60] for mark, at in places.items() if at >= 0}
        assert found == {}, what
    assert all(json.loads(line)["event"] for line in watching["log"].splitlines())
