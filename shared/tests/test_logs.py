"""Logs are JSON and hold no patient data, whatever is thrown at them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from slipring.runtime.logs import Words, configure_logs, parameter_names, path_template, with_request_log

NAME = "Zhang San"
REQUEST = "0b1f7d3c-0a55-4a41-9a39-6f1f0a2d7c11"
WORDS = Words(
    frozenset({"Patient", "ServiceRequest", "Task"}), frozenset({"acknowledge"}), frozenset({"name", "_count"})
)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logs("info", to=written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def _fail() -> None:
    raise ValueError(f"patient {NAME} has no birth date")


def test_an_exception_is_told_by_kind_and_place_without_its_text(lines: io.StringIO) -> None:
    try:
        _fail()
    except ValueError:
        structlog.get_logger("slipring.test").exception("unexpected", request_id=REQUEST)
    line = json.loads(lines.getvalue())
    assert line["exception"] == "ValueError"
    assert "_fail" in line["at"][-1]
    assert line["request_id"] == REQUEST
    assert NAME not in lines.getvalue()


def test_an_exception_of_a_library_is_told_the_same_way(lines: io.StringIO) -> None:
    try:
        _fail()
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert json.loads(lines.getvalue())["exception"] == "ValueError"
    assert NAME not in lines.getvalue()


def test_libraries_are_heard_from_warning_up_and_we_from_info_up(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET http://x/fhir/Patient?name=Zhang")
    structlog.get_logger("slipring.test").debug("quiet")
    structlog.get_logger("slipring.test").info("heard")
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["heard"]


async def test_a_request_leaves_one_line_without_any_value(lines: io.StringIO) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": f"/fhir/Patient/{NAME}", "query_string": b"name=Zhang&_count=1"}
    await with_request_log(application, WORDS)(scope, send, send)  # type: ignore[arg-type]
    line = json.loads(lines.getvalue())
    assert (line["path"], line["parameters"], line["status"]) == ("/fhir/Patient/{id}", ["_count", "name"], 404)
    assert "Zhang" not in lines.getvalue()


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/order/fhir/metadata", "/order/fhir/metadata"),
        ("/order/fhir/ServiceRequest", "/order/fhir/ServiceRequest"),
        ("/fhir/Patient/Zhang", "/fhir/Patient/{id}"),
        ("/Zhang/San", "/{id}/{id}"),
        ("/fhir/Zhang", "/fhir/{id}"),
        ("/fhir/Task/k-1/$zhang", "/fhir/Task/{id}/${operation}"),
        ("/fhir/Patient/_search", "/fhir/Patient/_search"),
        ("/fhir/Task/k-1/$acknowledge", "/fhir/Task/{id}/$acknowledge"),
        ("/fhir/Patient/1/_history/3", "/fhir/Patient/{id}/_history/{version}"),
    ],
)
def test_a_path_is_written_as_its_template(path: str, template: str) -> None:
    assert path_template(path, WORDS) == template


def test_a_parameter_name_that_is_no_name_is_not_written() -> None:
    assert parameter_names("张三=1&Zhang=3&_id=2", {"_id"}) == ["_id", "{other}"]


def test_a_request_id_that_could_mean_something_is_told_by_its_hash(lines: io.StringIO) -> None:
    structlog.get_logger("slipring.test").info("heard", request_id=NAME)
    told = json.loads(lines.getvalue())["request_id"]
    assert told.startswith("sha256:")
    assert NAME not in lines.getvalue()
