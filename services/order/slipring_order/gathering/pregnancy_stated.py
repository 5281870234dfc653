"""What is stated about a pregnancy: the answer for a request, diagnoses of one, and the weeks it has lasted."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import interval
from slipring.fhir.service import Resource

from slipring_order.gathering.form import asked_on_the_form
from slipring_order.reading import Pool, codes, codings, first, moment

LOINC = "http://loinc.org"
PREGNANCY_STATUS = "82810-3"
_STATUS = frozenset({PREGNANCY_STATUS, "11449-6"})
_ICD10 = ("http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3")
_GRAVITY = ("unknown", "not-pregnant", "pregnant")  # of statements of one moment the last of these counts
_TERM = timedelta(days=280)  # from the last menstrual period to the expected date, Naegele
_LONGEST = timedelta(days=308)  # what is longer ago belongs to an earlier pregnancy
_BEGUN = ("recordedDate", "onsetDateTime", "onsetPeriod")
_DAYS = {"d": 1.0, "wk": 7.0}


def pregnancy_status(
    request: Resource, supporting: Iterable[Resource], patient: Resource, pool: Pool, now: datetime, zone: ZoneInfo
) -> str:
    """pregnant, not-pregnant, unknown, or empty: by what was stated for this request; another patient's is not used."""
    never = datetime.min.replace(tzinfo=now.tzinfo)
    found = [
        (at or never, status)
        for stated in supporting
        if not stated.get("subject") or pool.same(stated["subject"], patient)
        for at, status in _answered(stated, zone)
    ]
    for told in {_told(concept) for concept in request.get("reasonCode", [])} - {""}:
        found.append((moment(request.get("authoredOn"), zone) or never, told))
    for condition in pool.of_type("Condition"):
        told = _told(condition.get("code")) if _goes_on(condition, now, zone) else ""
        if told and pool.same(condition.get("subject"), patient):
            at = interval(str(first(condition, *_BEGUN)), zone)
            found.append((at.low if at else never, told))
    return _weighed(found)


def _weighed(found: Iterable[tuple[datetime, str]]) -> str:
    """The newest statement; of two at one moment the graver, and "unknown" takes no pregnancy back."""
    newest = sorted(((at, _GRAVITY.index(status)) for at, status in found), reverse=True)
    decided = next((_GRAVITY[gravity] for _, gravity in newest if _GRAVITY[gravity] != "unknown"), "")
    return decided if decided == "pregnant" or not newest else _GRAVITY[newest[0][1]]


def gestation_days(patient: Resource, pool: Pool, now: datetime, zone: ZoneInfo, void: frozenset[str]) -> int | None:
    """Days since the last menstrual period by the newest statement that can be of this pregnancy."""
    found: list[tuple[datetime, timedelta]] = []
    for observation in pool.of_type("Observation"):
        subject = observation.get("subject")
        if observation.get("status") in void or (subject and not pool.same(subject, patient)):
            continue
        try:
            since = _since_last_period(observation, now, zone)
        except OverflowError:  # no time of any pregnancy
            continue
        if since is not None and timedelta(0) <= since <= _LONGEST:
            at = moment(first(observation, "effectiveDateTime", "effectivePeriod", "issued"), zone)
            found.append((at or datetime.min.replace(tzinfo=now.tzinfo), since))
    return max(found)[1].days if found else None


def dating_codes() -> tuple[str, ...]:
    """The codes of what dates a pregnancy."""
    return tuple(code for codes_ in _data()["dated-by"].values() for code in codes_)


def _answered(stated: Resource, zone: ZoneInfo) -> Iterator[tuple[datetime | None, str]]:
    if stated["resourceType"] == "QuestionnaireResponse":
        answer = asked_on_the_form(stated, "pregnancy")
        if answer:
            yield moment(stated.get("authored"), zone), _status([answer], [answer])
    elif stated["resourceType"] == "Observation" and _loinc(stated) & _STATUS:
        at = moment(first(stated, "effectiveDateTime", "effectivePeriod", "issued"), zone)
        if isinstance(stated.get("valueBoolean"), bool):
            yield at, "pregnant" if stated["valueBoolean"] else "not-pregnant"
            return
        value = stated.get("valueCodeableConcept") or {}
        words = [value.get("text"), stated.get("valueString"), *(c.get("display") for c in codings(value))]
        yield at, _status(codes(value), [str(word) for word in words if word])


def _status(coded: Iterable[str], words: Iterable[str]) -> str:
    """By code before by words; what is neither is unknown, never "no"."""
    known, said = _data()["answers"], {word.strip(" .。，,!！").casefold() for word in words}
    for code in coded:
        for status, listed in known.items():
            if code in listed:
                return str(status)
    return next((str(status) for status, listed in _data()["words"].items() if said & set(listed)), "unknown")


def _goes_on(condition: Resource, now: datetime, zone: ZoneInfo) -> bool:
    table = _data()["conditions"]
    ended = set(codes(condition.get("clinicalStatus"))) & set(table["over"]) or _has_abated(condition, now, zone)
    unsaid = set(codes(condition.get("verificationStatus"))) & set(table["not_so"])
    return not ended and not unsaid and not _is_old(condition, now, zone)


def _has_abated(condition: Resource, now: datetime, zone: ZoneInfo) -> bool:
    """By any abatement, dated or told; one that ends in the future is only expected."""
    for member, value in condition.items():
        if member.startswith("abatement"):
            ends = value.get("end") if member == "abatementPeriod" else value
            at = interval(ends, zone) if isinstance(ends, str) else None
            return at is None or at.low <= now
    return False


def _is_old(condition: Resource, now: datetime, zone: ZoneInfo) -> bool:
    """Whether it began, or was recorded, before any pregnancy of today; a month or a year counts by its end."""
    dated = (interval(str(first(condition, member)), zone) for member in _BEGUN)
    return any(at is not None and now - at.high > _LONGEST for at in dated)


def _told(concept: Mapping[str, Any] | None) -> str:
    """pregnant, unknown, or empty: what a reason or a diagnosis says of a pregnancy, by its codes, else in words."""
    if _is_pregnancy(concept):
        return "pregnant"
    said = ((concept or {}).get("text"), *(coding.get("display") for coding in codings(concept)))
    told, table = "", _data()["told"]
    for text in (unicodedata.normalize("NFKC", str(one)).casefold() for one in said if one):
        rest = re.sub("|".join(table["none"]), " ", text)
        if re.search(table["pregnant"], rest):
            told = "unknown" if re.search(table["open"], text) and told != "pregnant" else "pregnant"
    return told


def _is_pregnancy(concept: Mapping[str, Any] | None) -> bool:
    table = _data()["conditions"]
    return any(
        str(coding.get("code")) in table["snomed"]
        or (
            str(coding.get("system", "")).startswith(_ICD10)
            and str(coding.get("code", "")).upper().startswith(tuple(table["icd10"]))
        )
        for coding in codings(concept)
    )


def _since_last_period(observation: Resource, now: datetime, zone: ZoneInfo) -> timedelta | None:
    held, dated = _loinc(observation), _data()["dated-by"]
    day = moment(observation.get("valueDateTime"), zone)
    if held & set(dated["last-period"]) and day is not None:
        return now - day
    if held & set(dated["expected-date"]) and day is not None:
        return now - (day - _TERM)
    if held & set(dated["gestational-age"]):
        at = moment(first(observation, "effectiveDateTime", "effectivePeriod", "issued"), zone)
        age = _age(observation)
        return age + (now - at) if age is not None and at is not None else None
    return None


def _age(observation: Resource) -> timedelta | None:
    """A gestational age as a quantity in days or weeks, or written as `12+3`, `12w3d`, `孕12周3天`, `停经60天`."""
    quantity = observation.get("valueQuantity", {})
    units = {str(quantity.get(name, "")).strip().casefold() for name in ("code", "unit")}
    for unit, names in _data()["days"].items():
        if units & set(names) and quantity.get("value") is not None:
            return timedelta(days=float(quantity["value"]) * _DAYS[unit])
    said = unicodedata.normalize("NFKC", str(observation.get("valueString", ""))).casefold().strip()
    for pattern in _written():
        if written := pattern.fullmatch(said):
            part = {name: float(number or 0) for name, number in written.groupdict().items()}
            return timedelta(weeks=part.get("weeks", 0), days=part.get("days", 0))
    return None


@cache
def _written() -> tuple[re.Pattern[str], ...]:
    """How an age is written: weeks by their unit, by the plus sign between them and the days, or days alone."""
    before, days, weeks = (
        "|".join(re.escape(word) for word in words)
        for words in (_data()["written"]["before"], _data()["days"]["d"], _data()["days"]["wk"])
    )
    number, rest = r"(?P<weeks>\d{1,2}(?:\.\d+)?)\s*", rf"(?P<days>\d)\s*(?:{days})?"
    forms = (
        rf"{number}(?:{weeks})\s*(?:\+?\s*{rest}|\+)?",
        rf"{number}\+\s*(?:{rest})?\s*(?:{weeks})?",
        rf"(?P<days>\d{{1,3}})\s*\+?\s*(?:{days})",
    )
    return tuple(re.compile(rf"(?:(?:{before})[\s:,]*)*{form}") for form in forms)


def _loinc(observation: Resource) -> set[str]:
    return {str(c.get("code")) for c in codings(observation.get("code")) if c.get("system") == LOINC}


@cache
def _data() -> Mapping[str, Any]:
    with (Path(__file__).parents[1] / "data" / "pregnancy.toml").open("rb") as file:
        return tomllib.load(file)
