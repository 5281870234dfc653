"""Logs as JSON lines that hold no patient data: path templates and parameter names, never values.

FHIR searches carry patient data in their addresses and errors repeat what they were given, so neither an address nor
the text of an exception is ever written.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import parse_qsl

import structlog

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_TYPE = re.compile(r"[A-Z][A-Za-z]{2,40}")
_OPERATION = re.compile(r"\$[a-z][a-z-]{0,40}")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,80}")
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


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-12:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def path_template(path: str) -> str:
    """The path with every word of the caller replaced.

    >>> path_template("/order/fhir/Patient/Zhang-San/_history/2")
    '/order/fhir/Patient/{id}/_history/{version}'
    >>> path_template("/fhir/DiagnosticReport/r-1/$sign")
    '/fhir/DiagnosticReport/{id}/$sign'
    """
    kept: list[str] = []
    before = ""
    for segment in path.split("/"):
        if (
            segment == ""
            or segment in _WORDS
            or _OPERATION.fullmatch(segment)
            or (before == "fhir" and _TYPE.fullmatch(segment))
        ):
            kept.append(segment)
        elif before == "_history":
            kept.append("{version}")
        else:
            kept.append("{id}")
        before = segment
    return "/".join(kept)


def parameter_names(query: str) -> list[str]:
    """The names of a query's parameters, sorted, each once.

    >>> parameter_names("name=Zhang&birthdate=1990-01-01&name=San")
    ['birthdate', 'name']
    """
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    return sorted(name if _PARAMETER.fullmatch(name) else "{other}" for name in names)


def with_request_log(application: Application) -> Application:
    """Wrap an ASGI application: one line per request, with its template, parameter names, status and duration."""
    log = structlog.get_logger("slipring.request")

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await application(scope, receive, watched)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=path_template(scope["path"]),
                parameters=parameter_names(scope["query_string"].decode("latin-1")),
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )

    return logged
