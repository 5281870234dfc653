"""What is left of a lot: received, given and wasted, each record counted once however often it is seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import data_file
from slipring_consent.contrast.amounts import ML, UCUM, amount
from slipring_consent.reading import extension_value

MOVEMENT = f"{CANONICAL}/StructureDefinition/stock-movement"
WASTED = f"{CANONICAL}/StructureDefinition/wasted"
RECEIPT, WASTE = "receipt", "waste"
_GIVEN = frozenset({"completed", "stopped"})


@dataclass(frozen=True, slots=True)
class Stock:
    """The sums of one lot in ml; `unknown` names the records that move it by an amount nobody stated."""

    received_ml: Decimal = Decimal(0)
    given_ml: Decimal = Decimal(0)
    wasted_ml: Decimal = Decimal(0)
    unknown: tuple[str, ...] = ()

    @property
    def left_ml(self) -> Decimal:
        """What should be on the shelf; below zero when more was used than ever came in."""
        return self.received_ml - self.given_ml - self.wasted_ml


def stock_of(records: Iterable[Resource], pack_ml: Decimal | None) -> Stock:
    """The stock of one lot by its deliveries and administrations, in any order."""
    each = {f"{one['resourceType']}/{one['id']}": one for one in records}
    sums = {"received": Decimal(0), "given": Decimal(0), "wasted": Decimal(0)}
    unknown = []
    for reference, record in sorted(each.items()):
        for kind, volume_ml in _moves(record, pack_ml):
            if volume_ml is None:
                unknown.append(reference)
            else:
                sums[kind] += volume_ml
    return Stock(sums["received"], sums["given"], sums["wasted"], tuple(dict.fromkeys(unknown)))


def movement_of(delivery: Mapping[str, object]) -> str:
    """What a SupplyDelivery of a lot is: a receipt, or waste that left the shelf without a patient."""
    return str(extension_value(dict(delivery), MOVEMENT) or RECEIPT)


def delivered_ml(delivery: Resource, pack_ml: Decimal | None) -> Decimal | None:
    """The volume of a SupplyDelivery: stated in a unit of volume, or in packs of a known size."""
    quantity = delivery.get("suppliedItem", {}).get("quantity", {})
    volume_ml = amount(quantity, ML)
    if volume_ml is not None or pack_ml is None or "comparator" in quantity:
        return volume_ml
    packs = quantity.get("value")
    return Decimal(str(packs)) * pack_ml if _counts_packs(quantity) and packs is not None else None


def _counts_packs(quantity: Resource) -> bool:
    """Whether it counts single packs; a word that is not known may mean ten of them, or a millilitre."""
    code, unit = str(quantity.get("code", "")), str(quantity.get("unit", ""))
    annotated = code.startswith("{") and code.endswith("}")
    word = code[1:-1] if annotated else unit
    known = word in data_file("stock_units.toml")["packs"] or (code == "1" and word in ("", "1"))
    return quantity.get("system", UCUM) == UCUM and (annotated or code == "1") and known


def given_ml(administration: Resource) -> Decimal | None:
    """The volume that an administration states as its dose."""
    return amount(administration.get("dosage", {}).get("dose"), ML)


def wasted_ml(administration: Resource) -> Decimal | None:
    """What was thrown away of the pack that this patient's contrast came from."""
    return amount(extension_value(administration, WASTED), ML)


def _moves(record: Resource, pack_ml: Decimal | None) -> list[tuple[str, Decimal | None]]:
    status = record.get("status")
    if record["resourceType"] == "SupplyDelivery":
        kind = "wasted" if movement_of(record) == WASTE else "received"
        return [(kind, delivered_ml(record, pack_ml))] if status == "completed" else []
    moves: list[tuple[str, Decimal | None]] = [("given", given_ml(record))] if status in _GIVEN else []
    if extension_value(record, WASTED) is not None and status in {*_GIVEN, "not-done"}:
        moves.append(("wasted", wasted_ml(record)))
    return moves
