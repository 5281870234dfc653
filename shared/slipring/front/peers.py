"""The services behind the front: ask one, and make what it answers look as if the front had said it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import msgspec
from starlette.responses import Response

from slipring.fhir.outcome import FhirError, as_operation_outcome, busy, invalid
from slipring.runtime.tracing import tracing

FHIR_JSON = "application/fhir+json; charset=utf-8"
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_FORWARDED = _HOP_BY_HOP | {"host", "content-length", "content-encoding", "accept-encoding", "expect"}
_NOT_RETURNED = _HOP_BY_HOP | {"content-length", "content-encoding", "date", "server"}
_NAMING_HEADERS = ("location", "content-location")
_SERVICE_BASE = re.compile(r"^(?:https?://[^/]+)?/(?:order|consent|report|critical)/fhir(?=[/?]|$)")

RawObject = dict[str, msgspec.Raw]
_RAW_OBJECT = msgspec.json.Decoder(RawObject)
_RAW_OBJECTS = msgspec.json.Decoder(list[RawObject])
_EXACT = msgspec.json.Decoder(float_hook=Decimal)
_TEXT = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered: its body as the bytes it sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Unanswered(FhirError):
    """503: the service was asked and did not answer in time; what it made of the request is not known."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to a service, below its FHIR base: `target` is path and query, such as `Task?status=ready`."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Peers:
    """The httpx client of each service, by its name; `own` leads to what the front keeps itself."""

    clients: Mapping[str, httpx.AsyncClient]
    seconds: float = 30  # how long a service may take
    own: Mapping[str, httpx.AsyncClient] = field(default_factory=dict)

    async def ask(self, service: str, ask: Ask, *, seconds: float | None = None) -> Reply:
        """Forward a request; a service that cannot be reached is 503 with Retry-After. `seconds`: another patience."""
        separator = "/" if ask.target and not ask.target.startswith("?") else ""
        path = f"/{service}/fhir{separator}{ask.target}"
        return await self.ask_path(service, Ask(ask.method, path, ask.headers, ask.body), seconds=seconds)

    async def ask_path(self, service: str, ask: Ask, *, seconds: float | None = None) -> Reply:
        """The same with a path of the service that is not below its FHIR base."""
        client = self.clients.get(service) or self.own.get(service)
        if client is None or client.is_closed:  # closed: this process itself is about to end
            raise away(service)
        try:
            async with asyncio.timeout(seconds or self.seconds):
                on = tracing()  # the trace goes on in the service
                headers = _as_received({**ask.headers, **on.headers()} if on else ask.headers)
                response = await client.request(
                    ask.method, ask.target, headers=headers, content=ask.body or None,
                    timeout=seconds or httpx.USE_CLIENT_DEFAULT,
                )  # fmt: skip
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise away(service) from None
        except (httpx.TransportError, TimeoutError):
            raise (away(service) if ask.method in ("GET", "HEAD") else _unanswered(service)) from None
        return Reply(response.status_code, response.headers, response.content)


def _as_received(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as octets again: HTTP lets a value hold more than ASCII, and what it means is for the service to say."""
    return [(name.encode("latin-1"), _octets(value)) for name, value in headers.items()]


def _octets(value: str) -> bytes:
    try:
        return value.encode("latin-1")  # how a received value was decoded
    except UnicodeEncodeError:  # a condition that stood in a Bundle
        return value.encode()


def away(service: str) -> FhirError:
    """503: this service is down; the others go on."""
    return busy(
        f"The service {service} cannot be reached at the moment; try again shortly.",
        f"服务 {service} 暂时无法连接，请稍后重试。",
        retry_after_seconds=2,
        detail="front.service-away",
    )


def _unanswered(service: str) -> Unanswered:
    error = busy(
        f"The service {service} did not answer; whether it stored anything is not known. Look before you repeat.",
        f"服务 {service} 没有应答，是否已保存未知；重试前请先查询。",
        retry_after_seconds=5,
        detail="front.outcome-unknown",
    )
    return Unanswered(error.status, error.issues, error.headers)


def forwarded_headers(headers: Mapping[str, str], request_id: str) -> dict[str, str]:
    """The client's headers as the service gets them: all that mean something end to end."""
    passed_on_by_hand = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    kept: dict[str, str] = {}
    for name, value in ((name.lower(), value) for name, value in headers.items()):
        if name not in _NOT_FORWARDED and name not in passed_on_by_hand:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value  # lines of one name are one list
    # Bodies pass as the bytes they are; nothing in between compresses them.
    return {**kept, "x-request-id": request_id, "accept-encoding": "identity"}


def as_response(reply: Reply, base: str) -> Response:
    """The answer as the front gives it: places rewritten to its base, everything else as it came."""
    headers = {name: value for name, value in reply.headers.items() if name.lower() not in _NOT_RETURNED}
    for name in _NAMING_HEADERS:
        if name in headers:
            headers[name] = at_front(headers[name], base)
    return Response(with_places_at_front(reply.body, base), reply.status, headers)


def refused(error: FhirError, language: str, request_id: str) -> Response:
    """An error of the front itself as an OperationOutcome."""
    body = msgspec.json.encode(as_operation_outcome(error.issues, language))
    return Response(body, error.status, {**error.headers, "Content-Type": FHIR_JSON, "X-Request-Id": request_id})


def at_front(url: str, base: str) -> str:
    """A URL below a service's base, at the front's base; others stay.

    >>> at_front("http://127.0.0.1:8101/order/fhir/Patient/1", "https://ct.example/fhir")
    'https://ct.example/fhir/Patient/1'
    """
    return _SERVICE_BASE.sub(lambda _: base, url, count=1)


def below_base(url: str) -> str:
    """What stands behind the service's base, ready to be asked again."""
    return _SERVICE_BASE.sub("", url, count=1).lstrip("/")


def with_places_at_front(body: bytes, base: str) -> bytes:
    """A Bundle's own links, fullUrls and locations rewritten; resources inside keep every character."""
    if b"/fhir" not in body or b'"Bundle"' not in body[:4096]:
        return body
    try:
        bundle = _RAW_OBJECT.decode(body)
    except msgspec.DecodeError:
        return body
    if "resourceType" not in bundle or bytes(bundle["resourceType"]) != b'"Bundle"':
        return body
    if "link" in bundle:
        links = [{**link, "url": _moved(link["url"], base)} for link in _RAW_OBJECTS.decode(bundle["link"])]
        bundle["link"] = raw(links)
    if "entry" in bundle:
        bundle["entry"] = raw([entry_at_front(entry, base) for entry in _RAW_OBJECTS.decode(bundle["entry"])])
    return msgspec.json.encode(bundle)


def entry_at_front(entry: RawObject, base: str) -> RawObject:
    """One Bundle entry with its addresses at the front."""
    if "fullUrl" in entry:
        entry = {**entry, "fullUrl": _moved(entry["fullUrl"], base)}
    if "response" in entry:
        response = _RAW_OBJECT.decode(entry["response"])
        if "location" in response:
            entry = {**entry, "response": raw({**response, "location": _moved(response["location"], base)})}
        if "resource" in entry:  # the answer to a search inside a batch names places too
            entry = {**entry, "resource": msgspec.Raw(with_places_at_front(bytes(entry["resource"]), base))}
    return entry


def raw(tree: object) -> msgspec.Raw:
    """A tree as JSON text that is carried as it is."""
    return msgspec.Raw(msgspec.json.encode(tree))


def _moved(text: msgspec.Raw, base: str) -> msgspec.Raw:
    return raw(at_front(_TEXT.decode(text), base))


def raw_bundle(body: bytes) -> tuple[RawObject, list[RawObject]]:
    """A Bundle's members and its entries, all as text."""
    try:
        bundle = _RAW_OBJECT.decode(body)
        return bundle, _RAW_OBJECTS.decode(bundle["entry"]) if "entry" in bundle else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid(
            "The body is not a JSON object.", "请求正文不是 JSON 对象。", detail="front.body-not-json-object"
        ) from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> FhirError:
    return invalid("The body is nested too deeply.", "请求正文嵌套过深。", detail="front.body-nested-too-deeply")


def exact(text: msgspec.Raw) -> dict[str, Any]:
    """The tree of a resource that a service gave out, with its decimals as they were written."""
    tree: dict[str, Any] = _EXACT.decode(text)
    return tree


def decoded(text: msgspec.Raw | bytes) -> object:
    """The tree behind a text, for looking at only."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid("The body is not JSON.", "请求正文不是 JSON。", detail="front.body-not-json") from None
    except RecursionError:
        raise _too_deep() from None
