"""Traces over OTLP/HTTP, taken by a receiver that decodes what arrives; off, nothing is sent and nothing loaded."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from slipring.runtime.tracing import configure_tracing, stop_tracing, tracing

from tests.fhir.conftest import small_service
from tests.fhir.place import a_patient, a_task, opened, until
from tests.support.department import Department

MARK = "Zzmarked"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ABOVE = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


class Collector:
    """A small OTLP receiver: an HTTP server that keeps the spans it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    owner.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """No more."""
        self._server.shutdown()

    def named(self, beginning: str) -> list[Span]:
        """The spans whose name begins so."""
        return [span for span in self.spans if span.name.startswith(beginning)]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Tracing is on, by the standard setting, until the test ends."""
    receiver = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    assert configure_tracing()
    yield receiver
    stop_tracing()
    receiver.close()


def sent(collector: Collector) -> list[Span]:
    """Everything, now."""
    on = tracing()
    assert on is not None
    on.provider.force_flush()
    return collector.spans


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: one.value for one in span.attributes}


async def test_one_trace_leads_from_the_callers_request_through_the_front_to_the_commit(
    department: Department, collector: Collector
) -> None:
    made = await department.post("Patient", a_patient(name=[{"family": MARK}]), **ABOVE)
    assert made.status_code == 201
    sent(collector)
    ours = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    front = next(span for span in ours if span.name == "POST /fhir/Patient")
    service = next(span for span in ours if span.name == "POST /order/fhir/Patient")
    commit = next(span for span in ours if span.name == "commit")
    assert front.parent_span_id.hex() == "00f067aa0ba902b7"
    assert service.parent_span_id == front.span_id
    assert commit.parent_span_id == service.span_id
    assert attributes(front)["http.response.status_code"].int_value == 201
    assert attributes(commit)["db.system.name"].string_value == "postgresql"


async def test_a_span_holds_names_and_templates_and_nothing_a_caller_wrote(
    department: Department, collector: Collector
) -> None:
    for path in (f"Patient?name={MARK}&{MARK}=1", f"Patient/{MARK}", f"{MARK}/1", f"Patient/1/${MARK.lower()}"):
        await department.his.get(f"/fhir/{path}", headers={"X-Request-Id": MARK, "tracestate": f"x={MARK}"})
        await department.his.get(f"/order/fhir/{path}")
    await department.post("Patient", {"resourceType": "Patient", "birthDate": MARK, MARK: MARK})
    spans = sent(collector)
    assert {"GET /fhir/Patient", "GET /order/fhir/Patient/{id}", "GET /fhir/Patient/{id}/${operation}"} <= {
        span.name for span in spans
    }
    searched = next(span for span in spans if span.name == "GET /fhir/Patient")
    names = [one.string_value for one in attributes(searched)["slipring.parameters"].array_value.values]
    assert names == ["name", "{other}"]
    for span in spans:
        span.trace_state = ""  # the caller's own words, carried for the caller's own tracing
        assert MARK.lower() not in str(span).lower()


async def test_a_notification_is_a_trace_of_its_own_linked_to_the_commit_it_tells_of(
    data_dir: Path, collector: Collector
) -> None:
    got: list[httpx.Request] = []

    def outside(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200)

    async with opened(data_dir, small_service(), outside=outside) as street:
        place = street["order"]
        made = await place.make(
            {
                "resourceType": "Subscription", "status": "requested", "criteria": "Task", "reason": "test",
                "channel": {"type": "rest-hook", "endpoint": "http://10.9.9.9/hook", "payload": "application/fhir+json"},
            }
        )  # fmt: skip
        await place.running.start()
        answer = await place.ask("POST", "Task", a_task(), headers=ABOVE)
        assert answer.status_code == 201

        def notified() -> list[Span]:
            spans = collector.named("notify")  # the department beside us tells its own services as well
            return [one for one in spans if attributes(one)["slipring.subscription.id"].string_value == made["id"]]

        async def told() -> bool:
            sent(collector)
            return bool(notified())

        await until(told, 30)
    [notify] = notified()
    commit = next(span for span in collector.named("commit") if span.trace_id.hex() == TRACE)
    assert notify.trace_id != commit.trace_id
    assert [link.span_id for link in notify.links] == [commit.span_id]
    assert attributes(notify)["http.response.status_code"].int_value == 200
    assert "traceparent" not in got[0].headers, "an outside subscriber hears of our traces only if it is set"


async def test_a_fault_is_told_by_its_kind(data_dir: Path, collector: Collector) -> None:
    async with opened(data_dir, small_service()) as street:
        place = street["order"]
        await place.pool.execute("ALTER TABLE search_string ADD CONSTRAINT no CHECK (exact <> 'Zzmarked')")
        assert (await place.ask("POST", "Patient", a_patient(name=[{"family": MARK}]))).status_code == 500
    sent(collector)
    commit = next(one for one in collector.named("commit") if one.status.code == 2)
    assert attributes(commit)["error.type"].string_value == "CheckViolationError"
    assert all(MARK not in str(span) for span in collector.spans)


def test_without_the_setting_not_even_the_sdk_is_loaded() -> None:
    asked = (
        "import sys, slipring.process\nfrom slipring.runtime.tracing import configure_tracing, tracing\n"
        "assert not configure_tracing(environ={}) and tracing() is None\n"
        "assert not configure_tracing(environ={'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://x', 'OTEL_SDK_DISABLED': 'true'})\n"
        "assert not any(name.startswith('opentelemetry.sdk') for name in sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
