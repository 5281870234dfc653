"""A request and what surrounds it, as plain facts that rules can read; no FHIR spelling beyond this room."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

_BIRTH_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class EarlierExam:
    """A CT examination that was done before, whatever carries it; one examination in several carriers is one."""

    reference: str
    done_at: datetime
    regions: frozenset[str]
    sides: frozenset[str] = frozenset()  # left, right; empty when nothing is said
    elsewhere: bool = False  # another institution is named
    institution: frozenset[str] = frozenset()  # its names, references and identifiers
    result: str = ""  # the report on it, where one is known

    def same_place(self, regions: frozenset[str], sides: frozenset[str]) -> bool:
        """Whether it shows what this request asks for: a common region, and not only the other side of it."""
        return bool(self.regions & regions) and (not self.sides or not sides or bool(self.sides & sides))


@dataclass(frozen=True, slots=True)
class DoseReceived:
    """The effective dose of one earlier examination, in mSv."""

    at: datetime
    effective_msv: float


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """Everything the rules of justification look at."""

    # the request
    stat: bool = False
    question: tuple[str, ...] = ()  # reasons in words
    coded_reason: bool = False  # a coded indication, or a reference to a diagnosis
    purpose: str = ""  # diagnosis, follow-up, screening, health-check, legal
    indications: frozenset[str] = frozenset()  # groups of the indication table that reasons and diagnoses belong to
    exam_named: bool = False
    exam_unlisted: bool = False  # it is coded, and the code is none of the catalogue
    exam_withdrawn: bool = False  # the department has stopped offering it
    exam_coded: bool = True  # False: only the hospital's own code is given, and no map translates it
    exam_code: str = ""  # the catalogue's code of the exam
    exam_loinc: str = ""
    mapped_from: str = ""  # system|code that a map translated
    mapped_by: str = ""  # the version of the map that did
    regions: frozenset[str] = frozenset()
    sides: frozenset[str] = frozenset()  # left, right; empty when nothing is said
    whole_body: bool = False
    site_named: bool = False
    contrast: bool | None = None
    contrast_screened: bool = False  # a completed screening for this request is known
    contrast_reaction: str = "none"  # the worst known: none, unknown, mild, moderate, severe
    multiphase: bool = False  # more than one phase is requested
    statements: Mapping[str, str] = field(default_factory=dict)  # clinical data item -> what was said
    answers: Mapping[str, str] = field(default_factory=dict)  # rule number (J08) -> the requester's answer
    inpatient: bool = False

    # the patient
    patient_known: bool = False
    patient_identified: bool = False
    patient_reachable: bool = False
    deceased: bool = False  # the record says so, with or without the day
    sex: str = ""  # male, female, other, unknown; empty when nothing is said
    birth_date: str = ""  # as recorded, possibly partial
    age_years: int | None = None  # None unless the whole birth date is known
    age_span: tuple[int, int] | None = None  # the least and the greatest age that the birth date allows
    pregnancy: str = ""  # pregnant, not-pregnant, unknown; empty when not recorded for this request
    uterus_removed: bool = False  # a record says so
    gestation_days: int | None = None  # since the last menstrual period; conception is 14 days later

    # the requester
    requester_named: bool = False
    requester_reachable: bool = False
    requester_lacks: tuple[str, ...] = ()  # codes of what is missing to order a CT
    requester_roles: frozenset[str] = frozenset()
    self_referred: bool = False  # the patient or a relative asks

    earlier: tuple[EarlierExam, ...] = ()
    doses: tuple[DoseReceived, ...] = ()

    def surely_from(self, age: int) -> bool:
        """Whether the patient has this age, whatever a birth date that is not whole leaves open."""
        ages = self._ages
        return ages is not None and ages[0] >= age

    def surely_below(self, age: int) -> bool:
        """Whether the patient is younger than this, whatever a birth date that is not whole leaves open."""
        ages = self._ages
        return ages is not None and ages[1] < age

    @property
    def _ages(self) -> tuple[int, int] | None:
        return self.age_span if self.age_years is None else (self.age_years, self.age_years)


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """A decision as it is about to be recorded."""

    outcome: str = ""
    decider: str = ""
    title: str = ""
    at: str = ""
    reason: str = ""


def age_on(birth_date: str, day: date) -> int | None:
    """Whole years of age, or None when the birth date is missing or partial."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def ages_on(birth_date: str, day: date) -> tuple[int, int] | None:
    """The least and the greatest age in whole years that a birth date allows: a date, a month or a year; else None."""
    if not _BIRTH_DATE.fullmatch(birth_date):
        return None
    earliest = birth_date + "-01-01"[len(birth_date) - len("2000") :]
    last_month = birth_date if len(birth_date) > len("2000") else f"{birth_date}-12"
    year, month, *_ = map(int, last_month.split("-"))
    if not (year and 1 <= month <= 12):
        return None
    latest = birth_date if len(birth_date) == len("2000-01-01") else f"{last_month}-{monthrange(year, month)[1]:02}"
    oldest, youngest = age_on(earliest, day), age_on(latest, day)
    return None if oldest is None or youngest is None or oldest < 0 else (max(0, youngest), oldest)
