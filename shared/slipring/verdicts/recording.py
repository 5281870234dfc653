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
    Evidence,
    Keeps,
    Operation,
    Parameter,
    Resource,
    Save,
    Write,
    WriteHandler,
)
from slipring.verdicts.history import CHECK, KEPT_AS, TOGETHER, VERDICT, Kept, as_report, kept_in, key
from slipring.verdicts.operation import PARAMETERS, Answering
from slipring.verdicts.verdict import Verdict, digest, together
from slipring.verdicts.wire import said

RECORD = "clause-record"
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
        saves: list[Save] = []
        for one in answer["parameter"]:
            if one["name"] != "clause":
                continue
            told = said(one)
            mine = Kept(
                self.answering.service, told["id"], head["periodStart"], head["periodEnd"],
                told["verdict"], told["population"], told["exceptions"], told["sha256"],
            )  # fmt: skip
            new = await newer(mine, desk)
            saves += new
            if new and self.lays_together:
                saves += await all_together(mine, desk)
        answer = {**answer, "parameter": [*answer["parameter"], {"name": "recorded", "valueInteger": len(saves)}]}
        return Changes(save=saves, answer=answer)


async def verdict_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Another service kept a verdict: what all of them come to may have changed."""
    kept = None if arrival.deleted else kept_in(arrival.resource)
    return Changes(save=await all_together(kept, desk)) if kept else Changes.none()


async def all_together(part: Kept, desk: Desk) -> list[Save]:
    """The verdict of a row by the newest parts of all services that answer for it; nothing where it stands as it did."""
    parts = {part.service: part}
    for service in ("order", "consent", "report", "critical"):
        if service == part.service:
            continue
        named = f"MeasureReport?identifier={KEPT_AS}|{key(service, part.row, part.first, part.last)}"
        told = [one for stored in await desk.search(named) if (one := kept_in(stored.resource))]
        if told:
            parts[service] = max(told, key=lambda one: one.at)
    whole = Kept(
        TOGETHER, part.row, part.first, part.last,
        str(together(Verdict(one.verdict) for one in parts.values())),
        sum(one.population for one in parts.values()),
        sum(one.exceptions for one in parts.values()),
        digest(one.sha256 for one in parts.values()),
    )  # fmt: skip
    return await newer(whole, desk, by_verdict=True)


async def newer(kept: Kept, desk: Desk, *, by_verdict: bool = False) -> list[Save]:
    """The report to keep, chained to the one before; nothing where verdict (and inputs) are as they were."""
    found = [one async for one in desk.evidence(f"MeasureReport?identifier={KEPT_AS}|{kept.key}", desk.now)]
    before = max(((one, told) for one in found if (told := kept_in(one.stored.resource))), key=_at, default=None)
    if before is not None:
        same = before[1].verdict == kept.verdict and (by_verdict or before[1].sha256 == kept.sha256)
        if same:
            return []
    previous = f"{before[0].stored.reference} {before[0].sha256}" if before else ""
    return [Save(as_report(kept, previous, id=desk.new_id(), now=desk.now))]


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


def _at(one: tuple[Evidence, Kept]) -> str:
    return one[1].at


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
