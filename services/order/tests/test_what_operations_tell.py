"""No operation is a way around a token: one that tells of many says of which types, and the kernel asks for them."""

from slipring_order.service import SERVICE

# They answer from what the caller sends, or about nothing but what he names.
FROM_WHAT_IS_SENT = {
    "Observation/$take-dose-report",
    "QuestionnaireResponse/$plan-eqa",
    "ServiceRequest/$advice-feedback",
    "ServiceRequest/$advise",
    "ServiceRequest/$justify",
}


def test_every_operation_that_looks_around_says_what_it_tells_of() -> None:
    around = [one for one in SERVICE.operations if one.level == "type" or not one.affects_state]
    silent = {f"{one.type}/${one.name}" for one in around if not one.tells}
    assert silent == FROM_WHAT_IS_SENT


def test_what_is_told_is_kept_here() -> None:
    kept = {keeps.type for keeps in SERVICE.keeps}
    assert {told for one in SERVICE.operations for told in one.tells} <= kept
