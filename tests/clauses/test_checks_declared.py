"""Every row of the register has a check that can be carried out, or is named a procedure; every declared search can be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from slipring.assessing.operation import NAME as EVIDENCE
from slipring.clauses.register import register
from slipring.fhir.search.condition import Clause
from slipring.fhir.search.criteria import parse
from slipring.process import installed_services
from slipring.verdicts.declared import UnreadableChecks, checks_of, filled
from slipring.verdicts.elements import bears
from slipring.verdicts.operation import NAME, Answering

SERVICES = installed_services()
_START, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def answering(service: str) -> Answering:
    """What a service answers `$clause-check` with."""
    [operation] = [one for one in SERVICES[service].operations if one.name == NAME]
    owner: Answering = operation.handler.__self__  # type: ignore[attr-defined]
    return owner


CHECKS = [(name, check) for name in SERVICES for check in answering(name).checks]


def test_every_row_has_a_check_or_is_a_procedure() -> None:
    checked = {check.clause for _, check in CHECKS}
    procedures = {row.id for row in register().clauses if row.kinds == ("procedure",)}
    assert checked | procedures == {row.id for row in register().clauses}
    assert not checked & procedures


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_answers_for_every_row_that_names_it(service: str) -> None:
    mine = {check.clause for name, check in CHECKS if name == service}
    named = {row.id for row in register().of(service) if row.kinds != ("procedure",)}
    held_by_order = {"5.2.5", "5.3.1.1"}  # consent's crash carts are Devices, which order keeps with their checks
    assert named - mine <= (held_by_order if service == "consent" else set())


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_judge_that_a_check_names_is_there_and_none_is_without_a_check(service: str) -> None:
    used = {check.judge for check in answering(service).checks if check.judge}
    assert used == set(answering(service).judges)


@pytest.mark.parametrize(("service", "check"), CHECKS, ids=lambda one: one if isinstance(one, str) else one.code)
def test_the_searches_of_a_check_can_be_asked_as_of_any_moment(service: str, check: object) -> None:
    kept = {keeps.type for keeps in SERVICES[service].keeps}
    for query in (*check.of, *check.breaks):  # type: ignore[attr-defined]
        kind, _, text = filled(query, _START, _END, _END).partition("?")
        assert kind in kept, query
        criteria = parse(kind, parse_qsl(text, keep_blank_values=True), zone=UTC, types=kept)
        assert all(isinstance(one, Clause) for one in criteria.clauses), "a step over references has no history"
    for need in check.needs:  # type: ignore[attr-defined]
        assert not bears({}, need)


def test_a_check_of_no_row_is_refused() -> None:
    with pytest.raises(UnreadableChecks, match=r"9\.9"):
        checks_of({"check": [{"clause": "9.9", "code": "x", "zh": "x", "en": "x", "of": ["Task"]}]})


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_link_of_the_samples_evidence_can_be_asked(service: str) -> None:
    [operation] = [one for one in SERVICES[service].operations if one.name == EVIDENCE]
    links = operation.handler.__self__.links  # type: ignore[attr-defined]
    kept = {keeps.type for keeps in SERVICES[service].keeps}
    assert links.links
    for link in links.links:
        kind, _, parameter = link.find.partition("?")
        assert kind in kept, link
        [asked] = parse(kind, [(parameter, f"{link.start}/x")], zone=UTC, types=kept | {link.start}).clauses
        assert asked
