"""Logs as JSON lines that hold no patient data: path templates and parameter names, never values.

FHIR searches carry patient data in their addresses and errors repeat what they were given, so neither an address nor
the text of an exception is ever written.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Container, MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import parse_qsl

import structlog

from slipring.runtime.tracing import trace_id

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_SERVICES = {"front", "order", "consent", "report", "critical"}
_PLACES = {"fhir", "auth", "token", "keys", "jwks.json", ".well-known", "smart-configuration", "_search", "_history"}
_WATCHING = {"health", "live", "ready", "engine", "metrics", "metadata", "openapi.json"}
_WORDS = frozenset(_SERVICES | _PLACES | _WATCHING)


def configure_logs(level: str = "info", *, to: TextIO | None = None) -> None:
    """Write structlog's and the libraries' records as JSON lines."""
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_exception_text,
        with_opaque_ids,
        with_trace_id,
    ]
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries: warnings only; their lower levels print what they are given
    logging.getLogger("slipring").setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def without_exception_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its kind and the places it passed; its text may repeat patient data."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, BaseException):
        found = (type(found), found, found.__traceback__)
    if isinstance(found, tuple) and found[0] is not None:
        event["exception"] = found[0].__name__
        event["at"] = _places(found[2])
    return event


def with_opaque_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write a caller's name for its request only when it can mean nothing else; else the beginning of its hash.

    A request id is whatever the caller says, and somebody will say a patient's name or number.
    """
    given = event.get("request_id")
    if isinstance(given, str) and not _UUID.fullmatch(given):
        event["request_id"] = "sha256:" + hashlib.sha256(given.encode()).hexdigest()[:16]
    return event


def with_trace_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace that a line belongs to, when there is one."""
    if found := trace_id():
        event["trace_id"] = found
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-12:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


@dataclass(frozen=True, slots=True)
class Words:
    """What a log may repeat of an address: names that we gave a meaning to, never one that a caller made up."""

    types: Container[str] = frozenset()
    operations: Container[str] = frozenset()  # without the dollar sign
    parameters: Container[str] = frozenset()


def path_template(path: str, words: Words) -> str:
    """The path with every word of the caller replaced.

    >>> path_template("/order/fhir/Patient/Zhang-San/_history/2", Words({"Patient"}))
    '/order/fhir/Patient/{id}/_history/{version}'
    >>> path_template("/fhir/DiagnosticReport/r-1/$sign", Words({"DiagnosticReport"}, {"sign"}))
    '/fhir/DiagnosticReport/{id}/$sign'
    """
    kept: list[str] = []
    before = ""
    for segment in path.split("/"):
        if segment == "" or segment in _WORDS or (before == "fhir" and segment in words.types):
            kept.append(segment)
        elif segment[0] == "$":
            kept.append(segment if segment[1:] in words.operations else "${operation}")
        else:
            kept.append("{version}" if before == "_history" else "{id}")
        before = segment
    return "/".join(kept)


def parameter_names(query: str, known: Container[str]) -> list[str]:
    """The names of a query's parameters that are known, without modifiers and chains, sorted, each once.

    A caller may write anything where a name belongs; what is no name of ours is told as `{other}`.

    >>> parameter_names("name:exact=Zhang&birthdate=1990-01-01&Zhang=San", {"name", "birthdate"})
    ['birthdate', 'name', '{other}']
    """
    names = {re.split(r"[:.]", name, maxsplit=1)[0] for name, _ in parse_qsl(query, keep_blank_values=True)}
    return sorted({name if name in known else "{other}" for name in names})


def with_request_log(application: Application, words: Words) -> Application:
    """Wrap an ASGI application: one line per request, with its template, names of parameters, status and duration."""
    log = structlog.get_logger("slipring.request")

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        began, status, request_id = time.perf_counter(), 0, ""

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = next((v.decode("latin-1") for k, v in message["headers"] if k == b"x-request-id"), "")
            await send(message)

        try:
            await application(scope, receive, watched)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=path_template(scope["path"], words),
                parameters=parameter_names(scope["query_string"].decode("latin-1"), words.parameters),
                status=status,
                **({"request_id": request_id} if request_id else {}),
                ms=round((time.perf_counter() - began) * 1000, 1),
            )

    return logged
