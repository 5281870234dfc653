"""The board for somebody who may run no check: the verdicts that were kept, and the samples that were drawn for him."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.clauses.register import Clause, register
from slipring.department import names
from slipring.department.road import Hand
from slipring.fhir.service import CANONICAL
from slipring.verdicts.history import KEPT_AS, TOGETHER, VERDICT, Kept, kept_in, key
from slipring.verdicts.period import Period

_SAMPLE = f"{CANONICAL}/CodeSystem/sample-document"


@dataclass(frozen=True, slots=True)
class RowKept:
    """One row of the register, its last kept verdict, and when that was kept."""

    clause: Clause
    kept: Kept
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SampleKept:
    """One document of a sample: `code` is `draw` or `case`, `says` what it was described as."""

    id: str
    code: str
    says: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptBoard:
    """What was kept over a period, in the register's order; `lacking`: rows that have no kept verdict."""

    rows: Sequence[RowKept]
    samples: Sequence[SampleKept]
    lacking: int


async def kept_board(hand: Hand, period: Period) -> KeptBoard | None:
    """The board from what a person may read; None where his roles open neither kept verdicts nor samples."""
    days = period.first.isoformat(), period.last.isoformat()
    clauses = register().clauses
    keys = [f"{KEPT_AS}|{key(TOGETHER, one.id, *days)}" for one in clauses]
    reports = await hand.about("MeasureReport", "identifier", keys, ("measure", VERDICT))
    documents = await hand.if_allowed("DocumentReference", [("type", f"{_SAMPLE}|"), ("status", "current")])
    if reports is None or documents is None:
        return None
    last = latest(reports)
    rows = [RowKept(one, last[one.id], names.moment(last[one.id].at)) for one in clauses if one.id in last]
    return KeptBoard(rows, sorted(map(_sample, documents), key=lambda one: one.says), len(clauses) - len(rows))


def latest(reports: Iterable[Mapping[str, Any]]) -> dict[str, Kept]:
    """The last kept verdict of all services together, by row."""
    found = [kept for kept in map(kept_in, reports) if kept is not None and kept.service == TOGETHER]
    return {kept.row: kept for kept in sorted(found, key=lambda one: one.at)}


def _sample(document: Mapping[str, Any]) -> SampleKept:
    code = next((str(one.get("code", "")) for one in document["type"]["coding"] if one.get("system") == _SAMPLE), "")
    at = names.moment(str(document.get("meta", {}).get("lastUpdated", "")))
    return SampleKept(str(document["id"]), code, str(document.get("description", "")), at)
