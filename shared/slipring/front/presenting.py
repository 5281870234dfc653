"""How an answer is written: the Content-Type that was asked for, laid out for people on `_pretty`, places at the front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from starlette.responses import Response

from slipring.fhir import text as fhir_text
from slipring.fhir.interactions.asked import PRESENTATION
from slipring.fhir.interactions.negotiation import answered_as, pretty
from slipring.front.peers import FHIR_JSON, Reply, as_response


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a client wishes; 406 when nothing that is offered fits."""

    kind: str
    laid_out: bool

    @staticmethod
    def of(headers: Mapping[str, str], query: str) -> Presentation:
        """Read from the Accept header and from `_format` and `_pretty`; most requests have neither parameter."""
        pairs = []
        if "_format" in query or "_pretty" in query:
            pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] in PRESENTATION]
        return Presentation(answered_as(headers.get("accept", ""), pairs), pretty(pairs))

    def response(self, reply: Reply, base: str) -> Response:
        """The answer as the client gets it."""
        if self.kind != FHIR_JSON and reply.headers.get("content-type") == FHIR_JSON:
            reply = replace(reply, headers={**reply.headers, "content-type": self.kind})
        response = as_response(reply, base)
        if not self.laid_out or not response.body:
            return response
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return Response(fhir_text.pretty(bytes(response.body).decode()), response.status_code, headers)
