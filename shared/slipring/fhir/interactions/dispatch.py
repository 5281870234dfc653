"""The door: path and method to interaction, bytes to text, every refusal to an OperationOutcome."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import Response

from slipring.fhir.act import on_record
from slipring.fhir.caller import Caller
from slipring.fhir.interactions import capabilities, history, operation, read, search, transaction, write
from slipring.fhir.interactions.respond import FHIR_JSON, answer_tree, refused
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, busy, invalid, refusal
from slipring.fhir.service import Resource
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.text import parse

Verify = Callable[[str | None], Awaitable[Caller]]
_JSON = ("application/fhir+json", "application/json", "application/json+fhir", "text/json", "")
_FORM = "application/x-www-form-urlencoded"
_LOG = structlog.get_logger("slipring.fhir")


class Door:
    """The FHIR base of one service as a Starlette endpoint."""

    def __init__(self, kernel: Kernel, verify: Verify) -> None:
        self._kernel = kernel
        self._verify = verify

    async def __call__(self, request: Request) -> Response:
        """Answer one HTTP request; nothing escapes as a bare 500."""
        language = _language(request.headers.get("accept-language", ""))
        request_id = request.headers.get("x-request-id", "")[:64] or str(uuid.uuid4())
        try:
            response = await self._answer(request, language, request_id)
        except FhirError as error:
            response = refused(error, language)
        except UNAVAILABLE as error:
            _LOG.warning("database unavailable", kind=type(error).__name__, request_id=request_id)
            response = refused(
                busy("The database is not available right now; nothing was stored.", "数据库暂不可用，未保存任何内容。"), language
            )
        except Exception as error:
            _LOG.exception("unexpected", kind=type(error).__name__, request_id=request_id)
            response = refused(
                refusal(500, "exception", f"Unexpected fault; error id {request_id}.", f"意外故障；错误编号 {request_id}。"), language
            )
        response.headers["X-Request-Id"] = request_id
        if request.method == "HEAD":
            response = Response(status_code=response.status_code, headers=dict(response.headers))
        return response

    async def _answer(self, request: Request, language: str, request_id: str) -> Response:
        path = str(request.path_params.get("path", "")).strip("/")
        _acceptable(request)
        if path == "metadata" and request.method in ("GET", "HEAD"):
            return answer_tree(capabilities.capability_statement(self._kernel))
        caller = await self._verify(request.headers.get("authorization"))
        body = await _body(request, self._kernel.max_body_bytes)
        context = Context(caller, request_id, language, request.headers.get("prefer", ""))
        headers = {name: request.headers[name] for name in ("if-match", "if-none-exist") if name in request.headers}
        query = list(parse_qsl(request.url.query, keep_blank_values=True, encoding="utf-8", errors="strict"))
        if request.method == "POST" and path.endswith("_search"):
            _content_type(request, (_FORM,))
            return await search.search(
                self._kernel, context, path.partition("/")[0], query + parse_qsl(body.decode(), keep_blank_values=True)
            )
        if request.method in ("POST", "PUT") and body:
            _content_type(request, _JSON)
        method = "GET" if request.method == "HEAD" else request.method
        return await self._route(context, method, path, query, body, headers)

    async def _route(
        self, context: Context, method: str, path: str, query: list[tuple[str, str]], body: bytes, headers: dict[str, str]
    ) -> Response:
        """One interaction, and what a refusal leaves on record; batch entries come here too."""
        async with on_record():
            return await self._interaction(context, method, path, query, body, headers)

    async def _interaction(
        self, context: Context, method: str, path: str, query: list[tuple[str, str]], body: bytes, headers: dict[str, str]
    ) -> Response:
        kernel = self._kernel
        context.body_sha256 = hashlib.sha256(body).hexdigest() if body else ""
        match (method, path.split("/") if path else []):
            case ("POST", []):
                text, tree = self._parse(body)

                async def again(method: str, url: str, body: bytes, headers: dict[str, str]) -> Response:
                    return await self._inner(context, method, url, body, headers)

                return await transaction.process(kernel, context, text, tree, again)
            case ("GET", ["_history"]):
                return await history.history(kernel, context, None, None, query)
            case ("GET", ["OperationDefinition", name]):
                found = [o for o in kernel.service.operations if f"{o.type}-{o.name}" == name]
                if found:
                    return answer_tree(operation.as_operation_definition(kernel, found[0]))
            case ("GET", [kind]):
                return await search.search(kernel, context, kind, query)
            case ("POST", [kind]):
                text, tree = self._parse(body)
                return await write.create(kernel, context, kind, text, tree, headers.get("if-none-exist"))
            case ("GET", [kind, "_history"]):
                return await history.history(kernel, context, kind, None, query)
            case ("POST", [kind, name]) if name.startswith("$"):
                return await operation.operate(kernel, context, kind, None, name[1:], self._tree(body))
            case ("GET", [kind, name]):
                return await read.read(kernel, context, kind, name)
            case ("PUT", [kind, name]):
                text, tree = self._parse(body)
                return await write.update(kernel, context, kind, name, text, tree, headers.get("if-match"))
            case ("DELETE", [kind, name]):
                return await write.delete(kernel, context, kind, name, headers.get("if-match"))
            case ("POST", [kind, name, op]) if op.startswith("$"):
                return await operation.operate(kernel, context, kind, name, op[1:], self._tree(body))
            case ("GET", [kind, name, "_history"]):
                return await history.history(kernel, context, kind, name, query)
            case ("GET", [kind, name, "_history", number]):
                return await read.vread(kernel, context, kind, name, number)
        raise refusal(405, "not-supported", f"{method} is not offered at this address.", f"该地址不支持 {method}。")

    async def _inner(self, context: Context, method: str, url: str, body: bytes, headers: dict[str, str]) -> Response:
        path, _, query = url.strip("/").partition("?")
        try:
            inner = Context(context.caller, context.request_id, context.language, context.prefer)
            return await self._route(inner, method, path, parse_qsl(query, keep_blank_values=True), body, headers)
        except FhirError as error:
            return refused(error, context.language)

    def _parse(self, body: bytes) -> tuple[str, Resource]:
        if not body:
            raise invalid("The request has no body.", "请求没有请求体。")
        return parse(body, max_bytes=self._kernel.max_body_bytes)

    def _tree(self, body: bytes) -> Resource | None:
        return self._parse(body)[1] if body else None


def _language(accept: str) -> str:
    """zh-CN unless English is asked for first."""
    return "en" if accept.strip().lower().startswith("en") else "zh-CN"


def _acceptable(request: Request) -> None:
    wanted = request.query_params.get("_format") or request.headers.get("accept", "")
    if wanted and not any(name in wanted for name in ("json", "*/*", "application/*", "text/html")):
        raise refusal(406, "not-supported", "Only application/fhir+json is offered.", f"只提供 {FHIR_JSON.partition(';')[0]}。")


def _content_type(request: Request, allowed: tuple[str, ...]) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in allowed:
        raise refusal(
            415, "not-supported", f"Content-Type must be {allowed[0]}.", f"Content-Type 须为 {allowed[0]}。"
        )


async def _body(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is too long."""
    if request.method in ("GET", "HEAD"):
        return b""
    received = bytearray()
    async for part in request.stream():
        received += part
        if len(received) > limit:
            raise refusal(413, "too-costly", f"The body is larger than {limit} bytes.", f"请求体超过 {limit} 字节。")
    return bytes(received)
