"""Every fault put in, turn by turn, and what became of it: found, refused, missed."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import (
    wrong_doses,
    wrong_exams,
    wrong_house,
    wrong_lived,
    wrong_people,
    wrong_refused,
    wrong_reports,
    wrong_rest,
    wrong_scanners,
)
from .faults import Fault, faults
from .living import Quarter
from .loading import Found, exceptions
from .wrong import WRONGS, Left

MODULES = (
    wrong_doses,
    wrong_refused,
    wrong_reports,
    wrong_lived,
    wrong_house,
    wrong_scanners,
    wrong_people,
    wrong_exams,
    wrong_rest,
)
_SPANS = {"quarter": ("2026-07-01", "2026-09-30"), "after": ("2026-10-01", "2026-12-31")}
_LOOKED_AT = {0: "after", 1: "quarter", 2: "quarter", 3: "after"}
_WEEKS_LATER, _NEXT_YEAR = 125, 188  # days from the first of the quarter


@dataclass
class Judged:
    """What was found of all that was put in."""

    outcomes: dict[str, str] = field(default_factory=dict)  # fault -> found, refused, missed, untried
    codes: dict[str, list[str]] = field(default_factory=dict)  # fault -> by which codes it was refused
    flagged: list[str] = field(default_factory=list)  # clean records of the quarter that are named


async def carried_out(quarter: Quarter) -> Judged:
    """Put the faults in: first those that live on under the clocks, then the quarter's, last what the next quarter lacks."""
    judged, touched = Judged({one.id: "untried" for one in faults()}), {""}
    by_id = {one.id: one for one in faults()}
    for turn, span in _LOOKED_AT.items():
        if turn == 3:
            await quarter.until(_NEXT_YEAR)
        left = {id: await wrong(quarter) for id, (when, wrong) in WRONGS.items() if when == turn}
        if turn == 0:
            await quarter.until(_WEEKS_LATER)
        await quarter.department.settle()
        first, last = _SPANS[span]
        found = await exceptions(quarter.department, periodStart=first, periodEnd=last)
        for id, one in left.items():
            judged.outcomes[id] = _outcome(by_id[id], one, found)
            judged.codes[id] = sorted(one.refused)
            touched |= {one.place, *one.touched}
        if span == "quarter":
            named = [(clause, name, said) for clause, rows in found.items() for name, said in rows.items()]
            judged.flagged += [f"{clause} {name} {said}" for clause, name, said in named if name not in touched]
    return judged


def _outcome(fault: Fault, left: Left, found: Found) -> str:
    if left.refused:
        return "refused"
    rows = found.get(fault.clause, {})
    said = [one for each in rows.values() for one in each] if left.place == "*" else rows.get(left.place, [])
    return "found" if any(left.says in one for one in said) else "missed"
