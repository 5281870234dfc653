"""Contrast on the shelf: a lot comes in, is accepted by name, and is what the injection is taken from."""

from __future__ import annotations

from datetime import timedelta

from slipring_demo.cast import SYNTHETIC
from slipring_demo.scene import Cast, Scene, Tree
from slipring_demo.teller import parameters

_UCUM = "http://unitsofmeasure.org"


def a_lot(number: str = "SYN-2601", **members: object) -> Tree:
    """Iohexol 350 in bottles of 100 ml, usable to the end of the month that the pack prints."""
    return {
        "resourceType": "Medication",
        "meta": SYNTHETIC,
        "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}]},
        "amount": {"numerator": a_quantity(100, "mL"), "denominator": {"value": 1}},
        "ingredient": [
            {
                "itemCodeableConcept": {"text": "碘 / iodine"},
                "strength": {"numerator": a_quantity(350, "mg"), "denominator": a_quantity(1, "mL")},
            }
        ],
        "batch": {"lotNumber": number, "expirationDate": "2029-06"},
        **members,
    }


def a_delivery(cast: Cast, lot: str, bottles: int = 20) -> Tree:
    """Bottles of a lot, taken in by the nurse yesterday."""
    return {
        "resourceType": "SupplyDelivery",
        "meta": SYNTHETIC,
        "status": "completed",
        "suppliedItem": {
            "itemReference": {"reference": lot},
            "quantity": a_quantity(bottles, "{bottle}"),
        },
        "occurrenceDateTime": cast.moment(timedelta(days=-1)),
        "supplier": {"display": "示例医药公司(虚构)"},
        "receiver": [cast.person("nurse")],
    }


def a_weight(cast: Cast, kg: float = 84) -> Tree:
    """The patient's weight of this morning: the dose is judged by it."""
    return {
        "resourceType": "Observation",
        "meta": SYNTHETIC,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": cast.subject,
        "effectiveDateTime": cast.moment(timedelta(hours=-2)),
        "valueQuantity": a_quantity(kg, "kg"),
    }


def a_quantity(value: float, code: str) -> Tree:
    """A Quantity in UCUM."""
    return {"value": value, "unit": code.strip("{}"), "system": _UCUM, "code": code}


def received(scene: Scene) -> None:
    """A lot comes in; nobody has accepted it yet. A scene that is played again takes from the same shelf."""
    if scene.lot:
        return
    lot = scene.teller.created(a_lot(f"SYN-{scene.now():%y%m%d%H%M%S}"))
    scene.lot = f"Medication/{lot['id']}"
    scene.teller.created(a_delivery(scene, scene.lot))


def accepted(scene: Scene) -> None:
    """The nurse accepts the lot by name, once."""
    teller = scene.teller
    lot = teller.ask("GET", scene.lot)
    if "extension" in lot:
        return
    given = parameters(
        performer=("Reference", scene.person("nurse")), note=("String", "包装完好，在有效期内 / intact, in date")
    )
    lot = teller.ask("POST", f"{scene.lot}/$accept", given)
    teller.must(lot["extension"], "the lot is accepted by a named person before its first use")
