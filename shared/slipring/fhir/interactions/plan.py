"""What a transaction is going to do: its entries, each with the resource it is about, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slipring.fhir.act import Act
from slipring.fhir.intent import Intent, placed
from slipring.fhir.interactions import change
from slipring.fhir.interactions.aim import Aim, lock_of, the_only
from slipring.fhir.interactions.asked import ID, Asked
from slipring.fhir.interactions.entry import entry_asked
from slipring.fhir.interactions.references import condition
from slipring.fhir.interactions.standing import Conditions
from slipring.fhir.json_patch import Patch
from slipring.fhir.kernel import Kernel
from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.service import Resource
from slipring.fhir.store.reading import Reader, Row

# Deletes, creates, changes, reads, whatever the order of the entries (FHIR R4 http 3.1.0.11.2).
ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
_READS = ("GET", "HEAD")


@dataclass(slots=True)
class Entry:
    """One entry on its way through the transaction; the last three are found anew on every try."""

    position: int
    asked: Asked
    full_url: str
    tree: Resource
    aim: Aim  # of a read: nothing
    once: Criteria | None = None  # If-None-Exist
    patch: Patch | None = None
    existing: Row | None = None  # what a conditional create found
    intent: Intent | None = None
    reference: str = ""

    @property
    def place(self) -> str:
        """Where the entry stands."""
        return f"Bundle.entry[{self.position}]"

    @property
    def reads(self) -> bool:
        """Whether it writes nothing."""
        return self.asked.method in _READS

    @property
    def lock(self) -> str | None:
        """The lock of the criteria it depends on."""
        criteria = self.once or self.aim.criteria
        return lock_of(criteria) if criteria else None


def planned(kernel: Kernel, entries: list[dict[str, Any]], texts: list[str | None]) -> list[Entry]:
    """The entries of a transaction; 4xx at the first that can mean nothing."""
    work = []
    for position, (e, text) in enumerate(zip(entries, texts, strict=True)):
        try:
            work.append(_entry(kernel, position, e, text))
        except FhirError as error:
            raise placed(error, f"Bundle.entry[{position}]") from error
    _refuse_repeated_conditions(work)
    _judge_full_urls(work)
    return work


def _entry(kernel: Kernel, position: int, tree: dict[str, Any], text: str | None) -> Entry:
    asked = entry_asked(kernel.base, tree, text)
    full_url, resource = str(tree.get("fullUrl", "")), tree.get("resource") or {}
    steps = asked.steps
    if any(step.startswith("$") for step in steps):
        raise refusal(
            422,
            "not-supported",
            "A transaction calls no operations: call it by itself or in a batch.",
            "事务不能调用操作：请单独调用或放入 batch。",
            at="request.url",
            detail="kernel.transaction-calls-no-operations",
        )
    if asked.method in _READS:
        if not steps:
            raise _bad_url("request.url names nothing to read.", "request.url 未指明读取内容。")
        return Entry(position, asked, full_url, {}, Aim(""))
    name = steps[1] if len(steps) == 2 else ""
    if not steps or len(steps) > 2 or not steps[0] or (name and not ID.fullmatch(name)):
        raise _bad_url(
            "request.url must be Type, Type/id or Type?criteria.", "request.url 须为 Type、Type/id 或 Type?条件。"
        )
    kernel.kept(steps[0])
    if asked.method == "POST":
        return _creation(kernel, Entry(position, asked, full_url, resource, Aim(steps[0])), name)
    if not name and not asked.criteria():
        raise _bad_url("request.url must be Type/id or Type?criteria.", "request.url 须为 Type/id 或 Type?条件。")
    try:
        aim = Aim.of(kernel, steps[0], name, asked)
    except FhirError as error:
        raise FhirError(
            error.status, [Issue(i.code, i.zh, i.en, "request.url", detail=i.detail) for i in error.issues]
        ) from error
    entry = Entry(position, asked, full_url, resource, aim)
    if asked.method == "PATCH":
        entry.patch = Patch.read(asked.body, kernel.max_body_bytes)
    elif asked.method == "PUT":
        _judge_type(entry)
        if name and resource.get("id") != name:
            raise invalid(
                "The id must equal the one in request.url.",
                "id 必须与 request.url 一致。",
                at="resource.id",
                detail="kernel.id-equal-request-url",
            )
    return entry


def _creation(kernel: Kernel, entry: Entry, name: str) -> Entry:
    if name or entry.asked.query:
        raise _bad_url("request.url of a POST is the type alone.", "POST 的 request.url 只含类型。")
    _judge_type(entry)
    once = entry.asked.headers.get("if-none-exist")
    if once is not None:
        entry.once = condition(kernel, entry.aim.type, once, "request.ifNoneExist")
    return entry


def _judge_type(entry: Entry) -> None:
    kind, method = entry.aim.type, entry.asked.method
    if entry.tree.get("resourceType") != kind:
        raise invalid(
            f"{method} {kind} needs a {kind}.",
            f"{method} {kind} 须附 {kind} 资源。",
            at="resource",
            detail="kernel.entry-resource-missing",
        )


def _bad_url(en: str, zh: str) -> FhirError:
    return invalid(en, zh, at="request.url", detail="kernel.entry-url")


def _refuse_repeated_conditions(work: list[Entry]) -> None:
    seen: set[str] = set()
    for e in work:
        if e.lock is not None and e.lock in seen:
            raise invalid(
                "Another entry of this transaction has the same condition.",
                "本事务中另有条目使用相同条件。",
                at=f"{e.place}.request.{'ifNoneExist' if e.once else 'url'}",
                detail="kernel.another-entry-transaction-same-condition",
            )
        if e.lock is not None:
            seen.add(e.lock)


def _judge_full_urls(work: list[Entry]) -> None:
    """Absolute, each once, and naming the resource that a PUT by id names (FHIR R4 bundle 2.36.4)."""
    named: set[str] = set()
    for e in work:
        if not e.full_url:
            continue
        fault = None
        if not e.full_url.startswith(("urn:", "http://", "https://")):
            fault = "fullUrl must be absolute: urn:uuid:, urn:oid:, http:// or https://.", "fullUrl 须为绝对地址。"
        elif e.full_url in named:
            fault = "Two entries of the Bundle have the same fullUrl.", "Bundle 中有两个条目的 fullUrl 相同。"
        elif e.asked.method == "PUT" and e.aim.id and not _agrees(e.full_url, f"{e.aim.type}/{e.aim.id}"):
            fault = "fullUrl and request.url name different resources.", "fullUrl 与 request.url 所指资源不同。"
        if fault:
            raise invalid(*fault, at=f"{e.place}.fullUrl", detail="kernel.full-url")
        named.add(e.full_url)


def _agrees(full_url: str, reference: str) -> bool:
    return full_url.startswith("urn:") or full_url.endswith(f"/{reference}")


async def identify(act: Act, e: Entry, reader: Reader) -> None:
    """Find what the entry is about, and what it means to do to it."""
    e.existing, e.intent, e.reference = None, None, ""
    conditions = Conditions.of(e.asked.headers)
    kind, text = e.aim.type, e.asked.body.decode()
    match e.asked.method:
        case "POST":
            act.context.demand(kind, "c")
            e.existing = (
                await the_only(act.kernel, act.context, reader, e.once, "request.ifNoneExist") if e.once else None
            )
            if e.existing is None:
                e.intent = Intent("create", {**e.tree, "id": act.desk.new_id()}, text)
        case "PUT":
            e.intent = await change.replacing(act, e.aim, e.tree, text, conditions, reader)
        case "PATCH" if e.patch:
            act.context.demand(kind, "u")
            e.intent = await change.patching(act, e.aim, e.patch, conditions, reader)
        case "DELETE":
            act.context.demand(kind, "d")
            e.intent = await change.deleting(act, e.aim, conditions, reader)
    if e.intent:
        e.intent.place = e.place
        e.reference = e.intent.reference
    elif e.existing:
        e.reference = e.existing.reference
    elif e.aim.id:
        e.reference = f"{kind}/{e.aim.id}"


def refuse_overlap(work: list[Entry]) -> None:
    """400 when two entries are about one resource, however each came to it."""
    seen: set[str] = set()
    for e in work:
        if e.reads or e.existing or not e.reference:
            continue
        if e.reference in seen:
            raise invalid(
                f"{e.reference} is named by two entries of one transaction.",
                f"同一事务中有两个条目针对 {e.reference}。",
                at=f"{e.place}.request.url",
                detail="kernel.named-two-entries-transaction",
            )
        seen.add(e.reference)
