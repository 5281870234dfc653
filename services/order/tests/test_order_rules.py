"""Every rule of the order service against its own cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import slipring_order.rules as rules_room
from slipring.rules.cases import Case, load_cases, verdict
from slipring.rules.limits import LimitBook
from slipring_order.catalogue import items
from slipring_order.dose.groups import ExamMeasure
from slipring_order.dose.levels import level_for
from slipring_order.dose.report import DoseReport, Event
from slipring_order.facts import DecisionFacts, DoseReceived, EarlierExam, OrderFacts
from slipring_order.images.facts import Identity, ImageFacts, ImageHeader
from slipring_order.rooms.facts import ProtocolFacts, StartFacts, TableFacts
from slipring_order.rooms.scanner_facts import ServiceFacts
from slipring_order.rooms.testing import Result, ScannerTest
from slipring_order.rules import (
    BOOKING_RULES,
    DECISION_RULES,
    DOSE_REPORT_RULES,
    DOSE_RULES,
    IMAGE_RULES,
    ORDER_RULES,
    SCANNER_RULES,
    SCANNER_TEST_RULES,
    START_RULES,
    STEP_RULES,
    TABLE_RULES,
)

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
ROOM = Path(rules_room.__file__).parent
LIMITS = ROOM.with_name("limits.toml")
FACTS = {
    **{rule.id: StartFacts for rule in (*START_RULES, *STEP_RULES)},
    **{rule.id: ProtocolFacts for rule in BOOKING_RULES},
    **{rule.id: ServiceFacts for rule in SCANNER_RULES},
    **{rule.id: ScannerTest for rule in SCANNER_TEST_RULES},
    "order.decision-recorded": DecisionFacts,
}
RULES: Mapping[str, Any] = {
    rule.id: rule
    for rules in (
        ORDER_RULES,
        DECISION_RULES,
        IMAGE_RULES,
        DOSE_REPORT_RULES,
        DOSE_RULES,
        BOOKING_RULES,
        START_RULES,
        STEP_RULES,
        TABLE_RULES,
        SCANNER_RULES,
        SCANNER_TEST_RULES,
    )
    for rule in rules
}
CASES = [case for file in sorted(ROOM.glob("*.toml")) for case in load_cases(file)]
COMPLETE: Mapping[str, Any] = {
    "patient_known": True, "patient_identified": True, "patient_reachable": True, "sex": "male",
    "birth_date": "1970-01-01", "requester_named": True, "requester_reachable": True, "exam_named": True,
    "site_named": True, "statements": dict.fromkeys(items(), "none"),
}  # fmt: skip


def an_exam(entry: Mapping[str, Any]) -> EarlierExam:
    sets = {name: frozenset(entry.get(name, ())) for name in ("regions", "sides", "institution")}
    return EarlierExam(**{**entry, **sets})


def the_facts(case: Case) -> Any:
    given = dict(case.facts)
    if case.rule in {rule.id for rule in DOSE_RULES}:
        return a_measure(case)
    if case.rule in {rule.id for rule in DOSE_REPORT_RULES}:
        return a_dose_report(given)
    if case.rule in {rule.id for rule in TABLE_RULES}:
        return TableFacts(**{name: Decimal(value) for name, value in given.items()})
    if case.rule in {rule.id for rule in IMAGE_RULES}:
        return image_facts(given)
    kind: Any = FACTS.get(case.rule, OrderFacts)
    if kind is ScannerTest and "last" in given:
        given["last"] = Result("Observation/o-1", given["test"], "constancy", NOW, Decimal(given["last"]))
    if given.pop("complete", False):
        given = {**COMPLETE, **given}
    known = {field.name: str(field.type) for field in fields(kind)}
    for name, value in given.items():
        if known[name].startswith("frozenset"):
            given[name] = frozenset(value)
        elif name == "earlier":
            given[name] = tuple(an_exam(entry) for entry in value)
        elif name == "doses":
            given[name] = tuple(DoseReceived(**entry) for entry in value)
        elif known[name].startswith("tuple"):
            given[name] = tuple(value)
    return kind(**given)


def a_measure(case: Case) -> ExamMeasure:
    limits = LimitBook.load(LIMITS, {"*"} if case.confirmed else ()).on(date(2026, 3, 2))
    level = level_for(case.facts["key"], case.facts.get("age"), None, limits)
    ctdivol, dlp = (Decimal(case.facts[name]) if name in case.facts else None for name in ("ctdivol", "dlp"))
    return ExamMeasure("Observation/o-1", case.facts["key"], "Device/o-ct", level, "-", ctdivol, dlp)


def a_dose_report(given: Mapping[str, Any]) -> DoseReport:
    doses = [Decimal(dlp) for dlp in given["events"]]
    events = tuple(Event("", "", "", "", None, dlp, None, "", "") for dlp in doses)
    total = Decimal(given["total"]) if "total" in given else None
    return DoseReport(
        "1.2.3",
        "",
        "",
        "",
        "",
        "",
        None,
        None,
        given.get("stated"),
        total,
        events,
        (),
        illegible=given.get("illegible", 0),
    )


def image_facts(given: dict[str, Any]) -> ImageFacts:
    image = dict(given.pop("image", {}))
    header = ImageHeader(**image | {"identity": Identity(**sets(image.pop("identity", {}))), **sets(image)})
    return ImageFacts(**{"image": header, **sets(given), "identity": Identity(**sets(given.pop("identity", {})))})


def sets(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: frozenset(value) if isinstance(value, list) else value for name, value in given.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_rule_finds_what_its_case_says(case: Case) -> None:
    limits = LimitBook.load(LIMITS, {"*"} if case.confirmed else ()).on(date(2026, 3, 2))
    assert verdict(case, RULES[case.rule](the_facts(case), limits, NOW)) == ""


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_has_a_clause_a_promise_and_a_case_of_each_kind(rule: Any) -> None:
    own = [case for case in CASES if case.rule == rule.id]
    assert rule.clause and rule.promise
    assert any(case.finds for case in own), "no case that fires"
    assert any(case.finds is None for case in own), "no case that passes"
