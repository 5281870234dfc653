"""Which protocol an exam is scanned by on a scanner (CL02-A011:5.5.3: a protocol per exam and scanner); pure.

A protocol says in its contexts what it is for: a group of exams or one exam, contrast, an age group, and a scanner or
its model. What a context does not say holds for all. The scanner's own protocol counts before that of its model, and
that before the group's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.catalogue import Exam
from slipring_order.offer.defined import EXAM_CONTRAST, PROTOCOL_GROUP
from slipring_order.offer.mapping import EXAM_SYSTEM
from slipring_order.offer.protocols import AGE_GROUP, PROTOCOL_NUMBER, child_until_years
from slipring_order.offer.words import USAGE
from slipring_order.reading import codings

SCANNER = f"{CANONICAL}/sid/scanner"  # its codes are the ids of the scanners' Devices
SCANNER_MODEL = f"{CANONICAL}/sid/scanner-model"  # its codes are model numbers and model names
_IN_FORCE = "active"
_THIS_ONE, _THIS_MODEL, _ANY = 2, 1, 0


def protocol_for(
    exam: Exam, scanner: Resource, protocols: Iterable[Resource], *, age_years: int | None = None
) -> Resource | None:
    """The active protocol that fits the exam best on this scanner (a Device); None when none fits.

    Without a known age nothing is assumed: only a protocol for every age fits. Among equals the newest date counts.
    """
    fitting = [
        (rank, str(one.get("date", "")), str(one.get("id", "")), one)
        for one in protocols
        if (rank := _rank(one, exam, scanner, age_group(age_years))) is not None
    ]
    return max(fitting, key=lambda found: found[:3])[3] if fitting else None


def covered(exam: Exam, scanners: Iterable[Resource], protocols: Sequence[Resource]) -> frozenset[str]:
    """The age groups that an active protocol of the exam is for on one of these scanners (Devices)."""
    return frozenset(
        group
        for scanner in scanners
        for group, years in _an_age_of().items()
        if protocol_for(exam, scanner, protocols, age_years=years) is not None
    )


def age_groups() -> frozenset[str]:
    """The age groups that protocols tell apart."""
    return frozenset(_an_age_of())


def is_protocol(plan: Resource) -> bool:
    """Whether a PlanDefinition is a scan protocol: by its number, or because it is meant for exams."""
    numbered = any(identifier.get("system") == PROTOCOL_NUMBER for identifier in plan.get("identifier", []))
    return numbered or any(True for _ in _stated(plan, "exam"))


def age_group(age_years: int | None) -> str:
    """`child` or `adult` as protocols tell them apart; empty without a known age."""
    if age_years is None:
        return ""
    return "child" if age_years < child_until_years() else "adult"


def _an_age_of() -> Mapping[str, int]:
    return {age_group(years): years for years in (child_until_years() - 1, child_until_years())}


def scanners_in(plan: Resource) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The contexts of a plan that name a scanner, each with its place in the list."""
    for place, context in enumerate(plan.get("useContext", [])):
        if _is_usage(context, "scanner"):
            yield place, context


def names_of(scanner: Resource) -> Mapping[tuple[str, str], int]:
    """The codings that stand for a scanner, and how closely: its id and identifiers, or its model."""
    own = [(SCANNER, scanner.get("id")), *((i.get("system"), i.get("value")) for i in scanner.get("identifier", []))]
    models = [name.get("name") for name in scanner.get("deviceName", []) if name.get("type") == "model-name"]
    model = [(SCANNER_MODEL, name) for name in (scanner.get("modelNumber"), *models)]
    found = [*((name, _THIS_MODEL) for name in model), *((name, _THIS_ONE) for name in own)]
    return {(str(system), str(code)): close for (system, code), close in found if system and code}


def _rank(plan: Resource, exam: Exam, scanner: Resource, age: str) -> tuple[int, ...] | None:
    """How closely a plan fits, the scanner first; None when it is for something else."""
    if plan.get("status") != _IN_FORCE:
        return None
    own_exam = (EXAM_SYSTEM, exam.code)
    for_exam = _closest(plan, "exam", {own_exam: 2, (PROTOCOL_GROUP, exam.protocol): 1})
    contrast = _closest(plan, "contrast", {(EXAM_CONTRAST, exam.phases): 1})
    of_age = _closest(plan, "age-group", {(AGE_GROUP, age): 1} if age else {})
    on_scanner = _closest(plan, "scanner", names_of(scanner))
    if for_exam is None or on_scanner is None or contrast is None or of_age is None or for_exam == _ANY:
        return None
    return on_scanner, for_exam, contrast, of_age


def _closest(plan: Resource, usage: str, wanted: Mapping[tuple[str, str], int]) -> int | None:
    """How closely the plan's contexts of a usage fit; 0 when it has none, None when it has others only."""
    stated = list(_stated(plan, usage))
    if not stated:
        return _ANY
    return max((wanted[one] for one in stated if one in wanted), default=None)


def _stated(plan: Resource, usage: str) -> Iterator[tuple[str, str]]:
    for context in plan.get("useContext", []):
        if _is_usage(context, usage):
            given = codings(context.get("valueCodeableConcept"))
            yield from ((str(one.get("system", "")), str(one.get("code", ""))) for one in given)
            if not given:
                yield "", ""  # it is for something that no code says: it fits nothing


def _is_usage(context: Mapping[str, Any], usage: str) -> bool:
    code = context.get("code", {})
    return (code.get("system"), code.get("code")) == (USAGE, usage)
