"""The board for somebody who may run no check: the verdicts that were kept, and the samples that were drawn for him."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.clauses.register import Clause, register
from slipring.department import names
from slipring.department.road import Hand
from slipring.inspection.drawing import DocumentKept, SampleKept, documents_kept, samples_in
from slipring.verdicts.history import KEPT_AS, TOGETHER, VERDICT, Kept, kept_in, key
from slipring.verdicts.period import Period


@dataclass(frozen=True, slots=True)
class RowKept:
    """One row of the register, its last kept verdict, and when that was kept."""

    clause: Clause
    kept: Kept
    at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptBoard:
    """What was kept over a period, in the register's order; `lacking`: rows that have no kept verdict.

    `strays`: documents of samples whose draw is not kept.
    """

    rows: Sequence[RowKept]
    samples: Sequence[SampleKept]
    strays: Sequence[DocumentKept]
    lacking: int


async def kept_board(hand: Hand, period: Period) -> KeptBoard | None:
    """The board from what a person may read; None where his roles open neither kept verdicts nor samples."""
    days = period.first.isoformat(), period.last.isoformat()
    clauses = register().clauses
    keys = [f"{KEPT_AS}|{key(TOGETHER, one.id, *days)}" for one in clauses]
    reports = await hand.about("MeasureReport", "identifier", keys, ("measure", VERDICT))
    documents = await documents_kept(hand)
    if reports is None or documents is None:
        return None
    last = latest(reports)
    rows = [RowKept(one, last[one.id], names.moment(last[one.id].at)) for one in clauses if one.id in last]
    return KeptBoard(rows, *samples_in(documents), len(clauses) - len(rows))


def latest(reports: Iterable[Mapping[str, Any]]) -> dict[str, Kept]:
    """The last kept verdict of all services together, by row."""
    found = [kept for kept in map(kept_in, reports) if kept is not None and kept.service == TOGETHER]
    return {kept.row: kept for kept in sorted(found, key=lambda one: one.at)}
