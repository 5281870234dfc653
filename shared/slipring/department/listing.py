"""One page of the worklist: the green channel, then what is late, then what is urgent, then the rest; none is left out.

Each stream is read in pages of its own, the longest waiting first; a page ends where a stream goes on, and the mark of the
next page says where.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slipring.department.exams import INCLUDED, Exam, exams_in
from slipring.department.late import Late
from slipring.department.road import Hand

STREAMS: Mapping[str, Sequence[tuple[str, str]]] = {
    "stat": [("priority", "stat")],
    "urgent": [("priority", "asap,urgent")],
    "routine": [("priority:not", "stat,asap,urgent")],
}
Asked = Sequence[tuple[str, str]]
Lates = Mapping[str, list[Late]]
_NEWEST = "newest"
_PAGE = 50
_MOST_LATE = 100  # of those that are late and are drawn forward; the others keep their place


@dataclass(frozen=True, slots=True)
class Listing:
    """What one page shows, how many there are in all, and where the next page begins ('' on the last)."""

    exams: list[Exam] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)  # by stream
    following: str = ""
    first: bool = True

    @property
    def total(self) -> int:
        """How many exams there are."""
        return sum(self.counts.values())


async def listed(hand: Hand, asked: Asked, after: str, *, waits: bool, priority: str, late: Lates) -> Listing:
    """The page after a mark ('' for the first). `waits`: by urgency, else the newest first; `priority`: one only."""
    streams = _streams(priority, waits=waits)
    name, _, mark = after.partition(".")
    first = name not in streams
    asked = [*asked, ("code", "exam")]
    numbers = await asyncio.gather(*(hand.counted("Task", [*asked, *way]) for way in streams.values()))
    found, following = await _late(hand, asked, priority, late) if first and waits else [], ""
    for stream in list(streams)[0 if first else list(streams).index(name) :]:
        way = [*asked, *streams[stream], *INCLUDED, ("_sort", "authored-on" if waits else "-authored-on")]
        sheet = await hand.sheet("Task", [*way, ("_count", str(_PAGE))], mark if stream == name else "")
        found += await exams_in(hand, sheet.resources)
        if sheet.following:
            following = f"{stream}.{sheet.following}"
            break
    return Listing(
        _urgent_first(found, late) if waits else found, dict(zip(streams, numbers, strict=True)), following, first
    )


def _streams(priority: str, *, waits: bool) -> Mapping[str, Asked]:
    if priority:
        return {priority: [("priority", priority)]}
    return STREAMS if waits else {_NEWEST: []}


async def _late(hand: Hand, asked: Asked, priority: str, late: Lates) -> list[Exam]:
    """The exams that are late, of those that are asked for."""
    named = ",".join(reference.rpartition("/")[2] for reference in list(late)[:_MOST_LATE])
    if not named:
        return []
    way = [*asked, *([("priority", priority)] if priority else []), *INCLUDED, ("_id", named)]
    return await exams_in(hand, await hand.found("Task", [*way, ("_count", str(_MOST_LATE))]))


def _urgent_first(exams: list[Exam], late: Lates) -> list[Exam]:
    """Each exam once; the green channel, then who waits past his time, then the others as they came."""
    once = {exam.reference: exam for exam in reversed(exams)}  # as it stands where it was read first
    order = dict.fromkeys(exam.reference for exam in exams)
    return sorted((once[one] for one in order), key=lambda exam: (exam.priority != "stat", exam.reference not in late))
