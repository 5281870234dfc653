"""Definitions of indicators, read from dated data files: frozen by version, so that an old figure stays explainable. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from slipring.qc.indicators.dose import dose_indicators, dose_populations

SCORINGS = ("proportion", "ratio", "continuous")  # a ratio is of sums, so that no interval belongs to it
_OF_THE_STANDARD = "a011.toml"
_FILES = (_OF_THE_STANDARD, "national_2024.toml", "timing.toml", "events.toml")
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure is held against: at least or at most a value, from 0 to 1 for a share."""

    value: float
    at: str  # least | most
    source: str
    confidence: str  # A known standard, R recalled, U unconfirmed

    def met(self, score: float) -> bool:
        """Whether a figure is as it must be."""
        return score >= self.value if self.at == "least" else score <= self.value


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of one indicator.

    Conditions are lists of marks: all must stand, `a|b` is either, `!a` is without it. An exclusion takes out whoever
    has any of its marks. `within`: the most that the value of a member of the numerator may be.
    """

    id: str
    version: str
    valid_from: date
    clause: str
    name: Words
    service: str
    population: str
    denominator: tuple[str, ...]
    exclusions: tuple[str, ...]
    numerator: tuple[str, ...]
    within: float | None
    scoring: str
    better: str  # higher | lower | neither
    period: str  # month | quarter
    counts: Words  # who is in the numerator
    over: Words  # who is in the denominator
    source: str
    confidence: str
    target: Target | None = None
    unit: str = "1"  # of a continuous value, UCUM
    least: int = 0  # of fewer members nothing is said against the target

    @property
    def confirmed(self) -> bool:
        """Whether a standard says all of it; else the department is asked to confirm."""
        return self.confidence == "A" and (self.target is None or self.target.confidence == "A")

    def verdict(self, score: float | None, members: int) -> bool | None:
        """Whether a figure over so many members is as it must be; None where there is nothing to say."""
        if self.target is None or score is None or members < self.least:
            return None
        return self.target.met(score)

    def counted_over(self, marks: Collection[str]) -> bool:
        """Whether a member belongs to the denominator, exclusions not taken out yet."""
        return fits(marks, self.denominator)

    def left_out(self, marks: Collection[str]) -> bool:
        """Whether a member of the denominator is excluded."""
        return any(fits(marks, (one,)) for one in self.exclusions)

    def counts_in(self, marks: Collection[str], within: bool) -> bool:
        """Whether a member that is not excluded belongs to the numerator; `within`: its value is no more than it may be."""
        return fits(marks, self.numerator) and (self.within is None or within)


def fits(marks: Collection[str], wanted: Collection[str]) -> bool:
    """Whether marks meet all of these conditions.

    >>> fits({"acquired", "stat"}, ("acquired", "stat|urgent")), fits({"acquired"}, ("!acquired",)), fits(set(), ())
    (True, False, True)
    """
    return all(any(_stands(one, marks) for one in each.split("|")) for each in wanted)


def definitions(service: str = "") -> Mapping[str, Definition]:
    """The newest version of each indicator by id, of one service or of all."""
    newest: dict[str, Definition] = {}
    for one in every_version():
        if service in ("", one.service):
            newest[one.id] = one
    return newest


def every_version(service: str = "") -> tuple[Definition, ...]:
    """All versions, in the order of the files; of an indicator the older ones first."""
    return tuple(one for one in _read() if service in ("", one.service))


def named_by_the_standard(service: str) -> tuple[Definition, ...]:
    """Of a service, those that CNAS-CL02-A011 4.14.7 names: the definitions of `a011.toml`."""
    named = tomllib.loads((_HERE / _OF_THE_STANDARD).read_text(encoding="utf-8"))
    return tuple(one for one in definitions(service).values() if one.id in named)


def populations() -> Mapping[str, Mapping[str, Any]]:
    """What is counted, by name: its words in both languages, the unit of the value, and the marks it knows."""
    return dict(_populations())


@cache
def _populations() -> Mapping[str, Mapping[str, Any]]:
    return {**tomllib.loads((_HERE / "populations.toml").read_text(encoding="utf-8")), **dose_populations()}


@cache
def _read() -> tuple[Definition, ...]:
    files = [tomllib.loads((_HERE / name).read_text(encoding="utf-8")) for name in _FILES]
    return tuple(
        _definition(key, versions, one)
        for each in (*files, dose_indicators())
        for key, versions in each.items()
        for one in sorted(versions["versions"], key=lambda one: int(one["version"]))
    )


def _definition(key: str, entry: Mapping[str, Any], one: Mapping[str, Any]) -> Definition:
    target = one.get("target")
    return Definition(
        id=key,
        version=str(one["version"]),
        valid_from=one["from"],
        clause=entry["clause"],
        name=Words(entry["zh"], entry["en"]),
        service=entry["service"],
        population=one["population"],
        denominator=tuple(one.get("denominator", ())),
        exclusions=tuple(one.get("exclusions", ())),
        numerator=tuple(one.get("numerator", ())),
        within=float(one["within"]) if "within" in one else None,
        scoring=one["scoring"],
        better=entry["better"],
        period=entry["period"],
        counts=Words(**one["counts"]),
        over=Words(**one["over"]),
        source=one["source"],
        confidence=one["confidence"],
        target=Target(float(target["value"]), target["at"], target["source"], target["confidence"]) if target else None,
        unit=one.get("unit", "1"),
        least=int(one.get("least", 0)),
    )


def _stands(one: str, marks: Collection[str]) -> bool:
    return one[1:] not in marks if one.startswith("!") else one in marks
