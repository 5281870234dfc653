"""Answers: stored text as it is, with the FHIR headers; Bundles put together from stored texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from slipring.fhir.kernel import Context
from slipring.fhir.outcome import FhirError, Issue, as_operation_outcome
from slipring.fhir.text import encode

FHIR_JSON = "application/fhir+json; charset=utf-8"
_CONTENT_TYPE = (b"content-type", FHIR_JSON.encode())
_WITHOUT_BODY = (204, 304)


def answer(
    text: str,
    status: int = 200,
    *,
    version: int | None = None,
    updated_at: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One resource with weak ETag and Last-Modified."""
    sent = dict(headers or {})
    if version is not None:
        sent["ETag"] = f'W/"{version}"'
    if updated_at is not None:
        sent["Last-Modified"] = _http_date(updated_at.replace(microsecond=0))
    return _Answer(text, status, sent)


class _Answer(Response):
    """A response of ours whose headers need not be looked through: they are known when it is made."""

    def __init__(self, text: str, status: int, headers: Mapping[str, str]) -> None:
        self.status_code = status
        self.background = None
        self.body = text.encode()
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        self.raw_headers.append(_CONTENT_TYPE)
        if status not in _WITHOUT_BODY:
            self.raw_headers.append((b"content-length", b"%d" % len(self.body)))


@lru_cache(maxsize=256)
def _http_date(second: datetime) -> str:
    return format_datetime(second, usegmt=True)


def told(
    context: Context,
    text: str,
    status: int,
    *,
    version: int,
    updated_at: datetime,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a write, as much of it as `Prefer: return` asks for."""
    wanted = context.returns
    sent = {**(headers or {}), "Preference-Applied": f"return={wanted}"} if wanted else headers
    if wanted == "minimal":
        text = ""
    elif wanted == "OperationOutcome":
        text = done(context)
    return answer(text, status, version=version, updated_at=updated_at, headers=sent)


def done(context: Context) -> str:
    """An OperationOutcome that says that all went well."""
    well = Issue(
        "informational", zh="已完成，无问题。", en="Done; all is well.", severity="information", detail="kernel.done"
    )
    return encode(as_operation_outcome([well], context.language))


def answer_tree(tree: dict[str, Any], status: int = 200) -> Response:
    """A resource made for this answer."""
    return answer(encode(tree), status)


def refused(error: FhirError, language: str) -> Response:
    """The OperationOutcome of a refusal."""
    return answer(encode(as_operation_outcome(error.issues, language)), error.status, headers=error.headers)


def bundle(
    kind: str, entries: Sequence[str], *, total: int | None = None, links: Mapping[str, str] | None = None
) -> str:
    """A Bundle from entry texts, so that each resource keeps its characters."""
    members = ['"resourceType":"Bundle"', f'"type":"{kind}"']
    if total is not None:
        members.append(f'"total":{total}')
    if links:
        listed = [{"relation": relation, "url": url} for relation, url in links.items()]
        members.append(f'"link":{json.dumps(listed, ensure_ascii=False)}')
    if entries:
        members.append(f'"entry":[{",".join(entries)}]')
    return "{" + ",".join(members) + "}"


def entry(full_url: str | None, resource: str | None, **others: Any) -> str:
    """One Bundle.entry; `others` are small trees such as search, request, response."""
    members = []
    if full_url:
        members.append(f'"fullUrl":{json.dumps(full_url)}')
    if resource is not None:
        members.append(f'"resource":{resource}')
    members += [
        f'"{name}":{json.dumps(value, ensure_ascii=False)}' for name, value in others.items() if value is not None
    ]
    return "{" + ",".join(members) + "}"
