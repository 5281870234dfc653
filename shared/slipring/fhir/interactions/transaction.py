"""transaction and batch: a transaction is one act and one commit; a batch is its entries one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from slipring.fhir.act import Act, Intent, decided, perform, written_instant
from slipring.fhir.checks.shape import check
from slipring.fhir.interactions import write
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.search.criteria import parse
from slipring.fhir.service import Resource, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.batch import Stale
from slipring.fhir.store.reading import Row
from slipring.fhir.text import encode, entries_text

_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3}
Dispatch = Callable[[str, str, bytes, dict[str, str]], Awaitable[Response]]


@dataclass(slots=True)
class Entry:
    """One entry on its way through the transaction."""

    position: int
    method: str
    url: str
    full_url: str
    tree: Resource | None
    text: str
    if_none_exist: str | None
    if_match: str | None
    existing: Row | None = None  # the resource a conditional create found
    before: Stored | None = None
    reference: str = ""
    references: dict[str, str] = field(default_factory=dict)

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
            "请求体必须是 transaction 或 batch 类型的 Bundle。", at="Bundle.type",
        )
    entries = tree.get("entry", [])
    if not isinstance(entries, list) or len(entries) > kernel.max_entries:
        raise refusal(
            413, "too-costly", f"A Bundle may hold at most {kernel.max_entries} entries.",
            f"Bundle 最多含 {kernel.max_entries} 个条目。", at="Bundle.entry",
        )
    if kind == "batch":
        return await _batch(entries, entries_text(text), dispatch, context)
    issues = check(tree)
    if issues:
        raise FhirError(400, issues)
    work = [_entry(i, e, t) for i, (e, t) in enumerate(zip(entries, entries_text(text), strict=True))]
    return await _transaction(kernel, context, work, dispatch)


def _entry(position: int, tree: dict[str, Any], text: str | None) -> Entry:
    request = tree.get("request") or {}
    method, url = request.get("method"), str(request.get("url", "")).strip("/")
    place = f"Bundle.entry[{position}]"
    if method not in _ORDER:
        raise invalid(
            "A transaction entry needs request.method POST, PUT, DELETE or GET.",
            "事务条目须给出 request.method（POST、PUT、DELETE 或 GET）。", at=f"{place}.request.method",
        )
    if not url:
        raise invalid("A transaction entry needs request.url.", "事务条目须给出 request.url。", at=f"{place}.request.url")
    if method in ("POST", "PUT") and text is None:
        raise invalid(f"{method} needs a resource.", f"{method} 须附资源。", at=f"{place}.resource")
    return Entry(
        position, method, url, tree.get("fullUrl", ""), tree.get("resource"), text or "",
        request.get("ifNoneExist"), request.get("ifMatch"),
    )


async def _transaction(kernel: Kernel, context: Context, work: list[Entry], dispatch: Dispatch) -> Response:
    locks = [
        write.condition_lock(e.tree["resourceType"], write.conditions(e.if_none_exist))
        for e in work
        if e.if_none_exist and e.tree
    ]
    for _ in range(4):
        try:
            async with AsyncExitStack() as stack:
                connection = await stack.enter_async_context(kernel.store.transaction(locks)) if locks else None

                async def decide(reader: Any = connection) -> tuple[Act, None]:
                    act = Act(kernel, context, kernel.desk(context.caller, reader))
                    await _intend(kernel, context, act, work, reader or kernel.store.pool)
                    await decided(act, act.handle)
                    return act, None

                act, written, _ = await perform(kernel, decide, within=connection)
        except Stale:  # outside the transaction, so that it is rolled back
            continue
        kernel.store.wake(act.batch)
        versions = {w.reference: w for w in written}
        answers = []
        for e in sorted(work, key=lambda e: e.position):
            if e.method == "GET":
                answers.append(await _get(e, dispatch))
            elif e.existing:
                answers.append(_outcome(kernel, e.existing.reference, e.existing.version, e.existing.updated_at, "200 OK"))
            elif e.method == "DELETE":
                answers.append(entry(None, None, response={"status": "204 No Content"}))
            else:
                done = versions[e.reference]
                status = "200 OK" if e.before else "201 Created"
                body = done.text if "return=representation" in context.prefer else None
                answers.append(_outcome(kernel, done.reference, done.version, act.desk.now, status, body))
        return answer(bundle("transaction-response", answers))
    raise refusal(409, "conflict", "The state changes too quickly; try again.", "状态变化过快，请重试。")


async def _intend(kernel: Kernel, context: Context, act: Act, work: list[Entry], reader: Any) -> None:
    """Identity first (ids, conditions, fullUrls), then references, then the intents in FHIR's order."""
    known: dict[str, str] = {}
    for e in work:
        e.existing, e.before, e.references = None, None, {}
        try:
            await _identify(kernel, context, act, e, reader)
        except FhirError as error:
            raise _placed(error, e.place) from error
        if e.full_url and e.reference:
            known[e.full_url] = e.reference
    seen: set[str] = set()
    for e in work:
        if e.method in ("PUT", "DELETE", "POST") and not e.existing:
            if e.reference in seen:
                raise invalid(
                    f"{e.reference} is written twice in one transaction.", f"同一事务中 {e.reference} 被写入两次。",
                    at=f"{e.place}.request.url",
                )
            seen.add(e.reference)
    for e in sorted(work, key=lambda e: _ORDER[e.method]):
        if e.method == "GET" or e.existing or (e.method == "DELETE" and e.before is None):
            continue
        if e.method == "DELETE":
            assert e.before
            act.intend(Intent("delete", e.before.resource, "", e.before))
            continue
        assert e.tree is not None
        tree = await _resolved(kernel, e, known, reader, work)
        try:
            act.intend(Intent("update" if e.before else "create", tree, e.text, e.before, e.references))
        except FhirError as error:
            raise _placed(error, e.place) from error


async def _identify(kernel: Kernel, context: Context, act: Act, e: Entry, reader: Any) -> None:
    resource_type = e.url.partition("?")[0].partition("/")[0]
    resource_id = e.url.partition("?")[0].partition("/")[2]
    if e.method == "GET":
        return
    kernel.kept(resource_type)
    if e.tree is not None and e.tree.get("resourceType") != resource_type:
        raise invalid(f"The entry holds no {resource_type}.", f"条目中的资源不是 {resource_type}。", at="resource.resourceType")
    if e.method == "POST":
        context.demand(resource_type, "c")
        if e.if_none_exist:
            pairs = write.conditions(e.if_none_exist)
            held = await reading.search(reader, parse(resource_type, pairs, zone=kernel.zone), source="", limit=2)
            if len(held) > 1:
                raise write.several(resource_type, at="request.ifNoneExist")
            if held:
                e.existing, e.reference = held[0], held[0].reference
                return
        e.reference = f"{resource_type}/{act.desk.new_id()}"
        return
    if not resource_id:
        raise invalid("request.url must be Type/id.", "request.url 须为 类型/id。", at="request.url")
    e.reference = f"{resource_type}/{resource_id}"
    if e.method == "PUT":
        e.before = await write.standing(kernel, context, resource_type, resource_id, e.if_match)
        return
    context.demand(resource_type, "d")
    row = await reading.current(reader, resource_type, resource_id)
    e.before = row.stored() if row and not row.deleted and not row.source else None


async def _resolved(kernel: Kernel, e: Entry, known: dict[str, str], reader: Any, work: list[Entry]) -> Resource:
    """The entry's resource with `urn:uuid`, fullUrl and conditional references resolved."""
    tree = {**(e.tree or {}), "id": e.reference.partition("/")[2]}
    for place, value in _references(tree, f"{e.place}.resource"):
        if value in known:
            e.references[value] = known[value]
        elif value.startswith("urn:"):
            raise invalid(
                "The reference names no entry of this Bundle.", "该引用在本 Bundle 中没有对应条目。", at=f"{place}.reference"
            )
        elif "?" in value and "/" not in value.partition("?")[0]:
            e.references[value] = await _conditional(kernel, value, place, reader)
    return _rewritten(tree, e.references) if e.references else tree


async def _conditional(kernel: Kernel, value: str, place: str, reader: Any) -> str:
    resource_type, _, text = value.partition("?")
    criteria = parse(resource_type, parse_qsl(text, keep_blank_values=True), zone=kernel.zone)
    held = await reading.search(reader, criteria, source=None, limit=2)
    if len(held) != 1:
        en, zh = ("several resources match", "有多个资源符合") if held else ("nothing matches", "没有资源符合")
        raise refusal(
            412, "multiple-matches" if held else "not-found", f"Conditional reference: {en}.", f"条件引用：{zh}。",
            at=f"{place}.reference",
        )
    return held[0].reference


def _references(tree: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        value = tree.get("reference")
        if isinstance(value, str):
            yield place, value
        for name, member in tree.items():
            yield from _references(member, f"{place}.{name}")
    elif isinstance(tree, list):
        for position, member in enumerate(tree):
            yield from _references(member, f"{place}[{position}]")


def _rewritten(tree: Any, references: dict[str, str]) -> Any:
    if isinstance(tree, dict):
        return {
            name: references.get(member, member) if name == "reference" and isinstance(member, str)
            else _rewritten(member, references)
            for name, member in tree.items()
        }
    return [_rewritten(member, references) for member in tree] if isinstance(tree, list) else tree


def _placed(error: FhirError, place: str) -> FhirError:
    """The same refusal, pointing into the Bundle."""
    issues = [
        Issue(i.code, i.zh, i.en, f"{place}.{i.at}" if i.at.startswith("request") else f"{place}.resource" + (
            "." + i.at.partition(".")[2] if "." in i.at else ""), i.severity, i.detail)
        for i in error.issues
    ]
    return FhirError(error.status, issues, error.headers)


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


async def _get(e: Entry, dispatch: Dispatch) -> str:
    response = await dispatch("GET", e.url, b"", {})
    text = bytes(response.body).decode() or None
    if response.status_code >= 400:
        return entry(None, None, response={"status": str(response.status_code)})
    return entry(None, text, response={"status": str(response.status_code)})


async def _batch(entries: list[Any], texts: list[str | None], dispatch: Dispatch, context: Context) -> Response:
    """Each entry as a request of its own; one that fails leaves the others alone."""
    answers = []
    for e, text in zip(entries, texts, strict=True):
        request = e.get("request") or {} if isinstance(e, dict) else {}
        headers = {
            name: request[member]
            for member, name in (("ifNoneExist", "if-none-exist"), ("ifMatch", "if-match"))
            if isinstance(request.get(member), str)
        }
        method, url = str(request.get("method", "")), str(request.get("url", ""))
        response = await dispatch(method, url, (text or "").encode(), headers)
        body = bytes(response.body).decode() or None
        told: dict[str, Any] = {"status": str(response.status_code)}
        for header, member in (("location", "location"), ("etag", "etag")):
            if header in response.headers:
                told[member] = response.headers[header]
        if response.status_code >= 400:
            answers.append('{"response":' + encode(told)[:-1] + f',"outcome":{body}' + "}}" if body else entry(None, None, response=told))
        else:
            show = method == "GET" or "return=representation" in context.prefer
            answers.append(entry(None, body if show else None, response=told))
    return answer(bundle("batch-response", answers))
