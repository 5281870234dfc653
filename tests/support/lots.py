"""A lot of contrast for the handler tests: iohexol 350, 100 ml bottles, received and accepted."""

from datetime import timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Resource
from slipring_consent.contrast.lots import as_decision
from slipring_consent.reading import instant

from tests.support.desk import A_NOON

LOT = "Medication/c-lot"
UCUM = "http://unitsofmeasure.org"
NURSE = "Practitioner/o-nurse"


def a_volume(ml: float, code: str = "mL") -> Resource:
    return {"value": ml, "unit": code, "system": UCUM, "code": code}


def a_lot(state: str = "accepted", **members: Any) -> Resource:
    """`state` is received, accepted, rejected or recalled."""
    decided = [as_decision("accepted", NURSE, instant(A_NOON - timedelta(days=2)))]
    decided += [as_decision(state, NURSE, instant(A_NOON - timedelta(days=1)))] if state != "accepted" else []
    return {
        "resourceType": "Medication",
        "id": "c-lot",
        "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]},
        "amount": {"numerator": a_volume(100), "denominator": {"value": 1}},
        "ingredient": [
            {
                "itemCodeableConcept": {"text": "iodine"},
                "strength": {"numerator": a_volume(350, "mg"), "denominator": a_volume(1)},
            }
        ],
        "batch": {"lotNumber": "A2601", "expirationDate": "2027-05"},
        **({} if state == "received" else {"extension": decided}),
        **members,
    }


def a_delivery(**members: Any) -> Resource:
    """Ten bottles, three days ago."""
    return {
        "resourceType": "SupplyDelivery",
        "id": "c-delivery",
        "status": "completed",
        "identifier": [{"system": f"{CANONICAL}/sid/lot", "value": "c-lot"}],
        "suppliedItem": {"itemReference": {"reference": LOT}, "quantity": {"value": 10, "system": UCUM, "code": "1"}},
        "occurrenceDateTime": instant(A_NOON - timedelta(days=3)),
        "supplier": {"display": "a supplier"},
        "receiver": [{"reference": NURSE}],
        **members,
    }
