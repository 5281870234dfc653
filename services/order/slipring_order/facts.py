"""A request and what surrounds it, as plain facts that rules can read; no FHIR spelling beyond this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


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
