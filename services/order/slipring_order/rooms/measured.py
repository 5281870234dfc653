"""What an Observation of a scanner's test says: test, kind, moment, value; one reading for who takes it and who judges. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.search.amount import same_kind
from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import codes, codings, has_code, moment
from slipring_order.rooms.scanner import SCANNER_PROPERTY
from slipring_order.rooms.scanner_standard import CONSTANCY, bands, kinds, possible, rounded, spellings, tests

TEST_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-test"
KIND_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-test-kind"
UCUM = "http://unitsofmeasure.org"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
NOT_APPLICABLE = "not-applicable"
PRELIMINARY = "preliminary"
COUNTS = frozenset({"final", "amended", "corrected", PRELIMINARY})
_MOST_DIGITS = 18  # what FHIR R4 promises of a decimal; more is not reckoned with
AHEAD = timedelta(minutes=5)  # two machines' clocks


def is_coded(observation: Resource) -> bool:
    """Whether an Observation is coded as a test of a scanner, whatever test it names."""
    return any(coding.get("system") == TEST_SYSTEM for coding in codings(observation.get("code")))


def test_of(observation: Resource) -> str:
    """The test that an Observation names; empty when it names none that is known, or several."""
    named = {str(c.get("code", "")) for c in codings(observation.get("code")) if c.get("system") == TEST_SYSTEM}
    return next(iter(named)) if len(named) == 1 and named <= set(tests()) else ""


def kind_of(observation: Resource) -> str:
    """The kind of test: constancy when nothing is said; empty when what is said is no kind that is known, or several."""
    method = observation.get("method")
    if method is None:
        return CONSTANCY
    strange = {c.get("code") for c in codings(method) if c.get("system") == KIND_SYSTEM} - set(kinds())
    named = set(codes(method)) & set(kinds())
    return next(iter(named)) if len(named) == 1 and not strange else ""


def measured_at(observation: Resource, zone: ZoneInfo) -> datetime | None:
    """When it was measured, of a stretch of time its end; None for what is no moment or day."""
    period = observation.get("effectivePeriod", {})
    said = observation.get("effectiveDateTime") or observation.get("effectiveInstant")
    return moment(said or period.get("end") or period.get("start"), zone)


def is_past(at: datetime, now: datetime) -> bool:
    """Whether a moment has come, by clocks that differ by a little."""
    return at <= now + AHEAD


def amount_in(quantity: Mapping[str, Any], test: str) -> Decimal | None:
    """The number of a Quantity in the unit of a test, as sent where it is of that unit; None where UCUM has no way there.

    >>> amount_in({"value": 0.05, "system": UCUM, "code": "cm"}, "couch")
    Decimal('0.5')
    """
    if "value" not in quantity or quantity.get("comparator") or quantity.get("system", UCUM) != UCUM:
        return None
    number, wanted = Decimal(str(quantity["value"])), str(tests()[test]["units"][0])
    said = str(quantity.get("code") or quantity.get("unit") or "")  # a code is not overruled by what stands beside it
    said = spellings().get(said, said)
    factor = same_kind(UCUM, wanted).get(said)  # from the wanted one to that
    if factor is None:
        return None
    if said == wanted or not number.is_finite() or number.adjusted() > _MOST_DIGITS:
        return number
    return Decimal(f"{number / factor:.12g}").normalize() + 0


def is_possible(number: Decimal, what: str) -> bool:
    """Whether a scanner can measure this, of a test or of the component it goes by."""
    bounds = possible(what)
    if not number.is_finite() or not bounds.get("from", bounds.get("above")) <= number <= bounds["to"]:
        return False
    shown = rounded(what, number) if what in tests() else number
    return "above" not in bounds or shown > bounds["above"]


def goes_together(number: Decimal, nominal: Decimal | None = None) -> bool:
    """Whether a value, which departs from the nominal one where there is one, leaves anything of it."""
    return nominal is None or nominal + number > 0


def nominals_of(observation: Resource) -> dict[int, Resource]:
    """The components that state what a value should be, by their places."""
    every = observation.get("component", [])
    wanted = {str(bands(test)["component"]) for test in tests() if bands(test)}
    return {
        place: one
        for place, one in enumerate(every)
        if any(has_code(one.get("code"), SCANNER_PROPERTY, code) for code in wanted)
    }


def nominal_of(observation: Resource, test: str) -> Decimal | None:
    """What a value should be, where rows of limits go by it; None when that is not said, or cannot be read."""
    found = list(nominals_of(observation).values()) if bands(test) else []
    if len(found) != 1:
        return None
    number = amount_in(found[0].get("valueQuantity", {}), test)
    return number if number is not None and is_possible(number, str(bands(test)["component"])) else None


def value_of(observation: Resource, test: str) -> Decimal | None:
    """What was measured, in the test's unit; None for what cannot be judged."""
    number, nominal = amount_in(observation.get("valueQuantity", {}), test), nominal_of(observation, test)
    unread = bool(bands(test)) and bool(nominals_of(observation)) and nominal is None  # no row of limits can be chosen
    if number is None or unread or not is_possible(number, test) or not goes_together(number, nominal):
        return None
    return number


def not_applicable(observation: Resource) -> bool:
    """Whether a test is said not to apply to the scanner."""
    return "valueQuantity" not in observation and has_code(observation.get("dataAbsentReason"), ABSENT, NOT_APPLICABLE)
