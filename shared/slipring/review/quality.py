"""How good the reading is: concordance, blind re-reading, scores, what was changed, discordance; each figure with its cases.

No report is opened to draw the page: whoever reads a case again must not have been shown it (5.6.2.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.names import Pair
from slipring.department.place import Place
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.department.worklist import coded
from slipring.identity.people.sessions import Session
from slipring.review.measured import Measured, kappa_over_time, measured, over_time, rows_of
from slipring.review.quarters import Quarter, quarter_named
from slipring.review.workplace import carried, chosen, review_page

QUALITY = "/reading/quality"
WAYS = ("concordance", "re-reading", "writing", "differences", "discordance")
_OPERATIONS = {
    "concordance": "concordance",
    "re-reading": "rereading-agreement",
    "writing": "writing-pass-rate",
    "differences": "draft-differences",
}
_SHOWN = 4  # quarters
_CODES = {
    "concordance": ("body-system", "concordance-grade", "discordance-cause", "discordance-measure"),
    "re-reading": ("discrepancy-grade",),
    "discordance": ("discordance-kind", "discordance-state", "discordance-outcome"),
}
_COUNTED = {"re-reading": ("agreed", "cases")}


@dataclass(frozen=True, slots=True)
class QualityPage:
    """One way of looking at the quality of reading, over four quarters, with the cases of the last of them."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/quality`."""
        return self.place.routes([(QUALITY, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """`?of=` one of the ways, `&quarter=` the last of those that are shown."""
        of = chosen(request.query_params, "of", WAYS)
        today = self.place.now().astimezone(self.place.zone).date()
        quarter = quarter_named(request.query_params.get("quarter", ""), today)
        hand = await self.place.hand(session)
        words, values = await asyncio.gather(_words(hand, _CODES.get(of, ())), _values(hand, of, quarter))
        later = quarter.before(-1)
        return review_page(
            self.place, request, session, "quality.html", of=of, ways=WAYS, address=QUALITY, quarter=quarter,
            earlier=quarter.before(1), later=later if later.first <= today else None, words=words, **values,
        )  # fmt: skip


async def _values(hand: Hand, of: str, quarter: Quarter) -> dict[str, Any]:
    shown = [quarter.before(back) for back in reversed(range(_SHOWN))]
    if of == "discordance":
        return {"shown": shown, "told": True, "cases": await _discordances(hand, quarter)}
    operation = f"DiagnosticReport/${_OPERATIONS[of]}"
    answers = await asyncio.gather(*(hand.called_if_allowed(operation, [one.period]) for one in shown))
    told: list[Sequence[Tree]] = [one for one in answers if one is not None]
    if len(told) < len(shown):
        return {"shown": shown, "told": False}
    every = [measured(one, answer, *_COUNTED.get(of, ())) for one, answer in zip(shown, told, strict=True)]
    values: dict[str, Any] = {"shown": shown, "told": True, "every": every, "latest": every[-1]}
    to = f"{QUALITY}?of={of}&quarter={{quarter}}#cases"
    if of == "concordance":
        return values | _concordance([rows_of(one, answer) for one, answer in zip(shown, told, strict=True)])
    if of == "re-reading":
        values["kappa"] = kappa_over_time(every, "linear")
    if of == "differences":
        values |= await _differences(hand, told[-1])
    return values | {"picture": over_time(every, to)}


def _concordance(rows: Sequence[dict[tuple[str, str], Measured]]) -> dict[str, Any]:
    """By what it was held against: each body system with its four quarters and its picture."""
    found: dict[str, list[tuple[str, list[Measured], Any]]] = {}
    for against, system in rows[-1]:
        every = [each[against, system] for each in rows]
        to = f"{QUALITY}?of=concordance&quarter={{quarter}}#{against}-{system}"
        found.setdefault(against, []).append((system, every, over_time(every, to)))
    return {"tables": {name: found[name] for name in ("pathology", "clinical") if name in found}}


async def _differences(hand: Hand, answer: Sequence[Tree]) -> dict[str, Any]:
    authors, changed = [], []
    for part in groups_of(answer, "byAuthor"):
        sections = [values_of(section) for section in groups_of(part, "section")]
        authors.append((values_of(part), [{**one, "words": one["kept"] + one["removed"]} for one in sections]))
    for part in groups_of(answer, "report"):
        one = values_of(part)
        if one["changed"]:
            changed.append({**one, "id": names.reference_in(one["report"]).rpartition("/")[2]})
    people = await people_named(hand, [names.reference_in(one["author"]) for one, _ in authors])
    return {"authors": authors, "changed": changed, "people": people}


async def _discordances(hand: Hand, quarter: Quarter) -> list[dict[str, Any]] | None:
    """The cases that were opened in a quarter, those still open first."""
    asked = [
        ("code", "discordance"),
        ("authored-on", f"ge{quarter.first}"),
        ("authored-on", f"lt{quarter.before(-1).first}"),
        ("_sort", "authored-on"),
    ]
    tasks = await hand.if_allowed("Task", asked)
    if tasks is None:
        return None
    found = [
        {
            "report": names.reference_in(one.get("focus")).rpartition("/")[2],
            "opened": names.moment(one.get("authoredOn")),
            "due": names.moment(one.get("restriction", {}).get("period", {}).get("end")),
            "state": names.code_in(one.get("businessStatus"), "discordance-state"),
            "late": names.code_in(one.get("businessStatus"), "reporting-clock") == "breached",
            "kind": next(iter(carried(one, "discordance-kind", "input")), ""),
            "outcome": next(iter(carried(one, "discordance-outcome")), ""),
            "words": str(one.get("description", "")),
        }
        for one in tasks
    ]
    return sorted(found, key=lambda one: (one["state"] == "concluded", not one["late"]))


async def _words(hand: Hand, systems: Sequence[str]) -> dict[str, Pair]:
    """The names of codes; codes of different systems do not meet on one page."""
    told = await asyncio.gather(*(coded(hand, system) for system in systems))
    return {code: words for found in told for code, words in found}
