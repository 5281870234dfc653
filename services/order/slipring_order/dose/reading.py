"""Reading a dose report: DICOM TID 10011 with its acquisitions, as real scanners write it.

Scanners differ: GE sends an Enhanced SR, units come as `mGycm`, unit sequences are empty, localizers carry no
CTDIvol. A unit that is missing is taken as the one the template asks for; one that is another quantity is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset

from slipring_order.dose import tree
from slipring_order.dose.report import Alert, DoseReport, Event

ROOT, ACCUMULATED, ACQUISITION, DOSE = "113701", "113811", "113819", "113829"
_PARAMETERS, _CHECK = "113822", "113900"
_SCALES = {
    "mgycm": Decimal(1), "ugycm": Decimal("0.001"), "µgycm": Decimal("0.001"), "gycm": Decimal(1000), "mgym": Decimal(100),
    "mgy": Decimal(1), "ugy": Decimal("0.001"), "µgy": Decimal("0.001"), "gy": Decimal(1000),
    "mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000),
}  # fmt: skip
_LENGTH = frozenset({"mm", "cm", "m"})
_DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")


class NotADoseReport(ValueError):
    """The file is no CT dose report; the message says what it is or what it lacks."""


def read_dose_report(dataset: Dataset, zone: ZoneInfo = _DEFAULT_ZONE) -> DoseReport:
    """Read a CT X-Ray Radiation Dose SR; the SOP class does not matter, the content tree does."""
    if tree.concept(dataset) != ROOT:
        raise NotADoseReport("not an X-Ray Radiation Dose Report (root concept 113701 is missing)")
    accumulated = tree.first(tree.children(dataset, ACCUMULATED))
    acquisitions = list(tree.children(dataset, ACQUISITION))
    if accumulated is None and not acquisitions:
        raise NotADoseReport("a dose report without CT dose data")
    events = tuple(_event(item) for item in acquisitions)
    alerts = tuple(alert for item in acquisitions for alert in _alerts(item))
    observer = _observer(dataset, acquisitions)
    stated = tree.number(tree.first(tree.children(accumulated, "113812"))) if accumulated is not None else None
    return DoseReport(
        sop_instance_uid=str(dataset.get("SOPInstanceUID", "")),
        study_uid=tree.text(tree.first(tree.within(dataset, "110180"))) or str(dataset.get("StudyInstanceUID", "")),
        accession_number=str(dataset.get("AccessionNumber") or "").strip(),
        manufacturer=observer[0],
        model=observer[1],
        serial_number=observer[2],
        started_at=tree.moment(tree.first(tree.children(dataset, "113809")), zone),
        ended_at=tree.moment(tree.first(tree.children(dataset, "113810")), zone),
        stated_events=int(stated[0]) if stated else None,
        total_dlp_mgy_cm=_amount(accumulated, "113813", "mgycm") if accumulated is not None else None,
        events=events,
        alerts=alerts,
    )


def _event(item: Dataset) -> Event:
    dose = tree.first(tree.children(item, DOSE))
    parameters = tree.first(tree.children(item, _PARAMETERS))
    phantom = tree.value_code(tree.first(tree.children(dose, "113835"))) if dose is not None else ("", "")
    return Event(
        uid=tree.text(tree.first(tree.children(item, "113769"))),
        acquisition=tree.value_code(tree.first(tree.children(item, "113820")))[1],
        protocol=tree.text(tree.first(tree.children(item, "125203"))),
        region=tree.value_code(tree.first(tree.children(item, "123014")))[1],
        ctdi_vol_mgy=_amount(dose, "113830", "mgy") if dose is not None else None,
        dlp_mgy_cm=_amount(dose, "113838", "mgycm") if dose is not None else None,
        length_mm=_amount(parameters, "113825", "mm") if parameters is not None else None,
        phantom=phantom[1],
        phantom_code=phantom[0],
    )


def _alerts(item: Dataset) -> Iterator[Alert]:
    for details in tree.within(item, _CHECK):
        for kind, value, estimate, unit in (
            ("DLP", "113903", "113905", "mgycm"),
            ("CTDIvol", "113904", "113906", "mgy"),
        ):
            configured = _amount(details, value, unit)
            if configured is not None:
                yield Alert(kind, configured, _amount(details, estimate, unit))


def _amount(container: Dataset, code: str, wanted: str) -> Decimal | None:
    """A number in the wanted unit; a missing unit is the template's own."""
    found = tree.number(tree.first(tree.children(container, code)))
    if found is None:
        return None
    value, written = found
    unit = re.sub(r"[^a-zµ]", "", written.replace("μ", "µ").lower()) or wanted
    if unit not in _SCALES or _quantity(unit) != _quantity(wanted):
        raise NotADoseReport(f"concept {code} carries the unit {written!r}, which is not {wanted}")
    return value * _SCALES[unit] if _SCALES[unit] != 1 else value


def _quantity(unit: str) -> str:
    if unit in _LENGTH:
        return "length"
    return "dose-length" if unit.endswith("m") else "dose"


def _observer(dataset: Dataset, acquisitions: list[Dataset]) -> tuple[str, str, str]:
    """The irradiating device: the observer of the report, else the device of an event, else the header."""
    names = []
    for of_report, of_event, of_header in (
        ("121014", "113878", "Manufacturer"),
        ("121015", "113879", "ManufacturerModelName"),
        ("121016", "113880", "DeviceSerialNumber"),
    ):
        found = tree.text(tree.first(tree.children(dataset, of_report)))
        for item in acquisitions:
            found = found or tree.text(tree.first(tree.within(item, of_event)))
        names.append(found or str(dataset.get(of_header) or "").strip())
    return names[0], names[1], names[2]
