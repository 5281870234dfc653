"""batch: each entry as a request of its own; one that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from slipring.fhir.interactions.entry import entry_asked
from slipring.fhir.interactions.respond import answer, bundle, entry, refused
from slipring.fhir.kernel import Context
from slipring.fhir.outcome import FhirError
from slipring.fhir.text import encode

Dispatch = Callable[..., Awaitable[Response]]  # an Asked, and the kernel that answers it when it is another one


async def process_batch(
    base: str, entries: list[dict[str, Any]], texts: list[str | None], dispatch: Dispatch, context: Context
) -> Response:
    """Answer every entry in its place."""
    answers = []
    for e, text in zip(entries, texts, strict=True):
        try:
            asked = entry_asked(base, e, text)
        except FhirError as error:
            answers.append(entry_answer(refused(error, context.language), show=False))
            continue
        head, asked.method = asked.method == "HEAD", "GET" if asked.method == "HEAD" else asked.method
        response = await dispatch(asked)
        shown = asked.method == "GET" and not head
        told = asked.path.rpartition("/")[2].startswith("$")  # the answer of an operation is why it was called
        answers.append(entry_answer(response, show=shown or told or context.returns == "representation"))
    return answer(bundle("batch-response", answers))


def entry_answer(response: Response, *, show: bool) -> str:
    """One HTTP answer as a Bundle entry: the resource beside its status, an OperationOutcome inside it."""
    body = bytes(response.body).decode()
    told: dict[str, Any] = {"status": str(response.status_code)}
    for header, member in (("location", "location"), ("etag", "etag")):
        if header in response.headers:
            told[member] = response.headers[header]
    outcome = body.startswith('{"resourceType":"OperationOutcome"')
    if response.status_code >= 400 or (outcome and not show):
        told_outcome = f',"outcome":{body}' if body else ""
        return f'{{"response":{encode(told)[:-1]}{told_outcome}}}}}'
    return entry(None, body if show and body else None, response=told)
