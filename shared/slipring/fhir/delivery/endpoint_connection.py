"""The way to outside endpoints: resolved once, every address judged, connected to exactly the one that was judged.

Host header, SNI and the certificate's check stay the name's, because only the socket knows the address. Redirects
are answers like others, proxies of the environment are not asked, and no wait is without an end.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import httpcore
import httpx

from slipring.fhir.delivery.endpoint_places import Address
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy, Target

Resolve = Callable[[str, int], Awaitable[Iterable[str]]]

_TOTAL_SECONDS = 60.0  # a net: whoever sends says less
_CONNECT_SECONDS = 5.0
_ANSWER_BYTES = 64 * 1024  # of an answer's body; the rest is not read and its connection not used again
_RESOLVING_AT_ONCE = 32  # names whose servers do not answer keep others waiting only beyond this
_IDLE_SECONDS = 15.0
_IDLE_CONNECTIONS = 64


class EndpointRefused(httpx.ConnectError):
    """The policy refuses where the endpoint leads; `reason` is the code of the refusal, without address or name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SystemResolver:
    """Asks the system, in threads of its own: slow name servers hold up nobody else's work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVING_AT_ONCE, thread_name_prefix="resolving")

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of a name in the order to try them; raises OSError when there is none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Judged(httpcore.AsyncNetworkBackend):
    """Opens sockets for one scheme, to judged addresses only."""

    def __init__(self, scheme: str, policy: EndpointPolicy, resolve: Resolve) -> None:
        self._scheme, self._policy, self._resolve = scheme, policy, resolve
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve once, judge all, try in order: one bad address among good ones is reason enough to refuse."""
        target = Target(self._scheme, host.strip("[]").lower().removesuffix("."), port)
        seconds = timeout or _CONNECT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._addresses(target)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no name server answered") from error
        failed: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(
                    str(address), port, seconds / len(addresses), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def _addresses(self, target: Target) -> list[Address]:
        literal = target.literal
        try:
            found = [literal] if literal else [_address(text) for text in await self._resolve(target.host, target.port)]
        except (OSError, UnicodeError) as error:  # the latter: a label no name server would be asked for
            raise httpcore.ConnectError("the name does not resolve") from error
        for address in found:
            refused = self._policy.judge_connection(target, address)
            if refused:
                raise EndpointRefused(refused.detail)
        return found


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise httpcore.ConnectError("the name resolves to no address") from error


class OutsideTransport(httpx.AsyncBaseTransport):
    """httpcore's connections over judged sockets; one pool per scheme, because the scheme is part of the judgement."""

    def __init__(self, policy: EndpointPolicy, resolve: Resolve, trust: ssl.SSLContext) -> None:
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=trust,
                max_connections=None,  # a lane has one message under way: nobody waits for another one's endpoint
                max_keepalive_connections=_IDLE_CONNECTIONS,
                keepalive_expiry=_IDLE_SECONDS,
                network_backend=_Judged(scheme, policy, resolve),
            )
            for scheme in ("http", "https")
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give the head of the answer with as much of its body as is wanted."""
        pool = self._pools.get(request.url.scheme)
        if pool is None:
            raise httpx.UnsupportedProtocol("endpoints are http or https")
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        # What a caller grants for one read is what he grants for all, from the first look at the name to the last byte.
        seconds = request.extensions.get("timeout", {}).get("read") or _TOTAL_SECONDS
        until = asyncio.get_running_loop().time() + seconds
        with _told_by_httpx(request):
            async with asyncio.timeout_at(until):
                answer = await pool.handle_async_request(asked)
        # What is read is thrown away: unpacking it would be a stranger's way to fill the memory.
        headers = [(name, value) for name, value in answer.headers if name.lower() != b"content-encoding"]
        return httpx.Response(
            answer.status, headers=headers, stream=_Some(answer, request, until), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close what is open."""
        for pool in self._pools.values():
            await pool.aclose()


class _Some(httpx.AsyncByteStream):
    """The beginning of an answer's body, within the time that is left."""

    def __init__(self, answer: httpcore.Response, request: httpx.Request, until: float) -> None:
        self._answer, self._request, self._until = answer, request, until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async with aclosing(self._answer.aiter_stream()) as parts:  # type: ignore[type-var]
            while size < _ANSWER_BYTES:
                with _told_by_httpx(self._request):
                    async with asyncio.timeout_at(self._until):
                        part = await anext(parts, b"")
                if not part:
                    return
                size += len(part)
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


_TOLD = {
    getattr(httpcore, name): getattr(httpx, name)
    for name in (
        "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout", "ConnectError", "ReadError", "WriteError",
        "UnsupportedProtocol", "LocalProtocolError", "RemoteProtocolError",
    )
}  # fmt: skip


@contextmanager
def _told_by_httpx(request: httpx.Request) -> Iterator[None]:
    """Failures under the names that callers of httpx know."""
    try:
        yield
    except tuple(_TOLD) as error:
        raise _TOLD[type(error)](type(error).__name__, request=request) from error
    except TimeoutError as error:
        raise httpx.ReadTimeout("not answered in time", request=request) from error
    except httpx.ConnectError as error:
        error.request = request
        raise


def outside_client(
    policy: EndpointPolicy, *, resolve: Resolve | None = None, roots: Path | None = None
) -> httpx.AsyncClient:
    """The one client for every address that somebody else gave us; `roots`: more roots for their certificates."""
    trust = httpx.create_ssl_context(trust_env=False)
    if roots is not None:
        trust.load_verify_locations(roots)
    return httpx.AsyncClient(
        transport=OutsideTransport(policy, resolve or SystemResolver(), trust),
        timeout=httpx.Timeout(_TOTAL_SECONDS, connect=_CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "slipring"},
    )
