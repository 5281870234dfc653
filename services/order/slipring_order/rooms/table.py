"""The table of a scanner and who is to lie on it."""

from __future__ import annotations

from decimal import Decimal

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import Desk, Resource
from slipring.rules.finding import Finding
from slipring.rules.rulebook import check

from slipring_order.gathering.body_size import KILOGRAMS, WEIGHT, weight_kg
from slipring_order.gathering.patient import VOID
from slipring_order.reading import has_code, reference_of
from slipring_order.rooms.facts import TableFacts
from slipring_order.rooms.scanner import SCANNER_PROPERTY, Scanner
from slipring_order.rules import TABLE_RULES


async def table_findings(exam: Resource, scanner: Scanner, desk: Desk) -> list[Finding]:
    """What speaks against this patient on this scanner's table, by the newest weight of any of his records."""
    patient, zone = reference_of(exam.get("for")), desk.settings.zone
    if not patient.startswith("Patient/"):
        return []
    found = await desk.search(f"Observation?code={WEIGHT}&subject={any_of(await merge_set(patient, desk))}")
    measured = [one.resource for one in found if one.resource.get("status") not in VOID]
    facts = TableFacts(weight_kg(measured, zone), table_load_kg(scanner.device))
    return check(facts, TABLE_RULES, desk.settings.limits.on(desk.now.astimezone(zone).date()), desk.now)


def table_load_kg(device: Resource) -> Decimal | None:
    """What a Device says that its table bears, in kilograms; None where it says nothing usable."""
    for entry in device.get("property", []):
        if has_code(entry.get("type"), SCANNER_PROPERTY, "table-load"):
            for quantity in entry.get("valueQuantity", []):
                factor = KILOGRAMS.get(str(quantity.get("code", quantity.get("unit"))))
                if factor is not None and quantity.get("value", 0) > 0:
                    return Decimal(str(quantity["value"])) * factor
    return None
