"""How an injection that runs ended, with what the record of contrast carries (5.5.3 g): way, site, injector. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from slipring.bedside.injecting import INJECTION, field_at, number_in, quantity_said
from slipring.bedside.typed_time import time_typed
from slipring.department.names import Pair
from slipring.department.road import Tree

_SNOMED = "http://snomed.info/sct"
ROUTES: Mapping[str, Pair] = {
    "47625008": ("静脉", "intravenous"),
    "58100008": ("动脉", "intra-arterial"),
}
# What the injector shows, in the units that it shows: field, part of the extension, unit (UCUM).
MEASURED: Sequence[tuple[str, str, str]] = (
    ("limit", "pressureLimit", "[psi]"), ("peak", "peakPressure", "[psi]"), ("saline", "salineFlush", "mL"),
    ("warm", "agentTemperature", "Cel"),
)  # fmt: skip
_SHOWN = {"[psi]": "psi", "mL": "mL", "Cel": "°C"}


def ended(running: Tree, form: Mapping[str, str], now: datetime, zone: tzinfo) -> Tree:
    """An administration that runs, as it ended: given, stopped, or not done after all; blank fields change nothing."""
    outcome = form.get("outcome") or "completed"
    kept = {name: value for name, value in running.items() if name not in ("effectiveDateTime", "effectivePeriod")}
    begun = running.get("effectiveDateTime") or running.get("effectivePeriod", {}).get("start")
    reason = form.get("reason", "").strip()
    told: Tree = {**kept, "status": outcome, **({"statusReason": [{"text": reason}]} if reason else {})}
    if outcome == "not-done":
        return {**told, "effectiveDateTime": begun}
    injector, dosage = form.get("injector", "").strip(), _dosage(running, form)
    over, said = time_typed(form.get("ended", ""), now, zone, at="effective"), _parts(form)
    return {
        **told,
        "effectivePeriod": {"start": begun, "end": over.isoformat(timespec="seconds")},
        **({"dosage": dosage} if dosage else {}),
        **({"device": [{"display": injector}]} if injector else {}),
        **({"extension": _injected(running, said)} if said else {}),
    }


def ending_field_at(expression: str) -> str:
    """The field of the form that says how it ended; there an amount is what was given, not what is asked for."""
    field = field_at(expression)
    return {"dose": "given", "rate": "flow"}.get(field, field)


def _dosage(running: Tree, form: Mapping[str, str]) -> Tree:
    """Dose and flow as given; way and site only beside an amount, which a dosage must have (FHIR R4, mad-1)."""
    amounts = {
        **running.get("dosage", {}),
        **quantity_said(form, "given", "dose", "mL"),
        **quantity_said(form, "flow", "rateQuantity", "mL/s"),
    }
    site, route = form.get("site", "").strip(), form.get("route", "")
    if not amounts:
        return {}
    if route in ROUTES:
        zh, en = ROUTES[route]
        amounts["route"] = {"coding": [{"system": _SNOMED, "code": route, "display": en}], "text": zh}
    return {**amounts, **({"site": {"text": site}} if site else {})}


def _parts(form: Mapping[str, str]) -> list[Tree]:
    """What is said of the injection: cannula, pressures, saline, temperature; by hand, where no injector gave it."""
    gauge = number_in(form, "gauge")
    parts: list[Tree] = [{"url": "gauge", "valueInteger": int(gauge)}] if gauge is not None else []
    for field, part, unit in MEASURED:
        said = quantity_said(form, field, "valueQuantity", unit, shown=_SHOWN[unit])
        parts += [{"url": part, **said}] if said else []
    return [*parts, *([{"url": "byHand", "valueBoolean": True}] if form.get("by_hand") else [])]


def _injected(running: Tree, said: Sequence[Tree]) -> list[Tree]:
    """The extensions of a record with these parts in place of what was said of the same."""
    others = [one for one in running.get("extension", []) if one.get("url") != INJECTION]
    before = [part for one in running.get("extension", []) if one.get("url") == INJECTION for part in one["extension"]]
    new = {part["url"] for part in said}
    return [*others, {"url": INJECTION, "extension": [*(p for p in before if p["url"] not in new), *said]}]
