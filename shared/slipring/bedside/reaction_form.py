"""What a form of the reaction page says, as the parameters of `$notice` and `$record`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation

from slipring.bedside.reaction_shown import choices
from slipring.department.road import Tree
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL

_ACR = f"{CANONICAL}/CodeSystem/reaction-grade-acr"
_UCUM = "http://unitsofmeasure.org"
UNITS = ("mg", "ml", "L/min", "µg")
VITALS = ("systolic", "diastolic", "pulse", "spo2", "breathing")
_LONGEST = 500


def said(form: Mapping[str, str]) -> list[Tree]:
    """All that one press of a button says; an empty list when it says nothing."""
    found: list[Tree] = []
    for name in ("kind", "manifestation", "outcome", "effect", "phase"):
        if form.get(name):
            found.append({"name": name, "valueCode": form[name]})
    if form.get("grade"):
        found.append({"name": "severity", "valueCoding": {"system": _ACR, "code": form["grade"]}})
    if form.get("what") or form.get("words", "").strip():
        found.append({"name": "measure", "part": _measure(form)})
    vitals = [
        {"name": name, "valueDecimal": _number(form[name], name)} for name in VITALS if form.get(name, "").strip()
    ]
    if vitals:
        found.append({"name": "vital", "part": vitals})
    if leak := _leak(form):
        found.append({"name": "extravasation", "part": leak})
    for name, field in (("effectText", "effect_text"), ("reason", "reason")):
        if form.get(field, "").strip():
            found.append({"name": name, "valueString": form[field].strip()[:_LONGEST]})
    return found


def began(text: str, zone: tzinfo) -> datetime | None:
    """The day and time that was typed, in the department's zone; None when nothing was.

    >>> from zoneinfo import ZoneInfo
    >>> began("2026-03-02T14:05", ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-03-02T14:05:00+08:00'
    """
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()[:16]).replace(tzinfo=zone)
    except ValueError:
        raise unprocessable(
            "Type a day and a time, such as 2026-03-02 14:05.", "请输入日期和时间，例如 2026-03-02 14:05。",
            at="began", detail="bedside.no-day",
        ) from None  # fmt: skip


def _measure(form: Mapping[str, str]) -> list[Tree]:
    parts: list[Tree] = [{"name": "what", "valueCode": form["what"]}] if form.get("what") else []
    if form.get("dose", "").strip():
        if form.get("what", "") in choices("without_dose"):
            zh, en = "剂量须与药物一起记录：请点药物按钮。", "A dose belongs to a drug: press its button."
            raise unprocessable(en, zh, at="dose", detail="bedside.no-drug")
        unit = form.get("unit", "")
        quantity: Tree = {"value": _number(form["dose"], "dose")}
        if unit in UNITS:
            quantity |= {"unit": unit, "system": _UCUM, "code": {"ml": "mL", "µg": "ug"}.get(unit, unit)}
        parts.append({"name": "dose", "valueQuantity": quantity})
    if form.get("words", "").strip():
        parts.append({"name": "note", "valueString": form["words"].strip()[:_LONGEST]})
    return parts


def _leak(form: Mapping[str, str]) -> list[Tree]:
    parts: list[Tree] = []
    if form.get("volume", "").strip():
        parts.append({"name": "volume", "valueDecimal": _number(form["volume"], "volume")})
    if form.get("site", "").strip():
        parts.append({"name": "site", "valueCodeableConcept": {"text": form["site"].strip()[:_LONGEST]}})
    ticked = [name.removeprefix("symptom-") for name, value in form.items() if name.startswith("symptom-") and value]
    return [*parts, *({"name": "symptom", "valueCode": code} for code in ticked)]


def _number(text: str, field: str) -> Decimal:
    try:
        found = Decimal(text.strip().replace("，", ".").replace(",", "."))
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or not 0 <= found < 100_000:
        raise unprocessable("Type a number.", "请输入数字。", at=field, detail="bedside.no-number")
    return found
