"""The wire below FHIR, the same at the services and at the front: bodies read within limits, compression, browsers."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from slipring.fhir.outcome import FhirError, invalid, refusal

BODY_SECONDS = 60.0
_GZIP = ("gzip", "x-gzip")
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # zlib's way to say: with a gzip header
_COMPRESSED_FROM_BYTES = 1024
_COMPRESSION_LEVEL = 5
_PREFLIGHT_SECONDS = 600
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_ASKED_HEADERS = (
    "Accept", "Accept-Language", "Authorization", "Content-Encoding", "Content-Type", "If-Match", "If-Modified-Since",
    "If-None-Exist", "If-None-Match", "Prefer", "X-Request-Id",
)  # fmt: skip
_TOLD_HEADERS = ("Allow", "ETag", "Last-Modified", "Location", "Preference-Applied", "Retry-After", "X-Request-Id")


async def read_body(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The body as it was before compression; 413 as soon as it is longer than `limit` bytes, 408 when it is too slow."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return b""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", *_GZIP):
        raise refusal(
            415,
            "not-supported",
            "Content-Encoding must be gzip or identity.",
            "Content-Encoding 须为 gzip 或 identity。",
            headers={"Accept-Encoding": "gzip"},
            detail="kernel.content-encoding-gzip-identity",
        )
    pieces = request.stream()
    received = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in _unpacked(pieces, limit) if encoding in _GZIP else pieces:
                received += piece
                if len(received) > limit:
                    raise _too_long(limit)
    except TimeoutError:
        raise refusal(
            408,
            "timeout",
            f"The body did not arrive within {seconds:g} seconds.",
            f"请求体未在 {seconds:g} 秒内到达。",
            headers={"Connection": "close"},
            detail="kernel.body-did-not-arrive-within",
        ) from None
    return bytes(received)


async def _unpacked(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """The unpacked body; never more than one byte beyond the limit is unpacked, whatever the packed one promises."""
    unpacker, size, began = zlib.decompressobj(_GZIP_WINDOW), 0, False
    try:
        async for piece in pieces:
            rest = piece
            while rest:
                if unpacker.eof:  # a gzip body may have several members (RFC 1952, 2.2)
                    unpacker = zlib.decompressobj(_GZIP_WINDOW)
                began = True
                out = unpacker.decompress(rest, limit + 1 - size)
                size += len(out)
                yield out
                if size > limit:
                    raise _too_long(limit)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    except zlib.error:
        raise _not_gzip() from None
    if began and not unpacker.eof:
        raise _not_gzip()


def _not_gzip() -> FhirError:
    return invalid(
        "The body is not gzip as Content-Encoding says.",
        "请求体不是 Content-Encoding 所说的 gzip。",
        detail="kernel.body-not-gzip-content-encoding",
    )


def _too_long(limit: int) -> FhirError:
    return refusal(
        413,
        "too-long",
        f"The body is larger than {limit} bytes.",
        f"请求体超过 {limit} 字节。",
        detail="kernel.body-larger-than-bytes",
    )


def on_the_wire(application: Any, origins: Sequence[str] = ()) -> Any:
    """An ASGI application whose answers are compressed for those who ask, and open to pages of these origins (CORS)."""
    served = GZipMiddleware(application, minimum_size=_COMPRESSED_FROM_BYTES, compresslevel=_COMPRESSION_LEVEL)
    if not origins:
        return served
    return CORSMiddleware(
        served,
        allow_origins=list(origins),
        allow_methods=_METHODS,
        allow_headers=_ASKED_HEADERS,
        expose_headers=_TOLD_HEADERS,
        max_age=_PREFLIGHT_SECONDS,
    )
