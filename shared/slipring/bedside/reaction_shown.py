"""A reaction as its page shows it: what is said of it so far, and the buttons that say more. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.bedside.which import in_words
from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

_OURS = f"{CANONICAL}/StructureDefinition/"
_ANSWERED = frozenset({"acknowledged", "read-back-confirmed", "acted", "closed"})


@cache
def choices(name: str) -> Mapping[str, Pair]:
    """The buttons of one kind, by code, in the order of the page."""
    data = tomllib.loads(Path(__file__).with_name("reactions.toml").read_text(encoding="utf-8"))[name]
    return {code: (str(words["zh"]), str(words["en"])) for code, words in data.items()}


@dataclass(frozen=True, slots=True)
class Done:
    """One measure: what, how much, when and by whom (a reference)."""

    what: Pair
    dose: str
    at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One reaction; `handovers`: its Tasks to critical; `cases`: what critical opened of them."""

    event: Tree
    handovers: Sequence[Tree] = ()
    vitals: Sequence[Tree] = ()
    cases: Sequence[Tree] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.event["id"])

    @property
    def began_at(self) -> datetime | None:
        """When it began."""
        return names.moment(self.event.get("date"))

    @property
    def which(self) -> Pair | None:
        """After which injection that is kept here it came, in words; None where nobody wrote it down."""
        named = (one.get("instance", {}) for one in self.event.get("suspectEntity", []))
        return in_words(one.get("display") for one in named if names.reference_in(one))

    @property
    def kind(self) -> str:
        """The code of its kind; empty when nobody has said it."""
        return names.code_in(self.event.get("event"), "reaction-type")

    @property
    def grade(self) -> str:
        """mild, moderate or severe; empty when nobody has said it."""
        return next((code for code in names.codes(self.event.get("severity")) if code in choices("grade")), "")

    @property
    def phase(self) -> str:
        """Where it stands."""
        return str(next(iter(self._values("reaction-phase")), "noticed"))

    @property
    def open(self) -> bool:
        """Whether more may be said without a reason."""
        return self.phase not in ("closed", "entered-in-error")

    @property
    def signs(self) -> set[str]:
        """The codes of what is seen."""
        return {code for one in self._values("manifestation") for code in names.codes(one)}

    @property
    def symptoms(self) -> set[str]:
        """The codes of what an extravasation does."""
        parts = [part for one in self._extensions("extravasation") for part in one.get("extension", [])]
        return {code for part in parts for code in names.codes(part.get("valueCodeableConcept"))}

    @property
    def exam(self) -> str:
        """The id of the request during whose exam it happened; empty when that is not known."""
        named = [names.reference_in(one) for one in self._values("for-exam")]
        return next((one.rpartition("/")[2] for one in named if one.startswith("ServiceRequest/")), "")

    @property
    def elsewhere(self) -> str:
        """What was told of an injection that was given elsewhere; empty when none was."""
        named = (one.get("instance", {}) for one in self.event.get("suspectEntity", []))
        return next((str(one.get("display", "")) for one in named if not names.reference_in(one)), "")

    @property
    def observations(self) -> list[str]:
        """The ids of the vital signs."""
        return [names.reference_in(one).rpartition("/")[2] for one in self._values("vital-signs")]

    @property
    def done(self) -> list[Done]:
        """The measures, the newest first."""
        return [_done(one) for one in reversed(self._extensions("measures"))]

    @property
    def handover(self) -> str:
        """untold, waiting, overdue, taken-over, unreachable (nobody could be rung), answered or taken-back; of the newest."""
        for task in sorted(self.handovers, key=lambda one: str(one.get("authoredOn", "")), reverse=True):
            state = names.code_in(task.get("businessStatus"), "handover-state")
            if task.get("status") == "cancelled":
                return "taken-back"
            if state == "taken-over":
                return self._rung()
            return "overdue" if state == "overdue" else "waiting"
        return "untold"

    def _rung(self) -> str:
        newest = max(self.cases, key=lambda one: str(one.get("authoredOn", "")), default=Tree())
        states = {names.code_in(newest.get("businessStatus"), "case-state")}
        if states & _ANSWERED:
            return "answered"
        return "unreachable" if "unreachable" in states else "taken-over"

    def measured(self) -> list[tuple[datetime | None, str]]:
        """The vital signs, the newest first: when, and every value with its unit."""
        rows = []
        for one in self.vitals:
            parts = [_value(component) for component in one.get("component", [])]
            rows.append((names.moment(one.get("effectiveDateTime")), " · ".join(parts)))
        return sorted(rows, key=lambda row: str(row[0]), reverse=True)

    def _extensions(self, name: str) -> list[Tree]:
        return [one for one in self.event.get("extension", []) if one.get("url") == _OURS + name]

    def _values(self, name: str) -> list[Any]:
        every = self._extensions(name)
        return [value for one in every for member, value in one.items() if member.startswith("value")]


def _done(extension: Tree) -> Done:
    if "valueString" in extension:
        return Done((str(extension["valueString"]),) * 2, "", None, "")
    parts = {part["url"]: part for part in extension.get("extension", [])}
    what = parts.get("what", {}).get("valueCodeableConcept")
    code = names.code_in(what, "reaction-measure")
    note = str(parts.get("note", {}).get("valueString", ""))
    words = choices("measure").get(code) or names.concept_words(what)
    if note:
        words = (f"{words[0]} {note}".strip(), f"{words[1]} {note}".strip())
    dose = parts.get("dose", {}).get("valueQuantity", {})
    said = f"{dose['value']} {dose.get('unit', '')}".strip() if "value" in dose else ""
    at = names.moment(parts.get("at", {}).get("valueDateTime"))
    return Done(words, said, at, names.reference_in(parts.get("by", {}).get("valueReference")))


def _value(component: Tree) -> str:
    quantity = component.get("valueQuantity", {})
    name = str(component.get("code", {}).get("text", "")).partition(" / ")[0]
    return f"{name} {quantity.get('value', '')} {quantity.get('unit', '')}".strip()
