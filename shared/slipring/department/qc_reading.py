"""The quality programme of a scanner as the pages read it from order's answers. Pure but for the asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.bookings import Scanner
from slipring.department.names import Pair
from slipring.department.place import HOME
from slipring.department.road import Hand, Tree
from slipring.department.wanted import day_of

ADDRESS = f"{HOME}/qc"
WORST_FIRST = ("failed", "overdue", "missing", "due", "met", "on-occasion")
_PENDING = ("failed", "overdue", "missing", "due")


@dataclass(frozen=True, slots=True)
class Limit:
    """What one edition asks for, and whether the last value passes by it."""

    edition: str
    chosen: bool
    kind: str
    id: str
    low: Decimal | None
    high: Decimal | None
    source: str
    confirmed: bool
    passes: bool | None


@dataclass(frozen=True, slots=True)
class Interval:
    """How often somebody asks for a test."""

    months: int
    source: str
    applied: bool
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Baseline:
    """What constancy is held against, and who approved it ('' when nobody did)."""

    value: Decimal
    since: datetime
    kind: str
    approver: str


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a scanner as it stands."""

    code: str
    words: Pair
    unit: str
    state: str
    value: Decimal | None = None
    at: datetime | None = None
    kind: str = ""
    last_pass: datetime | None = None
    due_on: date | None = None
    intervals: Sequence[Interval] = ()
    baseline: Baseline | None = None
    limits: Sequence[Limit] = ()

    @property
    def shape(self) -> str:
        """How its mark looks."""
        return {"failed": "bad", "overdue": "bad", "missing": "warn", "due": "warn", "met": "good"}.get(self.state, "")


@dataclass(frozen=True, slots=True)
class Round:
    """A round of tests as its Task states it."""

    task: Tree

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.task["id"])

    @property
    def address(self) -> str:
        """Its page."""
        return f"{ADDRESS}/rounds/{self.id}"

    @property
    def scanner(self) -> str:
        """`Device/id`."""
        return names.reference_in(self.task.get("focus"))

    @property
    def state(self) -> str:
        """measured, entered, approved, to-repeat, repeated, rejected."""
        return names.code_in(self.task.get("businessStatus"), "qc-round-state")

    @property
    def words(self) -> Pair:
        """Its state in words."""
        return names.concept_words(self.task.get("businessStatus"))

    @property
    def shape(self) -> str:
        """How its mark looks."""
        return {"approved": "good", "to-repeat": "bad", "entered": "warn", "measured": "warn"}.get(self.state, "")

    @property
    def at(self) -> datetime | None:
        """When it was measured."""
        return names.moment(self.task.get("executionPeriod", {}).get("end"))

    @property
    def owner(self) -> str:
        """Who entered it; '' as long as only images gave its values."""
        return names.reference_in(self.task.get("owner"))

    @property
    def notes(self) -> list[Tree]:
        """What was said about it, in order."""
        return list(self.task.get("note", []))

    def input(self, name: str) -> Any:
        """The value of an input, or None."""
        for one in self.task.get("input", []):
            if names.has_code(one.get("type"), "task-input", name):
                return next((value for member, value in one.items() if member.startswith("value")), None)
        return None

    def outputs(self, name: str) -> list[str]:
        """References of the outputs of a name."""
        every = (one for one in self.task.get("output", []) if names.has_code(one.get("type"), "task-output", name))
        return [names.reference_in(one.get("valueReference")) for one in every]

    @property
    def kind(self) -> str:
        """The kind of test."""
        return names.code_in(self.input("test-kind"), "scanner-test-kind")


@dataclass(frozen=True, slots=True)
class Programme:
    """How a scanner stands; `rounds`: those that wait for somebody."""

    scanner: Scanner
    edition: str
    tests: Sequence[Test]
    rounds: Sequence[Round] = field(default_factory=list)

    @property
    def pending(self) -> list[Test]:
        """What asks for something, the worst first."""
        found = [one for one in self.tests if one.state in _PENDING]
        return sorted(found, key=lambda one: (WORST_FIRST.index(one.state), one.due_on or date.min, one.code))

    @property
    def met(self) -> int:
        """How many tests are in time and within limits."""
        return sum(one.state == "met" for one in self.tests)


async def programme_of(hand: Hand, scanner: Scanner) -> Programme | None:
    """`Device/[id]/$qc-programme`; None when the person's roles do not open the tests of scanners."""
    said = await hand.called_if_allowed(f"{scanner.reference}/$qc-programme")
    if said is None:
        return None
    return Programme(scanner, str(values_of(said).get("edition", "")), [_test(one) for one in groups_of(said, "test")])


async def rounds_of(hand: Hand, scanner: str = "", *, waiting: bool = False, most: int = 200) -> list[Round]:
    """Rounds, the newest first: of one scanner or of all, or only those that wait for somebody."""
    asked = [("code", "qc-round"), ("_sort", "-authored-on"), ("_count", str(most))]
    asked += [("focus", scanner)] if scanner else []
    asked += [("status", "requested,in-progress,on-hold")] if waiting else []
    return [Round(one) for one in (await hand.sheet("Task", asked)).resources]


def _test(parts: Sequence[Tree]) -> Test:
    told = values_of(parts)
    baseline = next((values_of(one) for one in groups_of(parts, "baseline")), None)
    return Test(
        str(told["test"]),
        (str(told["zh"]), str(told["en"])),
        str(told["unit"]),
        str(told["state"]),
        told.get("value"),
        names.moment(told.get("at")),
        str(told.get("kind", "")),
        names.moment(told.get("lastPass")),
        day_of(str(told.get("due", ""))),
        [_interval(values_of(one)) for one in groups_of(parts, "interval")],
        _baseline(baseline) if baseline else None,
        [_limit(values_of(one)) for one in groups_of(parts, "limit")],
    )


def _interval(told: Mapping[str, Any]) -> Interval:
    return Interval(int(told["months"]), str(told["source"]), bool(told["applied"]), bool(told["confirmed"]))


def _baseline(told: Mapping[str, Any]) -> Baseline:
    return Baseline(
        told["value"],
        datetime.fromisoformat(str(told["since"])),
        str(told["kind"]),
        names.reference_in(told.get("approver")),
    )


def _limit(told: Mapping[str, Any]) -> Limit:
    return Limit(
        str(told["edition"]),
        bool(told["chosen"]),
        str(told["kind"]),
        str(told["id"]),
        told.get("low"),
        told.get("high"),
        str(told["source"]),
        bool(told["confirmed"]),
        told.get("passes"),
    )
