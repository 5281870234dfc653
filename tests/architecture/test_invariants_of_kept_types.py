"""Every invariant that R4 states on a kept type, or on anything inside one, is enforced or says why not."""

from slipring.fhir.checks.invariants.coverage import coverage, reachable
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


def test_a_type_that_nobody_keeps_has_invariants_that_nobody_enforces() -> None:
    assert [one.key for one in coverage(["TestScript"]) if not one.how]
