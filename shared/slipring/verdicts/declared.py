"""The checks that a service declares for its clauses, read from its `clause_checks.toml` (pure).

A check is data where records of a kind prove it: searches for what is counted (`of`) and for what breaks it (`breaks`),
and elements that each counted record must bear (`needs`). Where more is needed `judge` names a function of the service.
What was done (`after`) asks for it: where nothing is counted in a period that is over, the check is broken.
What `breaks` finds it finds by the figure that the check relies on, if it relies on one.
In searches `{C}` is our canonical base, `date={period}` the period, `{at}` the moment of the verdict.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from slipring.clauses.register import Words, register
from slipring.fhir.service import CANONICAL

_PERIOD = re.compile(r"([A-Za-z_-]+)=\{period\}")


class UnreadableChecks(ValueError):
    """The file says what it cannot mean; the message names the check."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one row of the register."""

    clause: str  # the row's id
    code: str  # within the service
    says: Words  # what must hold
    of: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # dotted paths; `|` between alternatives, `member[code]` for an entry typed so
    judge: str = ""
    relies: tuple[str, ...] = ()  # patterns of the ids of figures that somebody of the department must have confirmed
    wanted: bool = False  # nothing on record breaks it
    after: tuple[
        str, ...
    ] = ()  # searches: once the period is over in which one finds work, nothing on record breaks it
    types: frozenset[str] = field(default=frozenset())  # what it looks at


def read_checks(path: Path) -> tuple[Check, ...]:
    """The checks of a file; UnreadableChecks names the one that is wrong."""
    return checks_of(tomllib.loads(path.read_text("utf-8")))


def checks_of(tree: Mapping[str, Any]) -> tuple[Check, ...]:
    """The checks of a tree."""
    found = tuple(_check(entry) for entry in tree["check"])
    codes = [one.code for one in found]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise UnreadableChecks(f"declared twice: {', '.join(twice)}")
    return found


def filled(query: str, start: datetime, end: datetime, at: datetime) -> str:
    """A declared search with its moments put in; `end` is the first moment after the period."""
    begin, over = _written(start), _written(end)
    return _PERIOD.sub(rf"\1=ge{begin}&\1=lt{over}", query.replace("{C}", CANONICAL)).replace("{at}", _written(at))


def _written(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return quote(text, safe="")


def _check(entry: Mapping[str, Any]) -> Check:
    known = {clause.id for clause in register().clauses}
    try:
        told = {**entry, "says": Words(entry["zh"], entry["en"])}
        lists = {name: tuple(told[name]) for name in ("of", "breaks", "needs", "relies", "after") if name in told}
        types = frozenset(
            query.partition("?")[0] for name in ("of", "breaks", "after") for query in lists.get(name, ())
        )
        types |= frozenset(told.pop("looks", ()))
        made = Check(**{k: v for k, v in told.items() if k not in ("zh", "en")} | lists | {"types": types})
    except (KeyError, TypeError) as problem:
        raise UnreadableChecks(f"check {entry.get('code', entry)}: {problem}") from problem
    if made.clause not in known or not (made.of or made.judge or made.breaks):
        raise UnreadableChecks(f"check {made.code}: no row {made.clause} in the register, or nothing is looked at")
    if made.breaks and len(made.relies) > 1:
        raise UnreadableChecks(f"check {made.code}: by which of its figures `breaks` finds is not said")
    return made
