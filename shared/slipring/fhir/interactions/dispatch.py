"""The door: path and method to interaction, bytes to text, every refusal to an OperationOutcome."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import asyncpg
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from slipring.fhir.caller import Caller
from slipring.fhir.interactions import capabilities, history, operation, read, search, transaction, write
from slipring.fhir.interactions.respond import FHIR_JSON, answer_tree, refused
from slipring.fhir.interactions.standing import ID
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, busy, invalid, not_found, refusal
from slipring.fhir.service import Resource
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.text import parse

Verify = Callable[[str | None], Awaitable[Caller]]
_JSON = ("application/fhir+json", "application/json", "application/json+fhir", "text/json", "")
_MOST_PARAMETERS = 500
_NOBODY = Caller("")  # until the token is verified
_FORM = "application/x-www-form-urlencoded"
_LOG = structlog.get_logger("slipring.fhir")


class Door:
    """The FHIR base of one service."""

    def __init__(self, kernel: Kernel, verify: Verify) -> None:
        self._kernel = kernel
        self._verify = verify

    async def __call__(self, request: Request) -> Response:
        """Answer one HTTP request; nothing escapes as a bare 500."""
        headers = request.headers
        context = Context(
            _NOBODY,
            headers.get("x-request-id", "")[:64] or str(uuid.uuid4()),
            _language(headers.get("accept-language", "")),
            headers.get("prefer", ""),
        )
        response = await self._told(context, self._answer(request, context))
        response.headers["X-Request-Id"] = context.request_id
        if request.method == "HEAD":
            response = Response(status_code=response.status_code, headers=dict(response.headers))
        return response

    async def _told(self, context: Context, doing: Awaitable[Response]) -> Response:
        """The answer, or the OperationOutcome of whatever went wrong."""
        try:
            return await doing
        except FhirError as error:
            return refused(error, context.language)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        except (asyncpg.DataError, asyncpg.exceptions._base.DataError) as error:  # of the database; of asyncpg itself
            _LOG.info("input refused by the database", kind=type(error).__name__, request_id=context.request_id)
            wrong = invalid("A value cannot be stored or compared.", "有值无法保存或比较。")
            return refused(wrong, context.language)
        except UNAVAILABLE as error:
            if isinstance(error, asyncpg.DiskFullError):
                self._kernel.store.full = True
            _LOG.warning("database unavailable", kind=type(error).__name__, request_id=context.request_id)
            away = busy(
                "The database is not available right now; nothing was stored.", "数据库暂不可用，未保存任何内容。"
            )
            return refused(away, context.language)
        except Exception as error:
            _LOG.exception("unexpected", kind=type(error).__name__, request_id=context.request_id)
            en, zh = f"Unexpected fault; error id {context.request_id}.", f"意外故障；错误编号 {context.request_id}。"
            return refused(refusal(500, "exception", en, zh), context.language)

    async def _answer(self, request: Request, context: Context) -> Response:
        path = str(request.path_params.get("path", "")).strip("/")
        _acceptable(request)
        if path == "metadata" and request.method in ("GET", "HEAD"):
            return answer_tree(capabilities.capability_statement(self._kernel))
        headers = request.headers
        context.caller = await self._verify(headers.get("authorization"))
        body = await _body(request, self._kernel.max_body_bytes)
        query = _pairs(request.scope["query_string"])
        match request.method, path.split("/"):
            case "POST", [kind, "_search"]:
                _content_type(request, (_FORM,))
                return await search.search(self._kernel, context, kind, query + _pairs(body), posted=True)
            case "POST" | "PUT", _ if body:
                _content_type(request, _JSON)
        method = "GET" if request.method == "HEAD" else request.method
        conditions = {name: headers[name] for name in ("if-match", "if-none-exist") if name in headers}
        return await self._route(context, method, path, query, body, conditions)

    async def _route(
        self,
        context: Context,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        body: bytes,
        headers: dict[str, str],
    ) -> Response:
        """One interaction; batch entries come here too."""
        context.body_sha256 = hashlib.sha256(body).hexdigest() if body else ""
        steps = path.split("/") if path else []
        if method == "GET":
            return await self._read(context, steps, query)
        _refuse_parameters(query if method == "POST" else [])
        return await self._write(context, method, steps, body, headers)

    async def _read(self, context: Context, steps: list[str], query: list[tuple[str, str]]) -> Response:
        kernel = self._kernel
        match steps:
            case [kind, name] if ID.fullmatch(name):
                for declared in kernel.service.operations if kind == "OperationDefinition" else ():
                    if f"{declared.type}-{declared.name}" == name:
                        return answer_tree(operation.as_operation_definition(kernel, declared))
                return await read.read(kernel, context, kind, name)
            case [kind] if kind != "_history":
                return await search.search(kernel, context, kind, query)
            case ["_history"]:
                return await history.history(kernel, context, None, None, query)
            case [kind, "_history"]:
                return await history.history(kernel, context, kind, None, query)
            case [kind, name, "_history"]:
                return await history.history(kernel, context, kind, _known(kind, name), query)
            case [kind, name, "_history", number]:
                return await read.vread(kernel, context, kind, _known(kind, name), number)
            case [kind, name] if not name.startswith(("$", "_")):
                raise not_found(f"{kind[:64]}/{name[:64]}")
        raise _not_offered("GET")

    async def _write(
        self, context: Context, method: str, steps: list[str], body: bytes, headers: dict[str, str]
    ) -> Response:
        kernel = self._kernel
        match method, steps:
            case "POST", [kind]:
                text, tree = self._parse(body)
                return await write.create(kernel, context, kind, text, tree, headers.get("if-none-exist"))
            case "POST", []:
                text, tree = self._parse(body)
                return await transaction.process(
                    kernel, context, text, tree, lambda *asked: self._entry(context, *asked)
                )
            case "PUT", [kind, name]:
                text, tree = self._parse(body)
                return await write.update(kernel, context, kind, name, text, tree, headers.get("if-match"))
            case "DELETE", [kind, name]:
                return await write.delete(kernel, context, kind, name, headers.get("if-match"))
            case "POST", [kind, name] if name.startswith("$"):
                return await operation.operate(kernel, context, kind, None, name[1:], self._tree(body))
            case "POST", [kind, name, asked] if asked.startswith("$"):
                return await operation.operate(kernel, context, kind, _known(kind, name), asked[1:], self._tree(body))
        raise _not_offered(method)

    async def _entry(self, context: Context, method: str, url: str, body: bytes, headers: dict[str, str]) -> Response:
        """One entry of a batch, or a GET of a transaction: its own request, its own answer."""
        inner = Context(context.caller, context.request_id, context.language, context.prefer)
        path, _, query = url.strip("/").partition("?")
        if not path:
            wrong = invalid("A Bundle holds no Bundles to process.", "Bundle 内不得再含批处理。", at="request.url")
            return refused(wrong, context.language)
        pairs = parse_qsl(query, keep_blank_values=True)
        return await self._told(inner, self._route(inner, method, path, pairs, body, headers))

    def _parse(self, body: bytes) -> tuple[str, Resource]:
        if not body:
            raise invalid("The request has no body.", "请求没有请求体。")
        return parse(body, max_bytes=self._kernel.max_body_bytes)

    def _tree(self, body: bytes) -> Resource | None:
        return self._parse(body)[1] if body else None


def _known(kind: str, name: str) -> str:
    """The id, if it can be one at all."""
    if not ID.fullmatch(name):
        raise not_found(f"{kind[:64]}/{name[:64]}")
    return name


def _refuse_parameters(query: list[tuple[str, str]]) -> None:
    """A parameter that would be ignored is refused: the client meant something by it."""
    for name, _ in query:
        if name not in ("_format", "_pretty"):
            raise invalid(
                f"The parameter {name[:64]} means nothing here; known: _format, _pretty.",
                f"此处没有参数 {name[:64]}；可用：_format、_pretty。",
                at=name[:64],
            )


def _not_offered(method: str) -> FhirError:
    return refusal(
        405, "not-supported", f"{method[:16]} is not offered at this address.", f"该地址不支持 {method[:16]}。"
    )


def _pairs(query: bytes) -> list[tuple[str, str]]:
    """The parameters of a query string or a form, which must be UTF-8."""
    if not query:
        return []
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise invalid(
            f"The parameters are not percent-encoded UTF-8, or more than {_MOST_PARAMETERS}.",
            f"参数不是百分号编码的 UTF-8，或多于 {_MOST_PARAMETERS} 个。",
        ) from error


def _language(accept: str) -> str:
    """zh-CN unless English is asked for first."""
    return "en" if accept.strip().lower().startswith("en") else "zh-CN"


def _acceptable(request: Request) -> None:
    asked = b"_format=" in request.scope["query_string"]
    wanted = request.query_params.get("_format") if asked else request.headers.get("accept", "")
    if wanted and not any(name in wanted for name in ("json", "*/*", "application/*", "text/html")):
        raise refusal(
            406, "not-supported", "Only application/fhir+json is offered.", f"只提供 {FHIR_JSON.partition(';')[0]}。"
        )


def _content_type(request: Request, allowed: tuple[str, ...]) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in allowed:
        raise refusal(415, "not-supported", f"Content-Type must be {allowed[0]}.", f"Content-Type 须为 {allowed[0]}。")


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
