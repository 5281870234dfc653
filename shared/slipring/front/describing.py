"""What the services' own OpenAPI documents say, for the front's."""

from __future__ import annotations

import asyncio

import httpx
import msgspec

from slipring.fhir.outcome import FhirError
from slipring.front.peers import Ask, Peers


class _Document(msgspec.Struct):
    paths: dict[str, msgspec.Raw] = {}


async def paths_of(peers: Peers) -> set[str]:
    """The paths that the services describe: among them where each operation is called."""
    documents = await asyncio.gather(*(_document(peers, service) for service in peers.clients))
    return {path for document in documents for path in document.paths}


async def _document(peers: Peers, service: str) -> _Document:
    try:
        reply = await peers.ask_path(service, Ask("GET", f"/{service}/openapi.json"))
    except FhirError:  # a service that is away describes nothing; the statement does not name its types either
        return _Document()
    return msgspec.json.decode(reply.body, type=_Document) if reply.status == httpx.codes.OK else _Document()
