"""Where the records of a lot are found: the lots of a number, what came in and went out, who was given it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from slipring.fhir.service import CANONICAL, Desk, Resource, Stored

from slipring_consent.contrast.lots import lot_number, same_lot
from slipring_consent.reading import reference_of

# R4 has no search for the item of a SupplyDelivery, nor for the lot number of a contained Medication: both are known by an
# identifier that this service puts on the record when it is written.
LOT_ID = f"{CANONICAL}/sid/lot"  # on a SupplyDelivery: the id of the Medication that is the lot
LOT_NUMBER = (
    f"{CANONICAL}/sid/lot-number"  # on a MedicationAdministration: the lot number that its contained Medication says
)
RECEIPT_NUMBER = f"{CANONICAL}/sid/lot-receipt"  # the supplier's delivery note and line; no two receipts share one


def contained_medication(administration: Resource) -> Resource | None:
    """The contained Medication that an administration names."""
    reference = str(administration.get("medicationReference", {}).get("reference", ""))
    held = (one for one in administration.get("contained", []) if reference == f"#{one.get('id')}")
    return next((one for one in held if one.get("resourceType") == "Medication"), None)


def contained_lot(administration: Resource) -> Resource | None:
    """The contained Medication that an administration names, when it says a lot number."""
    named = contained_medication(administration)
    return named if named is not None and lot_number(named) else None


def lot_reference(administration: Resource) -> str:
    """The Medication that an administration refers to outside itself; empty when it names none."""
    reference = reference_of(administration.get("medicationReference"))
    return reference if reference.startswith("Medication/") else ""


def identified(resource: Resource, system: str, value: str) -> dict[str, list[Resource]]:
    """What to append so that a record is found by its lot; nothing when it says so already."""
    mark = {"system": system, "value": value}
    held = [(one.get("system"), one.get("value")) for one in resource.get("identifier", [])]
    return {} if (system, value) in held else {"identifier": [mark]}


def numbered(number: str) -> str:
    """The search for all lots of a number."""
    return f"Medication?lot-number={quote(number, safe='')}"


def searches_of(medication: Resource) -> list[str]:
    """The searches for all deliveries and administrations of a lot."""
    reference, number = f"Medication/{medication['id']}", quote(lot_number(medication), safe="")
    return [
        f"SupplyDelivery?identifier={LOT_ID}|{medication['id']}",
        f"MedicationAdministration?medication={reference}",
        f"MedicationAdministration?identifier={LOT_NUMBER}|{number}",
    ]


def of_lot(medication: Resource, found: Iterable[Stored]) -> list[Stored]:
    """Of what the searches found, what is of this lot: a number may be another agent's, too."""
    return [one for one in found if not one.source and _is_of(medication, one.resource)]


async def records_of(medication: Resource, desk: Desk) -> list[Stored]:
    """All deliveries and administrations of a lot, each once."""
    found = [one for each in await desk.searches(searches_of(medication)) for one in each]
    return list({one.reference: one for one in of_lot(medication, found)}.values())


async def given_unkept(lot: Resource, desk: Desk) -> list[Stored]:
    """The administrations of a lot that only contained Medications name: nobody has entered it here."""
    found = await desk.search(f"MedicationAdministration?identifier={LOT_NUMBER}|{quote(lot_number(lot), safe='')}")
    named = ((one, contained_lot(one.resource)) for one in found if not one.source)
    return [one for one, held in named if held is not None and same_lot(held, lot)]


def _is_of(medication: Resource, record: Resource) -> bool:
    if record["resourceType"] == "SupplyDelivery":
        return reference_of(record.get("suppliedItem", {}).get("itemReference")) == f"Medication/{medication['id']}"
    contained = contained_lot(record)
    if contained is not None:
        return same_lot(contained, medication)
    return lot_reference(record) == f"Medication/{medication['id']}"
