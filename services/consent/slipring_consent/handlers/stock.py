"""`Medication/$stock`: what is on the shelf, per agent and lot, until when, and what is due (5.3.2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource, Stored
from slipring.rules.finding import Finding, Weight

from slipring_consent.catalogue import data_file
from slipring_consent.contrast.holding import numbered, of_lot, searches_of
from slipring_consent.contrast.lots import ACCEPTED, RECEIVED, Lot, lot_of
from slipring_consent.contrast.recording import overdrawn_finding
from slipring_consent.contrast.resources import as_volume
from slipring_consent.contrast.stock import Stock, stock_of
from slipring_consent.department import limits_of, settings_of
from slipring_consent.reading import codes_in, instant

_LOT_STATE = f"{CANONICAL}/CodeSystem/lot-state"
_LATELY = timedelta(days=92)  # a lot that went out of date before that is history: ask for it by its number
_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Shelf:
    """One lot with its sums, as it stands now."""

    kept: Stored
    lot: Lot
    stock: Stock
    state: str
    due_soon: bool

    @property
    def usable(self) -> bool:
        """Whether it may be given."""
        return self.state == ACCEPTED


async def stock_told(call: Call, desk: Desk) -> Changes:
    """Every lot that is in date, or went out of it lately, with its sums; the first to go out of date first."""
    kept = [one for one in await _lots(call, desk) if not one.source]
    shelves = [shelf for shelf in await _shelves(kept, _within(call, desk), desk) if _asked(shelf, call)]
    shelves.sort(key=lambda one: (one.lot.usable_until is None, one.lot.usable_until or desk.now, one.lot.number))
    answer = [*_per_agent(shelves), *map(_line, shelves), *_issues(shelves, desk)]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


async def _lots(call: Call, desk: Desk) -> list[Stored]:
    number = str(call.value("lot") or "").strip()
    if number:
        return await desk.search(numbered(number))
    lately = instant(desk.now - _LATELY)
    queries = [
        f"Medication?lot-number:missing=false&expiration-date=ge{lately}",
        "Medication?lot-number:missing=false&expiration-date:missing=true",
    ]
    return [one for found in await desk.searches(queries) for one in found]


async def _shelves(kept: list[Stored], within: timedelta, desk: Desk) -> list[Shelf]:
    each = [searches_of(one.resource) for one in kept]
    found = await desk.searches([query for queries in each for query in queries]) if each else []
    shelves, place = [], 0
    for one, queries in zip(kept, each, strict=True):
        records = [record for some in found[place : place + len(queries)] for record in some]
        place += len(queries)
        lot = lot_of(one.resource, settings_of(desk).time_zone)
        if lot is None or lot.state == "entered-in-error":
            continue
        stock = stock_of((record.resource for record in of_lot(one.resource, records)), lot.pack_ml)
        state = "expired" if lot.expired(desk.now) and lot.state in (RECEIVED, ACCEPTED) else lot.state
        soon = state in (RECEIVED, ACCEPTED) and lot.expired(desk.now + within)
        shelves.append(Shelf(one, lot, stock, state, soon and stock.left_ml > 0))
    return shelves


def _within(call: Call, desk: Desk) -> timedelta:
    said = call.value("within")
    days = limits_of(desk).limit("contrast.due_soon_days").value if said is None else said
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= _MOST_DAYS:
        raise unprocessable(
            f"`within` is a number of days, 0 to {_MOST_DAYS}.",
            f"within 须为 0 至 {_MOST_DAYS} 天。",
            at=call.at("within"),
            code="value",
            detail="consent.stock-within",
        )
    return timedelta(days=days)


def _asked(shelf: Shelf, call: Call) -> bool:
    wanted = str(call.value("agent") or "")
    atc = data_file("contrast_agents.toml")["systems"]["atc"]
    named = shelf.lot.agent.atc if shelf.lot.agent else ""
    codes = {code for system, code in codes_in(shelf.kept.resource.get("code")) if system == atc}
    return not wanted or wanted in {named, *codes}


def _per_agent(shelves: Iterable[Shelf]) -> list[Resource]:
    """What may be given now, per agent and strength."""
    sums: dict[tuple[str, str, str, Decimal | None], Decimal] = {}
    for one in shelves:
        if one.lot.agent is not None and one.usable:
            key = (one.lot.agent.atc, one.lot.agent.zh, one.lot.agent.en, one.lot.strength)
            sums[key] = sums.get(key, Decimal(0)) + one.stock.left_ml
    atc = data_file("contrast_agents.toml")["systems"]["atc"]
    return [
        {
            "name": "agent",
            "part": [
                {"name": "code", "valueCoding": {"system": atc, "code": code, "display": en}},
                {"name": "zh", "valueString": zh},
                {"name": "en", "valueString": en},
                *([{"name": "strength", "valueQuantity": _strength(strength)}] if strength is not None else []),
                {"name": "usable", "valueQuantity": as_volume(left)},
            ],
        }
        for (code, zh, en, strength), left in sorted(sums.items(), key=lambda item: (item[0][0], item[0][3] or 0))
    ]


def _line(one: Shelf) -> Resource:
    lot, stock = one.lot, one.stock
    parts: list[Resource] = [
        {"name": "medication", "valueReference": {"reference": one.kept.reference}},
        {"name": "number", "valueString": lot.number},
        {"name": "zh", "valueString": lot.agent.zh if lot.agent else "未识别的药品"},
        {"name": "en", "valueString": lot.agent.en if lot.agent else "agent not recognised"},
        {"name": "state", "valueCoding": {"system": _LOT_STATE, "code": one.state}},
        {"name": "received", "valueQuantity": as_volume(stock.received_ml)},
        {"name": "given", "valueQuantity": as_volume(stock.given_ml)},
        {"name": "wasted", "valueQuantity": as_volume(stock.wasted_ml)},
        {"name": "left", "valueQuantity": as_volume(stock.left_ml)},
        {"name": "dueSoon", "valueBoolean": one.due_soon},
    ]
    if lot.strength is not None:
        parts.append({"name": "strength", "valueQuantity": _strength(lot.strength)})
    if lot.expires:
        parts.append({"name": "expires", "valueDateTime": lot.expires})
    if lot.usable_until is not None:
        parts.append({"name": "usableUntil", "valueInstant": instant(lot.usable_until)})
    return {"name": "lot", "part": parts}


def _strength(mg_per_ml: Decimal) -> Resource:
    return {"value": mg_per_ml, "unit": "mg/mL", "system": "http://unitsofmeasure.org", "code": "mg/mL"}


def _issues(shelves: Iterable[Shelf], desk: Desk) -> list[Resource]:
    """What cannot be true of a shelf: more used than came in, records without an amount."""
    found = [(one, finding) for one in shelves for finding in contradictions(one.lot, one.stock)]
    return [
        {
            "name": "issue",
            "resource": as_detected_issue(
                finding, id=f"issue-{number}", subject="", about=one.kept.reference, now=desk.now
            ),
        }
        for number, (one, finding) in enumerate(found, 1)
    ]


def contradictions(lot: Lot, stock: Stock) -> list[Finding]:
    """Why the books of a lot cannot be right; the numbers are shown as they are, none is made fit."""
    findings = []
    if stock.left_ml < 0:
        findings.append(overdrawn_finding(lot.number, stock))
    if stock.unknown:
        zh = f"批次 {lot.number} 有 {len(stock.unknown)} 条记录未注明用量。"
        en = f"{len(stock.unknown)} records of lot {lot.number} state no amount."
        inputs = {"records": ", ".join(stock.unknown)}
        findings.append(Finding("consent.lot-amount-unknown", "1", _CLAUSE, Weight.WARN, zh, en, "Medication", inputs))
    return findings


_CLAUSE = "CL02-A011:5.3.2.1"
