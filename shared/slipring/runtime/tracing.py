"""OpenTelemetry traces, off unless the standard OTEL_ settings name a collector; then request, commit and delivery are spans.

Attributes hold path templates, parameter names, types and ids of subscriptions, never a value of a resource. Off, a span
costs one comparison: the SDK is not even loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext, Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_REMEMBERED = 10_000


@dataclass(slots=True)
class Tracing:
    """The tracer of this process, and which commit made a version, for as long as it is remembered."""

    tracer: Tracer
    provider: Any
    to_subscribers: bool
    _commits: dict[str, SpanContext] = field(default_factory=dict)

    @contextmanager
    def span(
        self, name: str, kind: str, attributes: Mapping[str, Any], *, carrier: Mapping[str, str] | None = None
    ) -> Iterator[Span]:
        """A span around what is done; a fault is told by its kind, never by its text."""
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        above = TraceContextTextMapPropagator().extract(carrier) if carrier else None
        kinds = trace.SpanKind[kind]
        with self.tracer.start_as_current_span(
            name, above, kinds, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise

    def committed(self, schema: str, references: Iterable[str]) -> None:
        """The present span committed these versions (`Type/id/version`)."""
        from opentelemetry import trace

        here = trace.get_current_span().get_span_context()
        for reference in references:
            self._commits[f"{schema}|{reference}"] = here
        while len(self._commits) > _REMEMBERED:
            del self._commits[next(iter(self._commits))]

    @contextmanager
    def delivery(self, schema: str, lane: str, references: Iterable[str]) -> Iterator[Span]:
        """A span of its own trace for one notification, linked to the commits it tells of where this process made them."""
        from opentelemetry import context, trace

        made = [self._commits.get(f"{schema}|{reference}") for reference in references]
        attributes: Mapping[str, Any] = {
            "messaging.operation.type": "send",
            "slipring.subscription.id": lane,
            "slipring.events": len(made),
        }
        with self.tracer.start_as_current_span(
            "notify",
            context.Context(),
            trace.SpanKind.PRODUCER,
            attributes,
            [trace.Link(one) for one in made if one is not None],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def headers(self) -> dict[str, str]:
        """The W3C trace context of the present span, as headers."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        found: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(found)
        return found


_ON: list[Tracing] = []  # one at most: the process traces or it does not


def tracing() -> Tracing | None:
    """The tracing of this process; None when it is off."""
    return _ON[0] if _ON else None


def trace_id() -> str:
    """The present trace's id in hex; '' when there is none."""
    if not _ON:
        return ""
    from opentelemetry import trace

    here = trace.get_current_span().get_span_context()
    return trace.format_trace_id(here.trace_id) if here.is_valid else ""


def configure_tracing(*, to_subscribers: bool = False, environ: Mapping[str, str] | None = None) -> bool:
    """Begin to trace when OTEL_EXPORTER_OTLP_ENDPOINT (or the one for traces) is set; whether it was."""
    given = os.environ if environ is None else environ
    off = given.get("OTEL_SDK_DISABLED", "").lower() == "true" or given.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    if off or not any(given.get(name) for name in _ENDPOINTS):
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": given.get("OTEL_SERVICE_NAME", "slipring")})
    provider = TracerProvider(resource=resource)  # the sampler is OTEL_TRACES_SAMPLER's
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _ON[:] = [Tracing(provider.get_tracer("slipring"), provider, to_subscribers)]
    return True


def stop_tracing() -> None:
    """Send what is left and stop."""
    while _ON:
        _ON.pop().provider.shutdown()
