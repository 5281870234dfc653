"""`Measure/$clause-record`: check, and keep each verdict that stands otherwise than the one kept before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import (
    Arrival,
    Call,
    Changes,
    Desk,
    Keeps,
    Operation,
    Parameter,
    Resource,
    Save,
    Stored,
    Write,
    WriteHandler,
)
from slipring.verdicts.history import CHECK, KEPT_AS, TOGETHER, VERDICT, Kept, as_report, kept_in, key
from slipring.verdicts.operation import PARAMETERS, Answering
from slipring.verdicts.verdict import Verdict, digest, together
from slipring.verdicts.wire import said

RECORD = "clause-record"
SERVICES = ("order", "consent", "report", "critical")
_OURS = frozenset({CHECK, VERDICT})


@dataclass(frozen=True, slots=True)
class Recording:
    """A service's history of its verdicts. `lays_together`: it also keeps what all services come to (order does)."""

    answering: Answering
    lays_together: bool = False

    def operation(self) -> Operation:
        """The operation as the service declares it: parameters and answer are those of the check."""
        checking = self.answering.operation()
        recorded = Parameter("recorded", "integer", "out", 1, documentation="verdicts that were not kept before")
        return Operation(
            "Measure",
            RECORD,
            self.recorded,
            level="type",
            title="Check the clauses, and keep each verdict that stands otherwise than before",
            tells=checking.tells,
            parameters=(*PARAMETERS, recorded),
        )

    async def recorded(self, call: Call, desk: Desk) -> Changes:
        """What `$clause-check` answers; beside it, how many verdicts are new."""
        changes = await self.answering.told(call, desk)
        answer: Resource = changes.answer or {}
        head = {one["name"]: next(v for n, v in one.items() if n != "name") for one in answer["parameter"][:2]}
        told = [said(one) for one in answer["parameter"] if one["name"] == "clause"]
        rows = [
            Kept(
                self.answering.service, one["id"], head["periodStart"], head["periodEnd"],
                one["verdict"], one["population"], one["exceptions"], one["sha256"],
            )
            for one in told
        ]  # fmt: skip
        saves = await newer(rows, desk)
        if self.lays_together:
            changed = {one.key for save in saves if (one := kept_in(save.resource))}
            saves += await all_together([one for one in rows if one.key in changed], desk)
        answer = {**answer, "parameter": [*answer["parameter"], {"name": "recorded", "valueInteger": len(saves)}]}
        return Changes(save=saves, answer=answer)


async def verdict_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Another service kept a verdict: what all of them come to may have changed."""
    kept = None if arrival.deleted else kept_in(arrival.resource)
    return Changes(save=await all_together([kept], desk)) if kept else Changes.none()


async def all_together(parts: Sequence[Kept], desk: Desk) -> list[Save]:
    """The verdicts of rows by the newest parts of all services that answer for them; nothing where one stands as it did."""
    by_row = {
        part: [key(one, part.row, part.first, part.last) for one in SERVICES if one != part.service] for part in parts
    }
    newest = await _newest([one for keys in by_row.values() for one in keys], desk)
    return await newer(
        [_whole([part, *(newest[one][1] for one in keys if one in newest)]) for part, keys in by_row.items()],
        desk,
        by_verdict=True,
    )


async def newer(kept: Sequence[Kept], desk: Desk, *, by_verdict: bool = False) -> list[Save]:
    """The reports to keep, each chained to the one before; none where verdict (and inputs) are as they were."""
    newest = await _newest([one.key for one in kept], desk)
    changed = [one for one in kept if not _same(newest[one.key][1] if one.key in newest else None, one, by_verdict)]
    before = [newest[one.key][0] for one in changed if one.key in newest]
    hashes = {}
    if before:  # one of them may have been kept since this act began
        names = ",".join(str(one.resource["id"]) for one in before)
        stored = desk.evidence(f"MeasureReport?_id={names}", max(desk.now, *(one.updated_at for one in before)))
        hashes = {one.stored.reference: one.sha256 async for one in stored}
    saves = []
    for one in changed:
        last = newest[one.key][0].reference if one.key in newest else ""
        previous = f"{last} {hashes[last]}" if last else ""
        saves.append(Save(as_report(one, previous, id=desk.new_id(), now=desk.now)))
    return saves


async def _newest(keys: Sequence[str], desk: Desk) -> dict[str, tuple[Stored, Kept]]:
    """The newest verdict of each key, if any; relied on: of two who keep one at once, the second finds what the first kept."""
    answers = await desk.searches([f"MeasureReport?identifier={KEPT_AS}|{one}" for one in keys])
    found = {}
    for one, reports in zip(keys, answers, strict=True):
        told = [(stored, kept) for stored in reports if (kept := kept_in(stored.resource))]
        if told:
            found[one] = max(told, key=lambda pair: pair[1].at)
    return found


def _whole(parts: Sequence[Kept]) -> Kept:
    return replace(
        parts[0],
        service=TOGETHER,
        verdict=str(together(Verdict(one.verdict) for one in parts)),
        population=sum(one.population for one in parts),
        exceptions=sum(one.exceptions for one in parts),
        sha256=digest(one.sha256 for one in parts),
        at="",
    )


def _same(before: Kept | None, now: Kept, by_verdict: bool) -> bool:
    return before is not None and before.verdict == now.verdict and (by_verdict or before.sha256 == now.sha256)


async def report_written(write: Write, desk: Desk) -> Changes:
    """Verdicts are kept by `$clause-record` alone, and never altered."""
    touched = {tree.get("measure") for tree in (write.resource, write.before.resource if write.before else {})}
    if touched & _OURS:
        raise unprocessable(
            "Verdicts on clauses are kept by Measure/$clause-record alone, and never altered.",
            "条款结论只能由 Measure/$clause-record 产生，不得修改。",
            at="MeasureReport.measure",
            detail="kernel.clause-verdict-kept",
        )
    return Changes.none()


def guarding(keeps: Sequence[Keeps]) -> tuple[Keeps, ...]:
    """What a service keeps, with the verdicts among its MeasureReports guarded beside whatever else is."""
    return tuple(replace(one, on_write=_both(one.on_write)) if one.type == "MeasureReport" else one for one in keeps)


def _both(other: WriteHandler | None) -> WriteHandler:
    async def written(write: Write, desk: Desk) -> Changes:
        first = await report_written(write, desk)
        return first.plus(await other(write, desk)) if other else first

    return written


def measures(letter: str, *, of_all: bool = False) -> tuple[Resource, ...]:
    """The Measures that the kept verdicts are of."""
    shipped = [_measure(f"{letter}-clause-check-1", CHECK, "ClauseCheck", "条款核查", "Check of a clause")]
    if of_all:
        shipped.append(
            _measure(f"{letter}-clause-verdict-1", VERDICT, "ClauseVerdict", "条款结论", "Verdict on a clause")
        )
    return tuple(shipped)


def _measure(id: str, url: str, name: str, zh: str, en: str) -> Resource:
    english = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": en}]
    return {
        "resourceType": "Measure",
        "id": id,
        "url": url,
        "version": "1",
        "name": name,
        "title": zh,
        "_title": {"extension": [{"url": TRANSLATION, "extension": english}]},
        "status": "active",
        "date": "2026-11-27",
        "publisher": "slipring",
        "purpose": "CL02-A011:4.14",
    }
