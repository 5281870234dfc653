"""Forms of our own pages: read once, within limits, and only when our own page sent them.

A random value in a cookie and its keyed hash in a hidden field belong together (a signed double submit); the hash also
covers the session, so a value planted into the browser fits nobody who is signed in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from slipring.fhir.outcome import FhirError, refusal
from slipring.fhir.wire import read_body

FIELD = "form_token"
LIMIT_BYTES = 65_536
FILES_LIMIT_BYTES = 1_048_576  # of a form that may carry a picture: a drawn signature, a scanned page
_COOKIE = "slipring-form"
_MOST_FIELDS = 50
_MOST_QUESTIONS = 400  # fields of a page's form: a long questionnaire
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def cookie_name(*, secure: bool) -> str:
    """The cookie's name; over https the prefix makes the browser refuse one that another host planted."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


def cookie_value(request: Request, *, secure: bool) -> tuple[str, bool]:
    """The browser's random value, and whether it is new and must be sent."""
    value = request.cookies.get(cookie_name(secure=secure), "")
    return (value, False) if _VALUE.fullmatch(value) else (secrets.token_urlsafe(32), True)


def token(key: bytes, value: str, session: str = "") -> str:
    """What the hidden field must say for this browser and this session."""
    return hmac.new(key, f"form|{value}|{session}".encode(), hashlib.sha256).hexdigest()


async def read_form(request: Request, key: bytes, origin: str, *, secure: bool, session: str = "") -> dict[str, str]:
    """The fields of a form that one of our own pages sent; anything else is 400, 403, 413 or 415."""
    fields = await fields_of(request)
    if not ours(request, fields, key, origin, secure=secure, session=session):
        raise stale_form()
    return {name: value for name, value in fields.items() if name != FIELD}


async def fields_of(request: Request) -> dict[str, str]:
    """What a form says, whoever sent it; it is read once and kept with the request."""
    known: dict[str, str] | None = getattr(request.state, "fields", None)
    if known is not None:
        return known
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            fields = single_valued(await read_body(request, LIMIT_BYTES, seconds=20), most=_MOST_QUESTIONS)
        case "multipart/form-data":
            fields = await _with_files(request, await read_body(request, FILES_LIMIT_BYTES, seconds=60))
        case _:
            raise _no_form()
    if fields is None:
        raise _not_single()
    request.state.fields = fields
    return fields


def ours(
    request: Request, fields: Mapping[str, str], key: bytes, origin: str, *, secure: bool, session: str = ""
) -> bool:
    """Whether one of our own pages, made for this browser and this session, sent these fields."""
    value, new = cookie_value(request, secure=secure)
    fits = not new and hmac.compare_digest(fields.get(FIELD, "").encode(), token(key, value, session).encode())
    return fits and from_us(request, origin)


async def files_of(request: Request, limit: int) -> dict[str, bytes]:
    """The files of a form that anybody may send, as they are, b"" for one not chosen; nothing of them touches a disk.

    400, 413 when the form is longer than `limit` bytes, or 415.
    """
    if not request.headers.get("content-type", "").strip().lower().startswith("multipart/form-data"):
        raise _no_form()
    found = await _parts(request, await read_body(request, limit, seconds=60), limit)
    if found is None:
        raise _not_single()
    return {name: await value.read() for name, value in found.items() if not isinstance(value, str)}


async def _with_files(request: Request, body: bytes) -> dict[str, str] | None:
    """The fields of a form with files; a file is told as a `data:` URL, one that was not chosen as ''."""
    found = await _parts(request, body, FILES_LIMIT_BYTES)
    if found is None:
        return None
    return {name: value if isinstance(value, str) else await _as_data(value) for name, value in found.items()}


async def _parts(request: Request, body: bytes, limit: int) -> dict[str, str | UploadFile] | None:
    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = MultiPartParser(request.headers, once(), max_files=5, max_fields=_MOST_QUESTIONS)
        parser.spool_max_size = limit  # what was sent stays in memory
        found = (await parser.parse()).multi_items()
    except (MultiPartException, KeyError):
        return None
    return dict(found) if len({name for name, _ in found}) == len(found) else None


async def _as_data(file: UploadFile) -> str:
    content = await file.read()
    kind = str(file.content_type or "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}" if content else ""


def single_valued(body: bytes, *, most: int = _MOST_FIELDS) -> dict[str, str] | None:
    """The form's fields; None if one is given twice (OAuth forbids it), or if there are too many."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()} if all(len(v) == 1 for v in fields.values()) else None


def _no_form() -> FhirError:
    return refusal(415, "not-supported", "This address takes a form.", "此地址只接收表单。", detail="pages.not-a-form")


def _not_single() -> FhirError:
    return refusal(
        400, "invalid", "A field is given twice, or too many are.", "字段重复或过多。", detail="pages.form-fields"
    )


def stale_form() -> FhirError:
    """403: the form was not made for this browser and session, or long ago; nothing was done."""
    return refusal(
        403,
        "security",
        "This form is no longer valid. Nothing was done; go back, reload the page and try again.",
        "该表单已失效，未执行任何操作；请返回、刷新页面后重试。",
        detail="pages.form-not-ours",
    )


def from_us(request: Request, origin: str) -> bool:
    """What the browser says about where the form stood, if it says anything."""
    said: Mapping[str, str] = request.headers
    if said.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    claimed = said.get("origin", "")
    return not claimed or _origin(claimed) == _origin(origin)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
