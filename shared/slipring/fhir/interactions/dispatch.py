"""The door: path and method to interaction, bytes to text, every refusal to an OperationOutcome."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping

import asyncpg
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from slipring.fhir import text as fhir_text
from slipring.fhir.caller import Caller
from slipring.fhir.interactions import (
    capabilities,
    conformance,
    history,
    operation,
    read,
    search,
    standard,
    trail,
    transaction,
)
from slipring.fhir.interactions.asked import ID, Asked, known_id, not_offered, offered, parameters
from slipring.fhir.interactions.negotiation import FORM, RESOURCE, answered_as, demand_content_type, pretty
from slipring.fhir.interactions.respond import FHIR_JSON, answer_tree, refused
from slipring.fhir.interactions.write import write
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.merged import with_records
from slipring.fhir.outcome import FhirError, busy, invalid, refusal
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.wire import read_body

Verify = Callable[[str | None], Awaitable[Caller]]
Admit = Callable[[str, str], None]  # client and path: raises 429 when it is too much
_NOBODY = Caller("")  # until the token is verified
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=\-]{1,64}", re.ASCII)
_LOG = structlog.get_logger("slipring.fhir")


class Door:
    """The FHIR base of one service."""

    def __init__(self, kernel: Kernel, verify: Verify, admit: Admit | None = None) -> None:
        self._kernel = kernel
        self._verify = verify
        self._admit = admit

    async def __call__(self, request: Request) -> Response:
        """Answer one HTTP request; nothing escapes as a bare 500."""
        headers = _received(request)
        given_id = headers.get("x-request-id", "")
        context = Context(
            _NOBODY,
            given_id if _REQUEST_ID.fullmatch(given_id) else str(uuid.uuid4()),
            _language(headers.get("accept-language", "")),
            headers.get("prefer", ""),
        )
        response = await self._told(context, self._answer(request, headers, context))
        response.raw_headers.append((b"x-request-id", context.request_id.encode()))
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
            wrong = invalid(
                "A value cannot be stored or compared.",
                "有值无法保存或比较。",
                detail="kernel.value-cannot-stored-compared",
            )
            return refused(wrong, context.language)
        except UNAVAILABLE as error:
            if isinstance(error, asyncpg.DiskFullError):
                self._kernel.store.full = True
            _LOG.warning("database unavailable", kind=type(error).__name__, request_id=context.request_id)
            away = busy(
                "The database is not available right now; nothing was stored.",
                "数据库暂不可用，未保存任何内容。",
                detail="kernel.database-away",
            )
            return refused(away, context.language)
        except Exception as error:
            _LOG.exception("unexpected", kind=type(error).__name__, request_id=context.request_id)
            en, zh = f"Unexpected fault; error id {context.request_id}.", f"意外故障；错误编号 {context.request_id}。"
            return refused(refusal(500, "exception", en, zh, detail="kernel.unexpected"), context.language)

    async def _answer(self, request: Request, headers: Mapping[str, str], context: Context) -> Response:
        path = str(request.path_params.get("path", "")).strip("/")
        method = "GET" if request.method == "HEAD" else request.method
        query = parameters(request.scope["query_string"])
        kind = answered_as(headers.get("accept", ""), query)
        asked = Asked(method, path, query, b"", headers)
        if path == "metadata" and method == "GET":
            response = answer_tree(capabilities.capability_statement(self._kernel))
        elif method == "OPTIONS":
            response = Response(
                status_code=204, headers=offered(asked.steps, plain=operation.is_plain(self._kernel, asked.steps))
            )
        else:
            caller = await self._verify(headers.get("authorization"))
            if self._admit is not None:
                self._admit(caller.client, f"/{path}")
            context.caller = await with_records(caller, self._kernel.desk(caller)) if caller.patient else caller
            asked.body = await read_body(request, self._kernel.max_body_bytes, self._kernel.body_seconds)
            response = await self._route(context, asked)
        if kind is not FHIR_JSON and response.body:
            response.headers["Content-Type"] = kind
        return _laid_out(response) if query and pretty(query) else response

    async def _route(self, context: Context, asked: Asked) -> Response:
        """One interaction; batch entries come here too."""
        context.body_sha256 = hashlib.sha256(asked.body).hexdigest() if asked.body else ""
        if trail.concerns(asked):
            return await trail.answered(self._kernel, context, asked)
        if conformance.concerns(self._kernel, asked):
            return await conformance.answered(self._kernel, context, asked)
        if "$" in asked.path and standard.concerns(asked):
            return await standard.answered(self._kernel, context, asked)
        if asked.method == "GET":
            return await self._read(context, asked)
        if asked.method == "POST":
            return await self._post(context, asked)
        return await write(self._kernel, context, asked)

    async def _read(self, context: Context, asked: Asked) -> Response:
        kernel, query = self._kernel, asked.query
        match asked.steps:
            case [kind, name] if ID.fullmatch(name):
                return await read.read(kernel, context, kind, name, asked)
            case [kind] if kind[:1] not in ("_", "$"):
                return await search.search(kernel, context, kind, query)
            case ["_history"]:
                return await history.history(kernel, context, None, None, query)
            case [kind, "_history"]:
                return await history.history(kernel, context, kind, None, query)
            case [kind, name] if name.startswith("$"):
                return await operation.ask(kernel, context, kind, None, name[1:], asked)
            case [kind, name, called] if called.startswith("$"):
                return await operation.ask(kernel, context, kind, known_id(kind, name), called[1:], asked)
            case [kind, name, "_history"]:
                return await history.history(kernel, context, kind, known_id(kind, name), query)
            case [kind, name, "_history", number]:
                return await read.vread(kernel, context, kind, known_id(kind, name), number, asked)
        raise not_offered("GET", asked.steps)

    async def _post(self, context: Context, asked: Asked) -> Response:
        kernel, steps = self._kernel, asked.steps
        match steps:
            case [kind, "_search"]:
                demand_content_type(asked.headers.get("content-type", ""), (FORM,))
                return await search.search(kernel, context, kind, asked.query + parameters(asked.body), posted=True)
            case [kind, name] if name.startswith("$"):
                return await operation.operate(kernel, context, kind, None, name[1:], asked)
            case [kind, name, called] if called.startswith("$"):
                return await operation.operate(kernel, context, kind, known_id(kind, name), called[1:], asked)
            case []:
                asked.only()
                demand_content_type(asked.headers.get("content-type", ""), RESOURCE)
                text, tree = fhir_text.parse(asked.body, max_bytes=kernel.max_body_bytes)
                return await transaction.process(
                    kernel, context, text, tree, lambda entry, within=None: self._entry(context, entry, within)
                )
        return await write(kernel, context, asked)

    async def _entry(self, context: Context, asked: Asked, within: Kernel | None = None) -> Response:
        """One entry of a batch, or a look inside a transaction: its own request, its own answer."""
        inner = Context(context.caller, context.request_id, context.language, context.prefer)
        door = Door(within, self._verify) if within else self
        return await door._told(inner, door._route_entry(inner, asked))

    async def _route_entry(self, inner: Context, asked: Asked) -> Response:
        if not asked.path:
            raise invalid(
                "A Bundle holds no Bundles to process.",
                "Bundle 内不得再含批处理。",
                at="request.url",
                detail="kernel.bundle-holds-no-bundles-process",
            )
        return await self._route(inner, asked)


def _received(request: Request) -> dict[str, str]:
    """The headers by lower-case name; lines of one name are joined as HTTP says."""
    headers: dict[str, str] = {}
    for name, value in request.scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _laid_out(response: Response) -> Response:
    if not response.body:
        return response
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(fhir_text.pretty(bytes(response.body).decode()), response.status_code, headers)


def _language(accept: str) -> str:
    """zh-CN unless English is asked for first."""
    return "en" if accept.strip().lower().startswith("en") else "zh-CN"
