"""What the doctor says about one thing: how bad it is, in both languages, and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any


class Level(StrEnum):
    """From well to bad; `unseen` is what could not be looked at."""

    OK = "ok"
    UNSEEN = "unseen"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding, with the code that `doctor.toml` explains."""

    code: str
    level: Level
    about: str = ""  # which file, schema, service or number
    seen: str = ""  # what was found there: a number with its unit, never anything about a patient

    @property
    def words(self) -> Mapping[str, str]:
        """`zh`, `en` and the two fixes."""
        found: Mapping[str, str] = data()["say"][self.code]
        return found


@cache
def data() -> dict[str, Any]:
    """The thresholds and the texts."""
    with Path(__file__).with_name("doctor.toml").open("rb") as file:
        return tomllib.load(file)


def threshold(name: str) -> float:
    """A number of `doctor.toml`."""
    return float(data()["thresholds"][name])


def exit_code(remarks: Iterable[Remark]) -> int:
    """0 when all is well, 1 when something needs a look or could not be looked at, 2 when something is bad."""
    levels = {remark.level for remark in remarks}
    return 2 if Level.BAD in levels else int(bool(levels & {Level.WARN, Level.UNSEEN}))


def graded(code: str, value: float, about: str, seen: str, *, low: bool = False) -> Remark:
    """Grade a value by the thresholds `CODE-warn` and `CODE-bad`; `low`: small values are the bad ones."""
    warn, bad = threshold(f"{code}-warn"), threshold(f"{code}-bad")
    if low:
        value, warn, bad = -value, -warn, -bad
    level = Level.BAD if value >= bad else Level.WARN if value >= warn else Level.OK
    return Remark(code, level, about, seen)
