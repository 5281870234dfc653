"""batch: each entry as a request of its own; one that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context
from slipring.fhir.text import encode

Dispatch = Callable[[str, str, bytes, dict[str, str]], Awaitable[Response]]


async def process_batch(
    entries: list[dict[str, Any]], texts: list[str | None], dispatch: Dispatch, context: Context
) -> Response:
    """Answer every entry in its place."""
    answers = []
    for e, text in zip(entries, texts, strict=True):
        request = e.get("request") or {}
        headers = {
            name: str(request[member])
            for member, name in (("ifNoneExist", "if-none-exist"), ("ifMatch", "if-match"))
            if member in request
        }
        method, url = str(request.get("method", "")), str(request.get("url", ""))
        response = await dispatch(method, url, (text or "").encode(), headers)
        show = method == "GET" or "return=representation" in context.prefer
        answers.append(entry_answer(response, show=show))
    return answer(bundle("batch-response", answers))


def entry_answer(response: Response, *, show: bool) -> str:
    """One HTTP answer as a Bundle entry: the resource beside its status, an OperationOutcome inside it."""
    body = bytes(response.body).decode()
    told: dict[str, Any] = {"status": str(response.status_code)}
    for header, member in (("location", "location"), ("etag", "etag")):
        if header in response.headers:
            told[member] = response.headers[header]
    if response.status_code >= 400:
        outcome = f',"outcome":{body}' if body else ""
        return f'{{"response":{encode(told)[:-1]}{outcome}}}}}'
    return entry(None, body if show and body else None, response=told)
