"""Every invariant that R4 states on a kept type, or on anything inside one, is enforced or says why not."""

import json
import tomllib

from slipring.fhir.checks import compile_schema
from slipring.fhir.checks.invariants.compile_official import OFFICIAL_FILE
from slipring.fhir.checks.invariants.coverage import coverage, reachable
from slipring.fhir.terminology.standard import bindings
from slipring.process import installed_services

BESIDES = ("Bundle", "OperationOutcome", "Parameters", "Subscription")


def kept() -> list[str]:
    return sorted({keeps.type for service in installed_services().values() for keeps in service.keeps} | {*BESIDES})


def test_no_invariant_of_a_kept_type_is_forgotten() -> None:
    assert [(one.key, one.path) for one in coverage(kept()) if not one.how] == []


def test_the_list_reaches_into_the_data_types() -> None:
    found = {(one.key, one.path) for one in coverage(kept())}
    assert {("per-1", "Period"), ("tim-9", "Timing.repeat"), ("sqty-1", "SimpleQuantity")} <= found
    assert {("dom-3", "DomainResource"), ("org-3", "Organization.telecom"), ("ele-1", "Element")} <= found
    assert "TimingRepeat" in reachable(["ServiceRequest"])


def test_every_required_binding_inside_a_kept_type_is_checked() -> None:
    """By its list of codes, or by a grammar where the codes are no list."""
    official = json.loads(OFFICIAL_FILE.read_text("utf-8"))["bindings"]
    patterns = tomllib.loads((compile_schema.HERE / "r4_primitives.toml").read_text("utf-8"))["coded"].values()
    checked = {place for rule in patterns for place in rule["elements"]}
    checked |= {place for one in bindings() for name in ("codes_of", "concepts_of") for place in one.get(name, ())}
    inside = reachable(kept())
    asked = [place for place in official if place.partition(".")[0] in inside]
    assert len(asked) > 100
    assert [place for place in asked if place not in checked] == []


def test_a_type_that_nobody_keeps_has_invariants_that_nobody_enforces() -> None:
    assert [one.key for one in coverage(["TestScript"]) if not one.how]
