"""transaction: one act and one commit, with the references between its entries resolved."""

from __future__ import annotations

from typing import Any

import asyncpg
from starlette.responses import Response

from slipring.fhir.act import Act, decided, perform, perform_locked
from slipring.fhir.checks.shape import check
from slipring.fhir.intent import Intent, Written, placed, written_instant
from slipring.fhir.interactions.asked import Asked
from slipring.fhir.interactions.batch import Dispatch, entry_answer, process_batch
from slipring.fhir.interactions.foreseen import Foreseen
from slipring.fhir.interactions.plan import ORDER, Entry, identify, planned, refuse_overlap
from slipring.fhir.interactions.references import Known, resolved, rewritten
from slipring.fhir.interactions.respond import answer, bundle, done, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.service import Resource
from slipring.fhir.sight import after_patch
from slipring.fhir.store.reading import Reader
from slipring.fhir.text import encode, entries_text


async def process(kernel: Kernel, context: Context, text: str, tree: Resource, dispatch: Dispatch) -> Response:
    """POST [base] with a Bundle of type transaction or batch."""
    kind = tree.get("type")
    if tree.get("resourceType") != "Bundle" or kind not in ("transaction", "batch"):
        raise invalid(
            "The body must be a Bundle of type transaction or batch.",
            "请求体必须是 transaction 或 batch 类型的 Bundle。",
            at="Bundle.type",
            detail="kernel.body-bundle-type-transaction-batch",
        )
    entries = tree.get("entry", [])
    if isinstance(entries, list) and len(entries) > kernel.max_entries:
        raise refusal(
            413,
            "too-costly",
            f"A Bundle may hold at most {kernel.max_entries} entries.",
            f"Bundle 最多含 {kernel.max_entries} 个条目。",
            at="Bundle.entry",
            detail="kernel.too-many-entries",
        )
    issues = check(_without_resources(tree) if kind == "batch" else tree)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)
    if kind == "batch":
        return await process_batch(kernel.base, entries, entries_text(text), dispatch, context)
    return await _transaction(kernel, context, planned(kernel, entries, entries_text(text)), dispatch)


def _without_resources(tree: Resource) -> Resource:
    """A batch's own shape: what each entry holds is judged by itself."""
    entries = tree.get("entry")
    if not isinstance(entries, list):
        return tree
    bare = [{k: v for k, v in e.items() if k != "resource"} if isinstance(e, dict) else e for e in entries]
    return {**tree, "entry": bare}


async def _transaction(kernel: Kernel, context: Context, work: list[Entry], dispatch: Dispatch) -> Response:
    read: dict[int, Response] = {}

    async def decide(reader: Reader) -> tuple[Act, None]:
        act = Act(kernel, context, kernel.desk(context.caller, reader))
        await _intend(act, work, reader)
        await decided(act, act.handle)
        return act, None

    async def look(connection: asyncpg.Connection) -> None:
        for e in work:
            if e.reads:
                read[e.position] = await _looked(e, dispatch, kernel.within(connection))

    reads = any(e.reads for e in work)
    locks = [e.lock for e in work if e.lock]
    if locks or reads:
        done_act, written, _ = await perform_locked(kernel, locks, decide, then=look if reads else None)
    else:
        done_act, written, _ = await perform(kernel, lambda: decide(kernel.store.pool))
    versions = {w.reference: w for w in written}
    answers = [
        entry_answer(read[e.position], show=e.asked.method == "GET")
        if e.reads
        else _told(kernel, context, e, versions, done_act)
        for e in work
    ]
    return answer(bundle("transaction-response", answers))


async def _looked(e: Entry, dispatch: Dispatch, within: Kernel) -> Response:
    """What a GET sees of the transaction before it is committed; one that fails undoes it all."""
    asked = Asked("GET", e.asked.path, e.asked.query, b"", e.asked.headers)
    response = await dispatch(asked, within)
    if response.status_code >= 400:
        raise _failed(response, e.place)
    return response


def _failed(response: Response, place: str) -> FhirError:
    en = f"This entry fails with {response.status_code}; nothing of the transaction was stored."
    zh = f"该条目以 {response.status_code} 失败；事务未保存任何内容。"
    code = "not-found" if response.status_code in (404, 410) else "processing"
    return FhirError(
        response.status_code, [Issue(code, zh=zh, en=en, at=f"{place}.request.url", detail="kernel.entry-failed")]
    )


async def _intend(act: Act, work: list[Entry], reader: Reader) -> None:
    """Identity first (ids, conditions, fullUrls), then references, then the intents in FHIR's order."""
    known = Known()
    for e in work:
        if e.reads:
            continue
        try:
            await identify(act, e, reader)
        except FhirError as error:
            raise placed(error, e.place) from error
        version = e.intent.version if e.intent else e.existing.version if e.existing else 0
        known.add(e.full_url, e.reference, version, new=e.asked.method == "POST")
    refuse_overlap(work)
    known.foreseen = Foreseen([e.intent for e in work if e.intent], act.kernel.zone)
    known.searcher = reader if reader is not act.kernel.store.pool else act.kernel.store.searches
    for e in work:
        if e.intent and e.intent.method != "delete":
            await _resolve(act, e.intent, known)
    for e in sorted(work, key=lambda e: ORDER[e.asked.method]):
        try:
            if e.intent:
                act.intend(e.intent)
        except FhirError as error:
            raise placed(error, e.place) from error


async def _resolve(act: Act, intent: Intent, known: Known) -> None:
    changed = await resolved(act.kernel, act.context, intent.tree, f"{intent.place}.resource", known)
    if changed:
        intent.references = changed
        intent.tree = {**rewritten(intent.tree, changed), "id": intent.tree["id"]}


def _told(kernel: Kernel, context: Context, e: Entry, versions: dict[str, Written], act: Act) -> str:
    """The answer to one entry that writes."""
    if e.asked.method == "DELETE":
        return entry(None, None, response={"status": "204 No Content"})
    if e.existing:
        return _outcome(kernel, context, e.reference, e.existing.version, e.existing.updated_at, "200 OK", None)
    written = versions[e.reference]
    status = "201 Created" if e.intent and e.intent.method == "create" else "200 OK"
    text = after_patch(kernel, context, e.aim.type, written.text) if e.patch else written.text
    return _outcome(kernel, context, e.reference, written.version, act.desk.now, status, text or None)


def _outcome(
    kernel: Kernel, context: Context, reference: str, version: int, at: Any, status: str, text: str | None
) -> str:
    response = {
        "status": status,
        "location": f"{kernel.base}/{reference}/_history/{version}",
        "etag": f'W/"{version}"',
        "lastModified": written_instant(at),
    }
    told = encode(response)
    if context.returns == "OperationOutcome":
        told = f'{told[:-1]},"outcome":{done(context)}}}'
    members = [f'"fullUrl":{encode(f"{kernel.base}/{reference}")}']
    if context.returns == "representation" and text is not None:
        members.append(f'"resource":{text}')
    return "{" + ",".join([*members, f'"response":{told}']) + "}"
