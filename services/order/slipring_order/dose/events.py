"""One irradiation event of a dose report: TID 10013 with its parameters (TID 10014) and dose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from slipring_order.dose import tree
from slipring_order.dose.problem import NotADoseReport
from slipring_order.dose.report import Event, Source
from slipring_order.dose.units import UnknownUnit, converted

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset

_DIAMETER = re.compile(r"\b(16|32)\s*cm\b", re.IGNORECASE)
_TERMS = Path(__file__).parents[1] / "data" / "dose_terms.toml"


def read_event(item: Dataset, zone: ZoneInfo, say: Callable[[object], str]) -> Event:
    """Read one CT Acquisition; what it does not say stays empty."""
    acquisition_code, acquisition = tree.value_code(tree.first(tree.children(item, "113820")))
    region_code, region = tree.value_code(tree.first(tree.children(item, "123014")))
    phantom_code, phantom = tree.value_code(tree.first(tree.within(item, "113835")))
    return Event(
        uid=tree.text(tree.first(tree.children(item, "113769"))),
        acquisition=say(acquisition) or str(terms()["acquisition"].get(acquisition_code, {}).get("en", "")),
        acquisition_code=acquisition_code,
        protocol=say(tree.text(tree.first(tree.children(item, "125203")))),
        region=say(region),
        region_code=region_code,
        ctdi_vol_mgy=dose_amount(tree.first(tree.within(item, "113830")), "113830", "mGy"),
        dlp_mgy_cm=dose_amount(tree.first(tree.within(item, "113838")), "113838", "mGy.cm"),
        length_mm=amount(item, "113825", "mm"),
        phantom=say(phantom) or str(terms()["phantom"].get(phantom_code, {}).get("en", "")),
        phantom_code=phantom_code,
        phantom_cm=phantom_cm(phantom_code, phantom),
        started_at=tree.moment(tree.first(tree.children(item, "111526")), zone),
        exposure_time_s=amount(item, "113824", "s"),
        pitch=amount(item, "113828", "1"),
        collimation_single_mm=amount(item, "113826", "mm"),
        collimation_total_mm=amount(item, "113827", "mm"),
        ssde_mgy=amount(item, "113930", "mGy"),
        effective_dose_msv=amount(item, "113839", "mSv"),
        sources=tuple(_sources(item)),
        comment=say(tree.text(tree.first(tree.children(item, "121106")))),
    )


def dose_amount(item: Dataset | None, code: str, wanted: str) -> Decimal | None:
    """A dose in the wanted unit; None where nothing was measured, refused where it is another quantity or below 0."""
    found = tree.number(item)
    if found is None:
        return None
    try:
        amount = converted(*found, wanted)
    except UnknownUnit as problem:
        raise NotADoseReport(
            f"concept {code} carries the unit {found[1]!r}, which is not {wanted}",
            f"概念 {code} 的单位是 {found[1]!r}，不是 {wanted}",
        ) from problem
    if amount < 0:
        raise NotADoseReport(f"concept {code} is below zero", f"概念 {code} 为负值")
    return amount


@cache
def terms() -> Mapping[str, Any]:
    """Codes of dose reports: acquisition types, phantoms, target regions."""
    with _TERMS.open("rb") as file:
        return tomllib.load(file)


def amount(item: Dataset, code: str, wanted: str) -> Decimal | None:
    """A number beside the dose: a unit that nobody knows leaves it unsaid, and the report is still worth reading."""
    found = tree.number(tree.first(tree.within(item, code)))
    if found is None:
        return None
    try:
        return converted(*found, wanted)
    except UnknownUnit:
        return None


def _sources(item: Dataset) -> Iterator[Source]:
    """Each X-ray source; a scanner that gives voltage and current without naming a source has one."""
    described = list(tree.within(item, "113831"))
    for position, source in enumerate(described or [item], 1):
        voltages = [found for each in tree.within(source, "113733") for found in _volts(each)]
        if described or voltages:
            yield Source(
                id=tree.text(tree.first(tree.children(source, "113832"))) or str(position),
                kvp_kv=tuple(dict.fromkeys(voltages)),
                current_ma=amount(source, "113734", "mA"),
                max_current_ma=amount(source, "113833", "mA"),
                rotation_s=amount(source, "113834", "s"),
            )


def _volts(item: Dataset) -> Iterator[Decimal]:
    for value, unit in tree.numbers(item):
        try:
            yield converted(value, unit, "kV")
        except UnknownUnit:
            continue


def phantom_cm(code: str, meaning: str) -> int | None:
    """The diameter (cm) of the phantom that a dose is given for: 16 or 32; None when nothing says it."""
    known = terms()["phantom"].get(code)
    if known:
        return int(known["diameter_cm"])
    if stated := _DIAMETER.search(meaning):
        return int(stated[1])
    said = meaning.lower()
    found = {int(each["diameter_cm"]) for each in terms()["phantom"].values() if each["word"] in said}
    return found.pop() if len(found) == 1 else None
