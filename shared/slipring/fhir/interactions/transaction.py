"""transaction: one act and one commit, with the references between its entries resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from slipring.fhir.act import Act, decided, perform, perform_locked
from slipring.fhir.checks.shape import check
from slipring.fhir.intent import Intent, Written, placed, written_instant
from slipring.fhir.interactions import standing
from slipring.fhir.interactions.batch import Dispatch, entry_answer, process_batch
from slipring.fhir.interactions.entry import entry_asked
from slipring.fhir.interactions.references import condition, resolved, rewritten
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.service import Resource, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Reader, Row
from slipring.fhir.text import entries_text

_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3}


@dataclass(slots=True)
class Entry:
    """One entry on its way through the transaction; the last three are found anew on every try."""

    position: int
    method: str
    type: str
    id: str
    url: str
    full_url: str
    tree: Resource
    text: str
    if_match: str | None
    once: Criteria | None  # If-None-Exist
    existing: Row | None = None  # what a conditional create found
    before: Stored | None = None
    reference: str = ""

    @property
    def place(self) -> str:
        """Where the entry stands."""
        return f"Bundle.entry[{self.position}]"


async def process(kernel: Kernel, context: Context, text: str, tree: Resource, dispatch: Dispatch) -> Response:
    """POST [base] with a Bundle of type transaction or batch."""
    kind = tree.get("type")
    if tree.get("resourceType") != "Bundle" or kind not in ("transaction", "batch"):
        raise invalid(
            "The body must be a Bundle of type transaction or batch.",
            "请求体必须是 transaction 或 batch 类型的 Bundle。",
            at="Bundle.type",
        )
    entries = tree.get("entry", [])
    if isinstance(entries, list) and len(entries) > kernel.max_entries:
        raise refusal(
            413,
            "too-costly",
            f"A Bundle may hold at most {kernel.max_entries} entries.",
            f"Bundle 最多含 {kernel.max_entries} 个条目。",
            at="Bundle.entry",
        )
    issues = check(_without_resources(tree) if kind == "batch" else tree)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)
    if kind == "batch":
        return await process_batch(kernel.base, entries, entries_text(text), dispatch, context)
    work = [_entry(kernel, i, e, t) for i, (e, t) in enumerate(zip(entries, entries_text(text), strict=True))]
    _refuse_repeated_conditions(work)
    return await _transaction(kernel, context, work, dispatch)


def _without_resources(tree: Resource) -> Resource:
    """A batch's own shape: what each entry holds is judged by itself."""
    entries = tree.get("entry")
    if not isinstance(entries, list):
        return tree
    bare = [{k: v for k, v in e.items() if k != "resource"} if isinstance(e, dict) else e for e in entries]
    return {**tree, "entry": bare}


def _entry(kernel: Kernel, position: int, tree: dict[str, Any], text: str | None) -> Entry:
    request = tree.get("request") or {}
    method, url = request.get("method"), str(request.get("url", "")).strip("/")
    place = f"Bundle.entry[{position}]"
    if method not in _ORDER:
        raise invalid(
            "A transaction entry needs request.method POST, PUT, DELETE or GET.",
            "事务条目须给出 request.method（POST、PUT、DELETE 或 GET）。",
            at=f"{place}.request.method",
        )
    path, asks, _ = url.partition("?")
    resource_type, _, resource_id = path.partition("/")
    if not url or (method != "GET" and (asks or bool(resource_id) == (method == "POST"))):
        raise invalid(
            "request.url must be Type for POST, Type/id for PUT and DELETE.",
            "request.url 须为 Type（POST）或 Type/id（PUT、DELETE）。",
            at=f"{place}.request.url",
        )
    resource = tree.get("resource") or {}
    if method in ("POST", "PUT") and resource.get("resourceType") != resource_type:
        raise invalid(
            f"{method} {resource_type} needs a {resource_type}.",
            f"{method} {resource_type} 须附 {resource_type} 资源。",
            at=f"{place}.resource",
        )
    if method == "PUT" and resource.get("id") != resource_id:
        raise invalid(
            "The id must equal the one in request.url.", "id 必须与 request.url 一致。", at=f"{place}.resource.id"
        )
    once = request.get("ifNoneExist") if method == "POST" else None
    if method != "GET":
        try:
            kernel.kept(resource_type)
        except FhirError as error:
            raise placed(error, place) from error
    criteria = condition(kernel, resource_type, once, f"{place}.request.ifNoneExist") if once is not None else None
    full_url = str(tree.get("fullUrl", ""))
    match = request.get("ifMatch")
    return Entry(position, method, resource_type, resource_id, url, full_url, resource, text or "", match, criteria)


def _refuse_repeated_conditions(work: list[Entry]) -> None:
    seen: set[str] = set()
    for e in work:
        if e.once is not None and e.once.canonical() in seen:
            raise invalid(
                "Another entry of this transaction has the same condition.",
                "本事务中另有条目使用相同条件。",
                at=f"{e.place}.request.ifNoneExist",
            )
        if e.once is not None:
            seen.add(e.once.canonical())


async def _transaction(kernel: Kernel, context: Context, work: list[Entry], dispatch: Dispatch) -> Response:
    async def decide(reader: Reader) -> tuple[Act, None]:
        act = Act(kernel, context, kernel.desk(context.caller, reader))
        await _intend(kernel, context, act, work, reader)
        await decided(act, act.handle)
        return act, None

    locks = [f"if-none-exist {e.once.canonical()}" for e in work if e.once]
    if locks:
        done, written, _ = await perform_locked(kernel, locks, decide)
    else:
        done, written, _ = await perform(kernel, lambda: decide(kernel.store.pool))
    versions = {w.reference: w for w in written}
    answers = [
        entry_answer(
            await dispatch(entry_asked(kernel.base, {"request": {"method": "GET", "url": e.url}}, None)), show=True
        )
        if e.method == "GET"
        else _told(kernel, context, e, versions, done)
        for e in work
    ]
    return answer(bundle("transaction-response", answers))


async def _intend(kernel: Kernel, context: Context, act: Act, work: list[Entry], reader: Reader) -> None:
    """Identity first (ids, conditions, fullUrls), then references, then the intents in FHIR's order."""
    known: dict[str, str] = {}
    for e in work:
        try:
            await _identify(kernel, context, act, e, reader)
        except FhirError as error:
            raise placed(error, e.place) from error
        known |= _names(e)
    _refuse_written_twice(work)
    for e in sorted(work, key=lambda e: _ORDER[e.method]):
        if e.method == "GET" or e.existing or (e.method == "DELETE" and e.before is None):
            continue
        if e.method == "DELETE" and e.before:
            act.intend(Intent("delete", e.before.resource, "", e.before, place=e.place))
            continue
        changed = await resolved(kernel, e.tree, f"{e.place}.resource", known, reader)
        tree = {**(rewritten(e.tree, changed) if changed else e.tree), "id": e.reference.partition("/")[2]}
        new = e.before is None or e.before.deleted
        try:
            act.intend(Intent("create" if new else "update", tree, e.text, e.before, changed, e.place))
        except FhirError as error:
            raise placed(error, e.place) from error


async def _identify(kernel: Kernel, context: Context, act: Act, e: Entry, reader: Reader) -> None:
    e.existing, e.before, e.reference = None, None, ""
    if e.method == "POST":
        context.demand(e.type, "c")
        if e.once is not None:
            held = await reading.search(reader, e.once, source="", limit=2)
            if len(held) > 1:
                raise standing.several(e.type, at="request.ifNoneExist")
            if held:
                e.existing, e.reference = held[0], held[0].reference
                return
        e.reference = f"{e.type}/{act.desk.new_id()}"
    elif e.method == "PUT":
        e.before = await standing.to_replace(kernel, context, e.type, e.id, standing.Conditions(e.if_match), reader)
        e.reference = f"{e.type}/{e.id}"
    elif e.method == "DELETE":
        context.demand(e.type, "d")
        e.before = await standing.to_delete(kernel, e.type, e.id, e.if_match, reader)
        e.reference = f"{e.type}/{e.id}"


def _names(e: Entry) -> dict[str, str]:
    """How other entries may refer to this one: its fullUrl, and for a new one the relative end of that URL."""
    if not e.full_url or not e.reference:
        return {}
    found = {e.full_url: e.reference}
    if e.method == "POST" and e.full_url.startswith(("http://", "https://")):
        found["/".join(e.full_url.rsplit("/", 2)[-2:])] = e.reference
    return found


def _refuse_written_twice(work: list[Entry]) -> None:
    seen: set[str] = set()
    named: set[str] = set()
    for e in work:
        if e.full_url and e.full_url in named:
            raise invalid(
                "Two entries of the Bundle have the same fullUrl.",
                "Bundle 中有两个条目的 fullUrl 相同。",
                at=f"{e.place}.fullUrl",
            )
        named.add(e.full_url)
    for e in work:
        if e.method == "GET" or e.existing:
            continue
        if e.reference in seen:
            raise FhirError(
                400,
                [
                    Issue(
                        "invalid",
                        zh=f"同一事务中 {e.reference} 被写入两次。",
                        en=f"{e.reference} is written twice in one transaction.",
                        at=f"{e.place}.request.url",
                    )
                ],
            )
        seen.add(e.reference)


def _told(kernel: Kernel, context: Context, e: Entry, versions: dict[str, Written], done: Act) -> str:
    """The answer to one entry that writes."""
    if e.method == "DELETE":
        return entry(None, None, response={"status": "204 No Content"})
    if e.existing:
        return _outcome(kernel, e.reference, e.existing.version, e.existing.updated_at, "200 OK")
    written = versions[e.reference]
    status = "200 OK" if e.before and not e.before.deleted else "201 Created"
    body = written.text if context.returns == "representation" else None
    return _outcome(kernel, e.reference, written.version, done.desk.now, status, body)


def _outcome(kernel: Kernel, reference: str, version: int, at: Any, status: str, body: str | None = None) -> str:
    return entry(
        f"{kernel.base}/{reference}",
        body,
        response={
            "status": status,
            "location": f"{kernel.base}/{reference}/_history/{version}",
            "etag": f'W/"{version}"',
            "lastModified": written_instant(at),
        },
    )
