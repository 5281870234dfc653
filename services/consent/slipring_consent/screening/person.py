"""Age and sex as a Patient states them; what is missing or partial is not guessed. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

_WHOLE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Person:
    """The birth date, when it is whole, and the sex, when it is one that formulae know."""

    born: date | None = None
    sex: str = ""  # male | female | ""

    def age_at(self, moment: datetime, time_zone: str) -> int | None:
        """Whole years at a moment, by the calendar of the department; None without a whole birth date or before birth."""
        if self.born is None:
            return None
        day = moment.astimezone(ZoneInfo(time_zone)).date()
        years = day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))
        return years if years >= 0 else None


def person_of(records: Sequence[Resource]) -> Person:
    """What the records of one person state; where two of them differ, nothing is stated."""
    born = {str(one["birthDate"]) for one in records if one.get("birthDate")}
    sexes = {str(one["gender"]) for one in records if one.get("gender")}
    sex = sexes.pop() if len(sexes) == 1 else ""
    return Person(_day(born.pop()) if len(born) == 1 else None, sex if sex in ("male", "female") else "")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _WHOLE.fullmatch(text) else None
    except ValueError:
        return None
