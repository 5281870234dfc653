"""A resource sent by itself to an operation: the one parameter it can only be, and refused where others are demanded."""

from __future__ import annotations

import pytest
from slipring.fhir.interactions.operation import wrapped
from slipring.fhir.interactions.parameters import faults
from slipring.fhir.service import Operation
from slipring_consent.service import SERVICE as CONSENT
from slipring_order.service import SERVICE as ORDER


def operation(kind: str, name: str) -> Operation:
    declared = [*ORDER.operations, *CONSENT.operations]
    return next(one for one in declared if (one.type, one.name) == (kind, name))


@pytest.mark.parametrize(
    ("kind", "name", "sent", "parameter"),
    [
        ("ServiceRequest", "justify", "Bundle", "data"),
        ("MedicationAdministration", "check", "MedicationAdministration", "administration"),
        ("QuestionnaireResponse", "assess", "QuestionnaireResponse", "response"),
        ("QuestionnaireResponse", "assess", "Bundle", "bundle"),
    ],
)
def test_a_resource_by_itself_is_the_parameter_of_its_type(kind: str, name: str, sent: str, parameter: str) -> None:
    body = {"resourceType": sent}
    made = wrapped(operation(kind, name), body)
    assert made == {"resourceType": "Parameters", "parameter": [{"name": parameter, "resource": body}]}
    assert faults(operation(kind, name), made) == []


@pytest.mark.parametrize(
    ("kind", "name", "sent"),
    [
        ("Consent", "sign", "Consent"),  # the signature is demanded beside it
        ("Consent", "verify", "Consent"),  # it takes nothing: the consent is in the address
        ("ServiceRequest", "justify", "ServiceRequest"),
        ("ServiceRequest", "justify", "Parameters"),
    ],
)
def test_what_can_be_no_parameter_stays_what_was_sent(kind: str, name: str, sent: str) -> None:
    body = {"resourceType": sent}
    assert wrapped(operation(kind, name), body) is body
